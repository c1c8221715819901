package memory

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForget(t *testing.T) {
	s, dir := open(t)
	if n, err := s.Forget(t.Context(), "anything"); len(n) != 0 || err != nil {
		t.Errorf("without a directory: %v, %v", n, err)
	}
	write(t, dir, "MEMORY.md", "# Memory\r\n\r\n- 2026-01-02 The cat is called Miu <!-- from ann, main -->\r\n- keep\r\n* the cat is called\r\n  MIU.\r\n\r\nlast")
	write(t, dir, "people.md", "A paragraph\nstays.\n\nThe cat is called Miu!\n")
	for want := range 2 {
		n, err := s.Forget(t.Context(), "The cat is called Miu")
		if len(n) != 3*(1-want) || err != nil {
			t.Errorf("Forget = %v, %v", n, err)
		}
	}
	got := map[string]string{"MEMORY.md": readFile(t, filepath.Join(dir, "MEMORY.md")), "people.md": readFile(t, filepath.Join(dir, "people.md"))}
	want := map[string]string{"MEMORY.md": "# Memory\r\n\r\n- keep\r\n\r\nlast", "people.md": "A paragraph\nstays.\n\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if found, err := s.Search(t.Context(), "miu", 0); len(found) != 0 || err != nil {
		t.Errorf("still found: %v, %v", found, err)
	}
}

func TestSource(t *testing.T) {
	s, dir := open(t)
	if _, err := s.Save(t.Context(), "The bins go out on Monday", "ann --> <!-- session\nmain"); err != nil {
		t.Fatal(err)
	}
	want := "# Memory\n\n- 2026-01-02 The bins go out on Monday <!-- from ann -> <!- session main -->\n"
	if got := readFile(t, filepath.Join(dir, "MEMORY.md")); got != want {
		t.Errorf("MEMORY.md is %q", got)
	}
	found, err := s.Search(t.Context(), "session", 0)
	if err != nil || len(found) != 0 {
		t.Errorf("the source is searched: %+v, %v", found, err)
	}
	if found, err = s.Search(t.Context(), "bins", 0); err != nil || len(found) != 1 || found[0].Source != "ann -> <!- session main" {
		t.Errorf("found %+v, %v", found, err)
	}
	if saved, err := s.Save(t.Context(), "the bins go out on monday.", "bob"); saved || err != nil {
		t.Errorf("saved again: %v, %v", saved, err)
	}
}

// TestIndexIsDerived deletes the index, damages it, and takes the right to
// write it away: what the files say is found all the same.
func TestIndexIsDerived(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "- the cat is called Miu\n")
	find := func(s *Store, when string) {
		t.Helper()
		if found, err := s.Search(t.Context(), "cats", 0); err != nil || len(found) != 1 {
			t.Errorf("%s: %v, %v", when, found, err)
		}
	}
	s := openAt(t, dir)
	find(s, "at first")
	if err := os.Remove(filepath.Join(dir, indexFile)); err != nil {
		t.Fatal(err)
	}
	find(s, "deleted while it is open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, indexFile, "this is no database, and long enough to be taken for one if nobody looks at it closely")
	find(openAt(t, dir), "damaged")
	other := t.TempDir()
	write(t, other, "a.md", "- the cat is called Miu\n")
	if err := os.Mkdir(filepath.Join(other, indexFile), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(other, indexFile), "x", "")
	find(openAt(t, other), "where none can be made")
	if _, err := s.Search(t.Context(), "cats", 0); err == nil {
		t.Error("a closed store answers")
	}
}
