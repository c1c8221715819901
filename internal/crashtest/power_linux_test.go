package crashtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/protocol"
)

// straceCommand returns a command that records what a process does to its files
// and sockets. The test is skipped where that is not possible.
func straceCommand(t *testing.T, trace string) []string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI_FOREIGN") == "1" {
			t.Fatal("strace is missing; install the package strace")
		}
		t.Skip("strace is missing; install the package strace to try power cuts")
	}
	command := []string{
		path, "--follow-forks", "--decode-fds=path", "--strings-in-hex=all", "--string-limit=65536",
		"--signal=none", "--seccomp-bpf", "--trace=write,pwrite64,ftruncate,fsync,fdatasync,unlink", "--output=" + trace,
	}
	if out, err := exec.Command(path, append(command[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("strace cannot trace here: %s", out)
	}
	return command
}

// TestPowerCut records every write and sync of a gateway at work, and then cuts
// its power at random moments: what the disk has is what was synced by then,
// and a random part of what was not. With store.sync full nothing may be
// missing that a client was shown; with normal the end may be, but nothing
// else.
func TestPowerCut(t *testing.T) {
	for _, mode := range []string{sqlite.SyncFull, sqlite.SyncNormal} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			trace := filepath.Join(h.dir, "trace")
			o := h.options()
			o.Sync = mode
			p := start(t, h, o, straceCommand(t, trace)...)
			chats, cuts := 4, 2
			if thorough() {
				chats, cuts = 16, 4 // a checkpoint of the write-ahead log falls into that
			}
			converse(t, p.ready(t), chats)
			if err := p.stdin.Close(); err != nil { // the gateway ends at once, and closes nothing
				t.Fatal(err)
			}
			<-p.done
			steps := readTrace(t, trace)
			wantWholeTrace(t, h, steps)
			missing := cutPower(t, h, steps, cuts, mode == sqlite.SyncFull)
			if mode == sqlite.SyncNormal && missing == 0 {
				t.Error("nothing is ever missing: either normal is as safe as full, or the test sees nothing")
			}
		})
	}
}

