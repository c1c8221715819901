package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Long output is kept where read_file and commands read it, and nobody writes,
// until its conversation is deleted or it is too old.
func TestLongOutput(t *testing.T) {
	s := serveApp(t)
	out := s.use("a", "shell", map[string]any{"command": "seq 100000"})
	path := regexp.MustCompile(`/\S+\.txt`).FindString(out)
	if !strings.HasPrefix(out, "1\n2\n") || !strings.Contains(out, "100000\n[all of it is in "+path) {
		t.Fatalf("got %q", out[max(0, len(out)-300):])
	}
	if got := s.use("b", "read_file", map[string]any{"path": path, "offset": 54321, "limit": 2}); got != "54321\n54322\n[lines 54321 to 54322; go on with offset 54323]\n" {
		t.Errorf("read_file: %q", got)
	}
	if got := s.use("a", "shell", map[string]any{"command": "sed -n 77777p " + path}); got != "77777\n" {
		t.Errorf("a command: %q", got)
	}
	if got := s.use("a", "shell", map[string]any{"command": "echo x 2>&- >>" + path + " || echo refused; rm -f " + path + " 2>/dev/null || echo kept"}); !strings.HasSuffix(got, "refused\nkept\n") {
		t.Errorf("writing: %q", got)
	}
	if got := s.use("a", "write_file", map[string]any{"path": path, "content": "x"}); !strings.HasPrefix(got, "error: ") {
		t.Errorf("write_file: %q", got)
	}
	deleted := make(chan error, 1)
	s.tell("a", "hello")
	s.hub.Delete("a", func(err error) { deleted <- err })
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it outlives its conversation")
	}
	old := filepath.Join(s.home, ".openclaw/outputs/x/old.txt")
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-8*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.close()
	a, err := newApp(t.Context(), s.load(), nil, s.logger)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if _, err := os.Stat(old); err == nil {
		t.Error("a start leaves what is too old")
	}
}
