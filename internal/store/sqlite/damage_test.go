package sqlite_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// closedStore leaves a store of some pages behind.
func closedStore(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "openclaw.db")
	s := openStore(t, sqlite.Options{Path: path})
	var events []openclaw.Event
	for seq := range int64(200) {
		events = append(events, line("main", seq+1))
	}
	if err := s.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamagedFile(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"text":        func([]byte) []byte { return []byte(strings.Repeat("this is no database\n", 100)) },
		"header":      func(b []byte) []byte { copy(b, "SQLite format 4\x00"); return b },
		"cut short":   func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"a lost page": func(b []byte) []byte { clear(b[len(b)-4096:]); return b },
		"noise": func(b []byte) []byte {
			r := rand.New(rand.NewPCG(1, 2))
			for i := 4096; i < len(b); i++ {
				b[i] = byte(r.Uint32())
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := closedStore(t)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, path, openclaw.CodeInternal, "damaged", "backup", ".recover")
		})
	}
}

// An emptied file beside a WAL with events in it is not a new store.
func TestEmptiedFile(t *testing.T) {
	path, _ := crashed(t, 3)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	refused(t, path, openclaw.CodeInternal, "damaged")
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Errorf("the WAL is gone: %v", err)
	}
}

// crashed returns a copy of a store's files as a crash after n appends leaves
// them, and the size of its WAL.
func crashed(t *testing.T, n int64) (path string, wal int64) {
	t.Helper()
	dir := t.TempDir()
	live := filepath.Join(dir, "live.db")
	s := openStore(t, sqlite.Options{Path: live})
	for seq := range n {
		if err := s.Append(t.Context(), []openclaw.Event{line("main", seq+1)}); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "openclaw.db")
	copyFile(t, live, path)
	return path, copyFile(t, live+"-wal", path+"-wal")
}

func copyFile(t *testing.T, from, to string) (size int64) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	size, err = io.Copy(dst, src)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// A power cut can leave any part of the last writes to the WAL: what opens then
// is a prefix of the history, whole and in agreement with its summary.
func TestTornWAL(t *testing.T) {
	const appends = 25
	path, size := crashed(t, appends)
	random := rand.New(rand.NewPCG(3, 4))
	lengths := map[int64]bool{}
	for i := range 24 {
		at := random.Int64N(size)
		t.Run(fmt.Sprintf("%d of %d", at, size), func(t *testing.T) {
			torn := filepath.Join(t.TempDir(), "openclaw.db")
			copyFile(t, path, torn)
			copyFile(t, path+"-wal", torn+"-wal")
			if i%2 == 0 {
				if err := os.Truncate(torn+"-wal", at); err != nil {
					t.Fatal(err)
				}
			} else {
				garble(t, torn+"-wal", at)
			}
			lengths[prefix(t, torn, appends)] = true
		})
	}
	if len(lengths) < 6 {
		t.Errorf("only %d different outcomes: the test does not cut where it should", len(lengths))
	}
}

// garble overwrites up to a sector of the file at an offset.
func garble(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", 512)), at); err != nil {
		t.Fatal(err)
	}
}

// prefix opens the store and checks that it holds the events 1, 2, 3… of
// "main", up to the number it returns, and that the next one can be appended.
func prefix(t *testing.T, path string, atMost int64) int64 {
	t.Helper()
	s := openStore(t, sqlite.Options{Path: path})
	events, err := s.Events(t.Context(), "main", openclaw.EventRange{})
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(events))
	for i, e := range events {
		if e.Seq != int64(i+1) || e.Body.(openclaw.TextWritten).Step.N != i+1 {
			t.Fatalf("event %d is %+v", i+1, e)
		}
	}
	switch info, err := s.Session(t.Context(), "main"); {
	case n == 0 && openclaw.CodeOf(err) == openclaw.CodeSessionNotFound:
	case err != nil || info.LastSeq != n || n > atMost:
		t.Fatalf("%d events, last seq %d, %v", n, info.LastSeq, err)
	}
	if err := s.Append(t.Context(), []openclaw.Event{line("main", n+1)}); err != nil {
		t.Fatal(err)
	}
	return n
}