// converse holds four conversations of so many chats at once, each with a
// subscriber.
func converse(t *testing.T, url string, chats int) {
	t.Helper()
	if url == "" {
		t.Fatal("the gateway does not start")
	}
	var wg sync.WaitGroup
	for i := range 4 {
		c, session := dial(t, url), fmt.Sprint("s", i)
		after := int64(0)
		_, err := client.Ask[protocol.Subscribed](t.Context(), c, protocol.TypeSubscribe,
			protocol.Subscribe{Session: session, AfterSeq: &after})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for n := range chats {
				if _, err := say(t.Context(), c, session, script{Key: fmt.Sprintf("k%d-%d", i, n), Steps: 2, Calls: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// wantWholeTrace checks that the steps make the files that are there.
func wantWholeTrace(t *testing.T, h home, steps []step) {
	t.Helper()
	d := disk{folder: filepath.Dir(h.store()), files: map[string]*file{}}
	for _, s := range steps {
		d.play(t, s)
	}
	image := d.image(t, func() bool { return true })
	for _, suffix := range []string{"", "-wal"} {
		want, err := os.ReadFile(h.store() + suffix)
		got, err2 := os.ReadFile(image.store() + suffix)
		if err = errors.Join(err, err2); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("the trace makes another file openclaw.db%s than there is, %v", suffix, err)
		}
	}
}

// cutPower plays the steps on a disk, cuts the power at so many of the moments
// at which a client is shown an event, and looks at what is left. It returns how
// often something was missing that had been shown.
func cutPower(t *testing.T, h home, steps []step, cuts int, full bool) (missing int) {
	t.Helper()
	whole := mustRead(t, h)
	rng := rand.New(rand.NewPCG(randomSeed(t), 2))
	var moments []int
	for i, s := range steps {
		if s.session != "" {
			moments = append(moments, i)
		}
	}
	rng.Shuffle(len(moments), func(i, j int) { moments[i], moments[j] = moments[j], moments[i] })
	moments = moments[:min(len(moments), cuts)]
	d := disk{folder: filepath.Dir(h.store()), files: map[string]*file{}}
	shown := map[string]int64{}
	for i, s := range steps {
		if s.session != "" {
			shown[s.session] = max(shown[s.session], s.seq)
		}
		d.play(t, s)
		if !slices.Contains(moments, i) {
			continue
		}
		for name, survives := range map[string]func() bool{
			"nothing": func() bool { return false },
			"some":    func() bool { return rng.IntN(2) == 0 },
		} {
			left := mustRead(t, d.image(t, survives))
			at := fmt.Sprintf("cut at step %d of %d, %s of what was not synced is left", i, len(steps), name)
			checkLeft(t, at, left, whole)
			for session, seq := range shown {
				n := len(left[session])
				if int64(n) >= seq {
					continue
				}
				if missing++; full {
					t.Errorf("%s: %s has %d events; a client was shown %d", at, session, n, seq)
				}
			}
		}
	}
	return missing
}

// checkLeft wants the beginning of each conversation.
func checkLeft(t *testing.T, at string, left, whole logs) {
	t.Helper()
	for session, events := range left {
		if len(events) > len(whole[session]) {
			t.Errorf("%s: %s has %d events, more than there ever were", at, session, len(events))
			continue
		}
		if was := whole[session][:len(events)]; !reflect.DeepEqual(was, events) {
			t.Errorf("%s: %s is not as it was (-was +is):\n%s", at, session, cmp.Diff(was, events))
		}
	}
}

// disk is a disk with a cache, as far as the files of one store go.
type disk struct {
	folder string
	files  map[string]*file
}

// file is what a disk knows of a file.
type file struct {
	synced  []byte
	changes []step // since the last sync
	entered bool   // its folder was synced since it was made
	removed bool
}

// play takes over a step of the gateway.
func (d *disk) play(t *testing.T, s step) {
	t.Helper()
	if s.session != "" {
		return
	}
	if s.path == d.folder && s.call == "fsync" {
		for path, f := range d.files {
			f.entered = true
			if f.removed {
				delete(d.files, path)
			}
		}
		return
	}
	f := d.files[s.path]
	if f == nil || f.removed {
		f = &file{}
		d.files[s.path] = f
	}
	switch s.call {
	case "fsync", "fdatasync":
		for _, c := range f.changes {
			f.synced = c.apply(f.synced)
		}
		f.changes = nil
	case "unlink":
		f.removed = true
	default:
		f.changes = append(f.changes, s)
	}
}

// image is the disk after a power cut, as a home. survives decides about
// whatever was not synced.
func (d *disk) image(t *testing.T, survives func() bool) home {
	t.Helper()
	h := newHome(t)
	for path, f := range d.files {
		if !f.entered && !survives() || f.removed && survives() {
			continue
		}
		data := slices.Clone(f.synced)
		for _, c := range f.changes {
			for _, sector := range c.sectors() {
				if survives() {
					data = sector.apply(data)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(h.dir, filepath.Base(path)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// apply returns the content of a file after the change.
func (s step) apply(data []byte) []byte {
	if s.call == "ftruncate" {
		return resize(data, s.at)
	}
	end := s.at + len(s.data)
	if end > len(data) {
		data = resize(data, end)
	}
	copy(data[s.at:], s.data)
	return data
}

func resize(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size]
	}
	return append(data, make([]byte, size-len(data))...)
}

// sectors takes a write apart into what a disk writes at once.
func (s step) sectors() (parts []step) {
	const sector = 512
	if s.call == "ftruncate" {
		return []step{s}
	}
	for part := range slices.Chunk(s.data, sector) {
		next := s
		next.data, next.at = part, s.at+len(parts)*sector
		parts = append(parts, next)
	}
	return parts
}
