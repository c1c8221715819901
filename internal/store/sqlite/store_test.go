package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	// Whoever closes a store is rid of its goroutines.
	defer goleak.VerifyNone(t)
	storetest.Run(t, func(t *testing.T, dir string) storetest.Store {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "openclaw.db")})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// openStore opens a store that the test closes at its end, if not before.
func openStore(t testing.TB, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// Close once left SQLite's connection open behind the statements prepared on
// it, and with it the files.
func TestCloseLetsGo(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, sqlite.Options{Path: filepath.Join(dir, "openclaw.db")})
	if err := s.Append(t.Context(), []openclaw.Event{line("main", 1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Events(t.Context(), "main", openclaw.EventRange{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"openclaw.db", "openclaw.db.lock"}, names); diff != "" {
		t.Errorf("files of a closed store (-want +got):\n%s", diff)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	openStore(t, sqlite.Options{Path: filepath.Join(dir, "openclaw.db")})
	for name, want := range map[string]os.FileMode{
		"..":               0o700,
		".":                0o700,
		"openclaw.db":      0o600,
		"openclaw.db-wal":  0o600,
		"openclaw.db-shm":  0o600,
		"openclaw.db.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]sqlite.Options{
		"no path":   {},
		"bad sync":  {Path: filepath.Join(dir, "x.db"), Sync: "off"},
		"a folder":  {Path: dir},
		"under one": {Path: filepath.Join("/dev/null", "x.db")},
	} {
		if s, err := sqlite.Open(t.Context(), o); err == nil {
			t.Errorf("%s: opened", name)
			s.Close()
		}
	}
	// Characters that mean something in a URI are a part of the name.
	path := filepath.Join(dir, "100% #1?mode=memory&x.db")
	openStore(t, sqlite.Options{Path: path, Sync: sqlite.SyncNormal})
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// What a person deletes is gone from the disk, not only from the lists.
func TestDeletedTextIsGone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "openclaw.db")
	s := openStore(t, sqlite.Options{Path: path})
	secret := "tell nobody about the surprise party"
	large := line("private", 2)
	large.Body = openclaw.ToolReturned{Output: strings.Repeat(secret, 2000)}
	first := line("private", 1)
	first.Body = openclaw.TurnStarted{Text: secret, IdempotencyKey: secret}
	for _, e := range []openclaw.Event{line("kept", 1), first, large, line("kept", 2)} {
		if err := s.Append(t.Context(), []openclaw.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(b, []byte(secret)) {
		t.Fatalf("the test looks in the wrong place: %v", err)
	}
	s = openStore(t, sqlite.Options{Path: path})
	if err := s.Delete(t.Context(), "private"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(filepath.Join(dir, f.Name())); err != nil || bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s still has the deleted text (%v)", f.Name(), err)
		}
	}
}
