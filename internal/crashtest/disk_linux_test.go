package crashtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// smallDisk is a file system of its own.
type smallDisk struct{ home }

func newSmallDisk(t *testing.T) smallDisk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("openclaw-test", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("cannot mount a small tmpfs, which takes root and the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return smallDisk{home{dir}}
}

// fill leaves no room.
func (d smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(d.dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk does not fill up: %v", err)
	}
}

// free makes room again.
func (d smallDisk) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk fills the disk under a gateway at work. Chats fail and say why,
// everything else goes on, and so do chats when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t)
	h := newHome(t)
	o := h.options()
	o.Store = disk.store()
	p, c := serve(t, h, o)
	mustSay(t, c, "main", script{Key: "before", Steps: 1, Calls: 1})

	// The disk fills up while a tool runs.
	failed := make(chan error, 1)
	running := make(chan struct{}, 1)
	go func() {
		request := (&chat{session: "busy", script: script{Key: "busy", Steps: 40, Calls: 1, Work: 20}}).request()
		_, err := c.Chat(t.Context(), request, func(m protocol.Message) {
			select {
			case running <- struct{}{}:
			default:
			}
		})
		failed <- err
	}()
	<-running
	disk.fill(t)
	wantDiskFull(t, <-failed)
	wantDiskFull(t, failing(t, c))
	status, err := client.Ask[protocol.Status](t.Context(), c, protocol.TypeStatus, nil)
	if err != nil || status.State != "running" {
		t.Errorf("status: %q, %v", status.State, err)
	}
	history, err := client.Ask[protocol.History](t.Context(), c, protocol.TypeSessionHistory, protocol.SessionHistory{Session: "main"})
	if err != nil || len(history.Events) < 5 {
		t.Errorf("session_history: %d events, %v", len(history.Events), err)
	}

	disk.free(t)
	for _, session := range []string{"main", "busy", "other"} {
		mustSay(t, c, session, script{Key: "after-" + session, Steps: 1, Calls: 1})
	}
	mustStop(t, p)
	wantSound(t, disk.home, nil)
	wantRanOnce(t, h)
}

// failing sends chats until one fails: the write-ahead log may have room left
// from before.
func failing(t *testing.T, c *client.Client) error {
	t.Helper()
	for i := range 1000 {
		if _, err := say(t.Context(), c, "other", script{Key: fmt.Sprint("full", i)}); err != nil {
			return err
		}
	}
	return nil
}

func wantDiskFull(t *testing.T, err error) {
	t.Helper()
	if codeOf(err) != openclaw.CodeInternal || !strings.Contains(err.Error(), "disk is full: free some space") {
		t.Errorf("a chat on a full disk: %v; want %s and what to do", err, openclaw.CodeInternal)
	}
}

// TestKilledOnFullDisk kills a gateway at work and fills the disk before the
// next start, which can do nothing but say why it fails.
func TestKilledOnFullDisk(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t)
	h := newHome(t)
	o := h.options()
	o.Store = disk.store()
	died := o
	died.Place, died.N = inTool, 10
	p, c := serve(t, h, died)
	_, err := say(t.Context(), c, "main", script{Key: "main", Steps: 40, Calls: 1})
	if err == nil || p.end(true) != nil {
		t.Fatalf("the gateway was not killed: %v", err)
	}
	disk.fill(t)
	wantRefusal(t, h, o, "disk is full", "free some space")
	disk.free(t)
	p, c = serve(t, h, o)
	r := mustSay(t, c, "main", script{Key: "main", Steps: 40, Calls: 1})
	if want := (&tally{ran: 39, unknown: 1}).text("main"); r.Text != want {
		t.Errorf("the answer is %q, want %q", r.Text, want)
	}
	mustStop(t, p)
	wantSound(t, disk.home, nil)
	wantRanOnce(t, h)
}
