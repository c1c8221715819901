package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
)

func openGrants(t *testing.T, path string) *Grants {
	t.Helper()
	g, err := OpenGrants(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What was approved for longer is not asked again, also by the next process;
// anything that differs is.
func TestGrantsCoverTheSameAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "approvals.json")
	network := openclaw.Needs{Network: true}
	var ran []openclaw.Call
	run := func(g *Grants, decision, session string, a *openclaw.Action) (asked int) {
		asker := &answers{decision: decision, by: openclaw.ByClient}
		tool := newPolicy(t, Config{Grants: g}).Wrap([]openclaw.Tool{actingTool{fakeTool{"shell", a, &ran}}})[0]
		_, _ = tool.Run(t.Context(), &openclaw.Call{Tool: "shell", Session: session, Asker: asker})
		return len(asker.asked)
	}
	g := openGrants(t, path)
	run(g, openclaw.DecideOnce, "s1", shellAction("once", network))
	run(g, openclaw.DecideSession, "s1", shellAction("session", network))
	run(g, openclaw.DecideAlways, "s1", shellAction("always", network))
	other := shellAction("always", network)
	other.Dir = "/elsewhere"
	variables := shellAction("always", network)
	variables.Env = []string{"A=b"}
	for _, g := range []*Grants{g, openGrants(t, path)} {
		for _, tt := range []struct {
			session string
			action  *openclaw.Action
			asked   int
		}{
			{"s1", shellAction("once", network), 1}, {"s1", shellAction("session", network), 0}, {"s2", shellAction("session", network), 1},
			{"s1", shellAction("always", network), 0}, {"s2", shellAction("always", network), 0}, {"s1", shellAction("always ", network), 1},
			{"s1", shellAction("always", openclaw.Needs{Network: true, Unconfined: true}), 1}, {"s1", other, 1}, {"s1", variables, 1},
		} {
			if got := run(g, openclaw.DecideDeny, tt.session, tt.action); got != tt.asked {
				t.Errorf("%s %q in %s: asked %d times, want %d", tt.session, tt.action.Argv[2], tt.action.Dir, got, tt.asked)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside the file: %v", left)
	}
}

func TestGrantsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "approvals.json")
	g := openGrants(t, path)
	for i, session := range []string{"", "s1", "s2"} {
		if err := g.add(fmt.Sprint(i), session, "shell", shellAction("x", openclaw.Needs{Network: true})); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Forget("s1"); err != nil || len(g.List()) != 2 {
		t.Errorf("%v, %v", err, g.List())
	}
	if err := g.Forget(""); err != nil || len(g.List()) != 2 {
		t.Errorf("no session: %v, %v", err, g.List())
	}
	if err := g.Revoke("0"); err != nil {
		t.Error(err)
	}
	if err := g.Revoke("0"); openclaw.CodeOf(err) != openclaw.CodeNotFound {
		t.Errorf("revoked twice: %v", err)
	}
	if left := openGrants(t, path).List(); len(left) != 1 || left[0].ID != "2" {
		t.Errorf("left %v", left)
	}
}

func TestGrantsAreBounded(t *testing.T) {
	g := openGrants(t, filepath.Join(t.TempDir(), "approvals.json"))
	for i := range maxGrants {
		g.list = append(g.list, Grant{ID: fmt.Sprint(i)})
	}
	g.list[5].Session = "s"
	a := shellAction("x", openclaw.Needs{Network: true})
	if err := g.add("new", "", "shell", a); err != nil || len(g.List()) != maxGrants {
		t.Errorf("%v, %d", err, len(g.List()))
	}
	if err := g.add("newer", "", "shell", a); err == nil || len(g.List()) != maxGrants {
		t.Errorf("%v, %d", err, len(g.List()))
	}
}

func TestBrokenGrants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "approvals.json")
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenGrants(path, nil); err == nil {
		t.Error("a broken file was taken for an empty one")
	}
}
