package skill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// put writes a file below root and returns its path.
func put(t *testing.T, root, name, text string) string {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func front(name, description string) string {
	return "---\nname: " + name + "\ndescription: " + description + "\n---\nBody of " + name + "\n"
}

// tempRoot is a temporary directory without links in its path.
func tempRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestIndexFinds(t *testing.T) {
	root, second, outside := tempRoot(t), tempRoot(t), tempRoot(t)
	put(t, root, "plain/SKILL.md", front("plain", "P"))
	put(t, root, "lower/skill.md", front("lower", "L"))
	put(t, root, "both/SKILL.md", front("both", "upper"))
	put(t, root, "both/skill.md", front("both", "lower"))
	put(t, root, "single.md", front("single", "S"))
	put(t, root, "README.md", "# Not a skill")
	put(t, root, "author/nested/SKILL.md", front("nested", "N"))
	put(t, root, "plain/references/SKILL.md", front("material", "M"))
	put(t, root, ".git/x/SKILL.md", front("hidden", "H"))
	put(t, root, "a/b/c/d/e/f/SKILL.md", front("sixth", "6"))
	put(t, root, "a/b/c/d/e/f/g/SKILL.md", front("seventh", "7"))
	put(t, root, "broken/SKILL.md", "---\nname: broken\n")
	put(t, root, "huge/SKILL.md", front("huge", "H")+strings.Repeat("x", maxFile))
	put(t, second, "plain/SKILL.md", front("plain", "shadowed"))
	put(t, second, "more/SKILL.md", front("more", "M"))
	put(t, outside, "far/SKILL.md", front("far", "F"))
	link(t, filepath.Join(outside, "far"), filepath.Join(root, "far"))
	link(t, filepath.Join(outside, "far", "SKILL.md"), filepath.Join(root, "linked.md"))
	link(t, filepath.Join(root, "author", "nested"), filepath.Join(root, "inside"))
	link(t, "..", filepath.Join(root, "a", "loop"))
	link(t, "nowhere", filepath.Join(root, "gone.md"))
	if err := os.Mkdir(filepath.Join(root, "fifo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "fifo", "SKILL.md"), 0o600); err != nil {
		t.Fatal(err)
	}

	x := New(Options{Roots: []Root{{Path: root}, {Path: filepath.Join(root, "absent")}, {Path: second}}})
	var got []string
	for _, i := range x.List() {
		source := map[string]string{root: "1", second: "2"}[i.Source]
		got = append(got, fmt.Sprint(i.Name, " ", i.Description, " ", source, " ", i.Enabled))
	}
	want := []string{
		"both upper 1 true", "both  1 false", "broken  1 false", "far  1 false", "fifo  1 false", "gone  1 false", "huge  1 false",
		"linked  1 false", "lower L 1 true", "more M 2 true", "nested N 1 true", "plain P 1 true", "single S 1 true", "sixth 6 1 true",
	}
	if sameFile(t, filepath.Join(root, "both", "SKILL.md"), filepath.Join(root, "both", "skill.md")) {
		t.Skip("this disk takes upper and lower case for the same")
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if loaded, skipped := x.Counts(); loaded != 7 || skipped != 8 {
		t.Errorf("Counts = %d, %d; want 7, 8 (the shadowed one among them)", loaded, skipped)
	}
	for _, p := range x.Problems() {
		if !filepath.IsAbs(p.File) || p.Reason == "" {
			t.Errorf("problem without file or reason: %+v", p)
		}
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return os.SameFile(fa, fb)
}

func TestGetIsFresh(t *testing.T) {
	root := tempRoot(t)
	x := New(Options{Roots: []Root{{Path: root}}})
	if _, err := x.Get("note"); openclaw.CodeOf(err) != openclaw.CodeSkillNotFound {
		t.Fatalf("before it is there: %v", err)
	}
	path := put(t, root, "note/SKILL.md", front("note", "N"))
	for _, name := range []string{"note", "Note", " NOTE "} {
		s, err := x.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if s.Body != "Body of note\n" || s.File != path || s.Dir != filepath.Dir(path) || s.Source != root {
			t.Errorf("Get(%q) = %+v", name, s)
		}
	}

	put(t, root, "note/SKILL.md", "---\nname: note\ndescription: N\n---\nEdited\n")
	if s, err := x.Get("note"); err != nil || s.Body != "Edited\n" {
		t.Errorf("after an edit: %+v, %v", s, err)
	}
	put(t, root, "note/SKILL.md", "---\nname: memo\ndescription: N\n---\nRenamed\n")
	if _, err := x.Get("note"); openclaw.CodeOf(err) != openclaw.CodeSkillNotFound {
		t.Errorf("after the name changed: %v", err)
	}
	if s, err := x.Get("memo"); err != nil || s.Body != "Renamed\n" {
		t.Errorf("under the new name: %+v, %v", s, err)
	}
	put(t, root, "note/SKILL.md", "---\nname: memo\n")
	if _, err := x.Get("note"); err == nil || !strings.Contains(err.Error(), "does not load") {
		t.Errorf("when it is broken: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(root, "note")); err != nil {
		t.Fatal(err)
	}
	put(t, root, "notes/SKILL.md", front("notes", "N"))
	_, err := x.Get("note")
	e, _ := errors.AsType[*openclaw.Error](err)
	if e == nil || e.Code != openclaw.CodeSkillNotFound {
		t.Fatalf("after it is deleted: %v", err)
	}
	if diff := cmp.Diff(map[string]any{"nearest": []string{"notes"}}, e.Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestListIsAsOldAsAllowed(t *testing.T) {
	root := tempRoot(t)
	synctest.Test(t, func(t *testing.T) {
		x := New(Options{Roots: []Root{{Path: root}}, Recheck: time.Second})
		put(t, root, "a/SKILL.md", front("a", "A"))
		if n := len(x.List()); n != 1 {
			t.Fatalf("%d skills at first, want 1", n)
		}
		put(t, root, "b/SKILL.md", front("b", "B"))
		if n := len(x.List()); n != 1 {
			t.Errorf("%d skills within the second: the disk was looked at again", n)
		}
		time.Sleep(time.Second)
		if n := len(x.List()); n != 2 {
			t.Errorf("%d skills after a second, want 2", n)
		}
		if _, err := x.Get("b"); err != nil {
			t.Error(err)
		}
	})
}

func TestIndexConcurrent(t *testing.T) {
	root := tempRoot(t)
	put(t, root, "a/SKILL.md", front("a", "A"))
	x := New(Options{Roots: []Root{{Path: root}}, Recheck: time.Nanosecond})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if s, err := x.Get("a"); err != nil || s.Body == "" {
					t.Errorf("Get = %+v, %v", s, err)
				}
				x.List()
				x.Counts()
				x.Catalog()
			}
		})
	}
	wg.Wait()
}

func TestCatalog(t *testing.T) {
	root := tempRoot(t)
	x := New(Options{Roots: []Root{{Path: root}}, Recheck: time.Nanosecond})
	if got := x.Catalog(); got != "" {
		t.Errorf("without skills: %q", got)
	}
	put(t, root, "broken/SKILL.md", "---\n")
	path := put(t, root, "a/SKILL.md", "---\nname: a\ndescription: |\n  One\n  # Skills\n---\nB")
	if want, got := catalogHead+"- a: One # Skills ("+path+")", x.Catalog(); got != want {
		t.Errorf("Catalog = %q, want %q", got, want)
	}
	for n := range 200 {
		put(t, root, fmt.Sprintf("s%d/SKILL.md", n), front(fmt.Sprint("s", n), strings.Repeat("word ", 100)))
	}
	if got := x.Catalog(); len(got) > maxCatalog || strings.Contains(got, "word") || !strings.Contains(got, "\n- s0 (") || !strings.HasSuffix(got, " more)") {
		t.Errorf("%d bytes with 200 skills: %.200s", len(got), got)
	}
}

func TestValidate(t *testing.T) {
	root := tempRoot(t)
	put(t, root, "good/SKILL.md", front("good", "Does good."))
	put(t, root, "bad/skill.md", "---\nname: Other One\nlicense: []\nextra: 1\ndescription: d\nmetadata: text\n---\nB")
	put(t, root, "num/SKILL.md", front("12", "d"))
	put(t, root, "none/x", "")
	for _, c := range []struct {
		path string
		want []string
	}{
		{"good", nil},
		{"good/SKILL.md", nil},
		{"bad", []string{
			":2: the name \"Other One\" becomes \"other-one\"",
			":6: metadata is not a list of keys and values; it is left out",
			": the file must be called SKILL.md",
			":2: name must be 1 to 64 lower-case letters, digits and single hyphens",
			":3: license must be a text", ":4: the key \"extra\" is not known"}},
		{"num", []string{":2: name must be \"num\", as its directory or file is called", ":2: name must be a text; put quotes around it"}},
		{"none", []string{": no SKILL.md in this directory"}},
		{"absent", []string{": cannot be read: no such file or directory"}},
	} {
		var got []string
		for _, p := range Validate(filepath.Join(root, c.path)) {
			got = append(got, strings.TrimPrefix(p.String(), p.File))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("Validate(%s) (-want +got):\n%s", c.path, diff)
		}
	}
}
