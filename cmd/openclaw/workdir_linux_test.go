package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// tell sends a message and returns what the offline model makes of it.
func (s *served) tell(name, text string) string {
	s.t.Helper()
	done := make(answered, 1)
	s.hub.Submit(session.Request{Session: name, ID: text, Observer: done, Started: openclaw.TurnStarted{Text: text}})
	o := <-done
	if o.Err != nil {
		s.t.Errorf("%s: %v", text, o.Err)
	}
	return o.Text
}

// A conversation's commands go on where the last one ended, in another process
// of the gateway, too, until it is reset.
func TestWorkingDirectoryIsKept(t *testing.T) {
	s := serveApp(t)
	pwd := func(where string) {
		t.Helper()
		if got := s.tell("a", "run: pwd") + "\n"; !strings.Contains(got, where) {
			t.Errorf("got %q, want %s", got, where)
		}
	}
	workspace, err := filepath.EvalSymlinks(s.home)
	if err != nil {
		t.Fatal(err)
	}
	workspace = filepath.Join(workspace, ".openclaw/workspace")
	s.tell("a", "run: mkdir -p sub/deep && cd sub && ls -d deep")
	pwd(workspace + "/sub\n")
	if got := s.tell("b", "run: pwd") + "\n"; !strings.Contains(got, workspace+"\n") {
		t.Errorf("another conversation is in %q", got)
	}
	s.close()
	if s.app, err = newApp(t.Context(), s.load(), nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.app.close() })
	pwd(workspace + "/sub\n")
	if err := os.RemoveAll(filepath.Join(workspace, "sub")); err != nil {
		t.Fatal(err)
	}
	pwd("cannot be used any more; this ran in")
	s.tell("a", "run: mkdir again; cd again")
	pwd(workspace + "/again\n")
	reset := make(chan error, 1)
	s.hub.Reset("a", func(err error) { reset <- err })
	if err := <-reset; err != nil {
		t.Fatal(err)
	}
	pwd(workspace + "\n")
}
