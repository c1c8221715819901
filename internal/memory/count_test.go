package memory

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCountRechecks lets Count answer from what it saw: an edit by hand is
// seen after Recheck, and what the Store itself saves at once.
func TestCountRechecks(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Path: dir, Recheck: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		check := func(when string, want int) {
			t.Helper()
			if n, err := s.Count(t.Context()); n != want || err != nil {
				t.Errorf("%s: Count = %d, %v; want %d", when, n, err, want)
			}
		}
		check("at first", 0)
		write(t, dir, "a.md", "- one\n")
		check("at once", 0)
		time.Sleep(time.Second)
		check("a second later", 1)
		if _, err := s.Save(t.Context(), "two", ""); err != nil {
			t.Fatal(err)
		}
		check("after a save", 2)
		write(t, dir, "b.md", "- three\n")
		check("after an edit", 2)
		if found, err := s.Search(t.Context(), "three", 1); len(found) != 1 || err != nil {
			t.Errorf("Search = %v, %v", found, err)
		}
		check("after a search has seen it", 3)
	})
}
