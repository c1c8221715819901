package paths_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/openclaw/openclaw-go/internal/paths"
)

func TestReal(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/there", 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link": "there", "dangling": "gone", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"there": "there", "link": "there", "link/a/../b/c": "there/b/c", "new/file": "new/file",
		"there/./": "there", "dangling/x": "dangling/x", "loop/x": "loop/x",
	} {
		if got := paths.Real(dir + "/" + path); got != filepath.Join(dir, want) {
			t.Errorf("Real(%s) = %s, want %s", path, got, want)
		}
	}
	for _, path := range []string{"/", "nowhere/at/all", "."} {
		if got := paths.Real(path); got != path {
			t.Errorf("Real(%s) = %s", path, got)
		}
	}
}

// What RealBut follows leads where Real says, in odd ways, too; and a link that
// it must not follow stays in the path.
func TestRealBut(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir+"/open/there", 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"owners": "open/there", "over": "owners/../there/", "whole": dir + "/open", "loop": "loop", "open/made": "..", "to": "open/made/x",
	} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	commands := func(at string) bool { return paths.Within(at, dir+"/open") }
	for path, want := range map[string]string{
		"": "", "open/there": "open/there", "owners": "open/there", "over/new": "open/there/new", "whole//./there/": "open/there",
		"open/made": "open/made", "open/made/x": "open/made/x", "to/y": "open/made/x/y", "whole/made": "open/made", "loop/x": "loop/x",
	} {
		if got := paths.RealBut(dir+"/"+path, commands); got != filepath.Join(dir, want) {
			t.Errorf("RealBut(%s) = %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{"open/made/x": "x", "to": "x", "over": "open/there", "none/x": "none/x"} {
		if got := paths.RealBut(dir+"/"+path, func(string) bool { return false }); got != filepath.Join(dir, want) {
			t.Errorf("RealBut(%s) = %s, want %s, as Real", path, got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		path, dir  string
		same, fold bool
	}{
		{"/a/b", "/a", true, true},
		{"/a", "/a/", true, true},
		{"/a//b/", "/a/b", true, true},
		{"/a", "/", true, true},
		{"/", "/", true, true},
		{"/ab", "/a", false, false},
		{"/a", "/a/b", false, false},
		{"/a/../b", "/a", false, false},
		{"/A/b", "/a", false, true},
		{"/a/b", "/A/B", false, true},
		{"/..a", "/", true, true},
	} {
		if got := paths.Within(c.path, c.dir); got != c.same {
			t.Errorf("Within(%s, %s) = %t", c.path, c.dir, got)
		}
		if got := paths.WithinFold(c.path, c.dir); got != c.fold {
			t.Errorf("WithinFold(%s, %s) = %t", c.path, c.dir, got)
		}
	}
}
