package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// childEnv makes the test binary append to the store it names until it is
// killed.
const childEnv = "OPENCLAW_TEST_APPEND_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := appendForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForever goes on with eight sessions at once and prints a line for each
// append after it was acknowledged.
func appendForever(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var mu sync.Mutex
	for i := range 8 {
		name := fmt.Sprint("s", i)
		go func() {
			seq := int64(1)
			if info, err := s.Session(ctx, name); err == nil {
				seq = info.LastSeq + 1
			}
			for ; ; seq += 2 {
				if err := s.Append(ctx, []openclaw.Event{line(name, seq), line(name, seq+1)}); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Println(name, seq+1)
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

// Whatever was acknowledged survives kill -9, and half of an append never does.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openclaw.db")
	acknowledged := map[string]int64{}
	for round := range 2 {
		appendAndKill(t, path, acknowledged, 200*(round+1))
		s := openStore(t, sqlite.Options{Path: path})
		for name, last := range acknowledged {
			events, err := s.Events(t.Context(), name, openclaw.EventRange{})
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range events {
				if e.Seq != int64(i+1) {
					t.Fatalf("%s: event %d has seq %d", name, i+1, e.Seq)
				}
			}
			n := int64(len(events))
			info, err := s.Session(t.Context(), name)
			if err != nil || n < last || n%2 != 0 || info.LastSeq != n {
				t.Errorf("%s: %d events, %d acknowledged, last seq %d, %v", name, n, last, info.LastSeq, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// appendAndKill lets a child append, checks that it keeps this process out, and
// kills it after some lines.
func appendAndKill(t *testing.T, path string, acknowledged map[string]int64, lines int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for in := bufio.NewScanner(out); in.Scan(); n++ {
		name, seq, _ := strings.Cut(in.Text(), " ")
		// The last line may be cut short.
		if last, err := strconv.ParseInt(seq, 10, 64); err == nil && last > acknowledged[name] {
			acknowledged[name] = last
		}
		switch n {
		case 0:
			wantInUse(t, path, child.Process.Pid)
		case lines:
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); n < lines {
		t.Fatalf("the child ended after %d lines: %v", n, err)
	}
}

// wantInUse checks that the store does not open a second time and that the
// error names the process that has it.
func wantInUse(t *testing.T, path string, pid int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err == nil {
		s.Close()
		t.Fatal("a store that is in use opened a second time")
	}
	e := openclaw.AsError(err)
	if e.Code != openclaw.CodeGatewayBusy || !strings.Contains(e.Message, fmt.Sprintf("process %d;", pid)) {
		t.Errorf("code %s, message %q; want %s naming process %d", e.Code, e.Message, openclaw.CodeGatewayBusy, pid)
	}
}

func TestSecondOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openclaw.db")
	s := openStore(t, sqlite.Options{Path: path})
	wantInUse(t, path, os.Getpid())
	// The refused one has left the lock and the store to their owner.
	wantInUse(t, path, os.Getpid())
	if err := s.Append(t.Context(), []openclaw.Event{line("main", 1)}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openStore(t, sqlite.Options{Path: path})
}

// A lock file that a killed process left behind, whatever is in it, locks
// nobody out.
func TestStaleLockFile(t *testing.T) {
	for _, content := range []string{"", "1", "not a number", strings.Repeat("9", 1000)} {
		path := filepath.Join(t.TempDir(), "openclaw.db")
		if err := os.WriteFile(path+".lock", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		openStore(t, sqlite.Options{Path: path})
		wantInUse(t, path, os.Getpid())
	}
}
