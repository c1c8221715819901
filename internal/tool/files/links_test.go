package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command can put a link in the place of a folder that lies in another one it
// may write. The tools that the next start makes must not follow it; what the
// owner has linked is followed.
func TestLinksMadeByCommands(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"docs/work", "own", ".openclaw"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"docs/inner": "..", "alias": "own", "docs/over": "../alias", ".openclaw/w": "../docs/work"} {
		if err := os.Symlink(to, filepath.Join(home, link)); err != nil {
			t.Fatal(err)
		}
	}
	tools := func(o Options) *space {
		t.Helper()
		o.Home = home
		s, err := newSpace(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, tt := range map[string]struct {
		opts Options
		path string
		ok   bool
	}{
		"a link of a command":         {Options{Workspace: home + "/docs", Writable: []string{home + "/docs/inner"}}, "docs/inner/new", false},
		"behind it":                   {Options{Workspace: home + "/docs", Writable: []string{home + "/docs/inner/own"}}, "own/new", false},
		"the workspace":               {Options{Workspace: home + "/docs/inner", Writable: []string{home + "/docs"}}, "docs/inner/new", false},
		"a link of the owner":         {Options{Workspace: home + "/docs/work", Writable: []string{home + "/alias"}}, "alias/new", true},
		"where it leads":              {Options{Workspace: home + "/docs/work", Writable: []string{home + "/alias"}}, "own/new", true},
		"the owner's in the state":    {Options{Workspace: home + "/.openclaw/w", State: home + "/.openclaw", Writable: []string{home}}, "docs/work/new", true},
		"a link in another workspace": {Options{Workspace: home + "/docs", Writable: []string{home + "/docs/over"}}, "own/new", false},
	} {
		s := tools(tt.opts)
		p, err := s.locate(filepath.Join(home, tt.path), forCreating)
		if p != nil {
			p.close()
		}
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(tt.path, "inner") && !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%s: the message does not help: %v", name, err)
		}
	}
}
