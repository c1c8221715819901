package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// asker answers each question, after doing what happens meanwhile.
type asker struct {
	asked     []openclaw.ApprovalRequested
	meanwhile func()
	decision  string
}

func (a *asker) Ask(_ context.Context, q openclaw.ApprovalRequested, _ time.Duration) (openclaw.ApprovalResolved, error) {
	a.asked = append(a.asked, q)
	a.meanwhile()
	return openclaw.ApprovalResolved{ApprovalID: q.CallID, Decision: a.decision, By: openclaw.ByClient}, nil
}

// What somebody is shown is what is opened: a folder that another command
// exchanges for a link while they think is not, and what was approved for longer
// is asked about again.
func TestExchangedWhileAQuestionIsOpen(t *testing.T) {
	for _, decision := range []string{openclaw.DecideOnce, openclaw.DecideSession, openclaw.DecideAlways} {
		for name, args := range map[string]string{
			"needs":   `"needs":["~/docs/sub"]`,
			"below":   `"needs":["~/docs/sub/new"]`,
			"linked":  `"needs":["~/link"]`,
			"workdir": `"needs":["~/else"],"workdir":"~/docs/sub"`,
			"both":    `"needs":["./x"],"workdir":"~/link"`,
		} {
			t.Run(decision+"/"+name, func(t *testing.T) {
				s := serveApp(t)
				home, err := filepath.EvalSymlinks(s.home)
				if err != nil {
					t.Fatal(err)
				}
				sub, private := filepath.Join(home, "docs/sub"), filepath.Join(home, "private")
				for _, dir := range []string{sub, private} {
					if err := os.MkdirAll(dir, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Symlink(sub, filepath.Join(home, "link")); err != nil {
					t.Fatal(err)
				}
				exchange := func() {
					if err := os.Rename(sub, sub+"-old"); err != nil {
						t.Error(err)
					}
					if err := os.Symlink(private, sub); err != nil {
						t.Error(err)
					}
				}
				args := strings.ReplaceAll(`{"command":"touch ~/private/made ~/private/new x; pwd -P",`+args+`}`, "~", home) // not that of this process
				a := &asker{meanwhile: exchange, decision: decision}
				got := s.asking("a", a, args)
				if !strings.Contains(got, "the command did not run") || !strings.Contains(got, sub) || !strings.Contains(got, "make the call again") {
					t.Errorf("the model reads %q", got)
				}
				if len(a.asked) != 1 {
					t.Fatalf("asked %+v", a.asked)
				}
				if q := a.asked[0]; !slices.Contains(append(q.Needs, q.Dir), sub) && !slices.ContainsFunc(q.Needs, func(n string) bool { return strings.HasPrefix(n, "write "+sub) }) {
					t.Errorf("it was shown %+v", q)
				}
				a.meanwhile, a.decision = func() {}, openclaw.DecideDeny
				got = s.asking("a", a, args)
				if len(a.asked) != 2 || !strings.HasPrefix(got, "error: denied") {
					t.Errorf("asked %+v; the model reads %q", a.asked, got)
				}
				if wrote, err := os.ReadDir(private); err != nil || len(wrote) > 0 {
					t.Errorf("it wrote %v, which nobody has allowed; %v", wrote, err)
				}
			})
		}
	}
}

// asking calls the shell as a turn would that a can answer for.
func (s *served) asking(session string, a openclaw.Asker, args string) string {
	s.t.Helper()
	for _, t := range s.parts.current.Load().tools {
		if t.Spec().Name == "shell" {
			res, err := t.Run(s.t.Context(), &openclaw.Call{ID: "c", Tool: "shell", Session: session, Args: []byte(args), Asker: a})
			if err != nil {
				return "error: " + openclaw.AsError(err).Message
			}
			return res.Output
		}
	}
	s.t.Fatal("there is no shell")
	return ""
}
