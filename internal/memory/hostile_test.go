package memory

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// find searches and wants n entries.
func find(t *testing.T, s *Store, query string, n int) {
	t.Helper()
	if found, err := s.Search(t.Context(), query, 0); err != nil || len(found) != n {
		t.Errorf("Search(%q) = %v, %v; want %d", query, found, err, n)
	}
}

// TestDamage writes over each page of the index in turn, while it is open and
// while it is not: what the files say is found all the same, and the log hears
// of it.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for n := range 200 {
		fmt.Fprintf(&text, "- fact %d about the colour of house%d\n", n, n)
	}
	write(t, dir, "a.md", text.String())
	var log bytes.Buffer
	for page := range 12 {
		s, err := New(Options{Path: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		find(t, s, "house77", 1)
		if err := s.Close(); err != nil { // the log of the database is in the file now
			t.Fatal(err)
		}
		s = openAt(t, dir)
		if page%2 == 0 {
			find(t, s, "house78", 1)
		}
		f, err := os.OpenFile(filepath.Join(dir, indexFile), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt(bytes.Repeat([]byte("damage! "), 512), int64(page)*4096)
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		// One that is open may not see it, but never fails.
		find(t, s, "house79", 1)
		if _, err := s.Save(t.Context(), fmt.Sprint("fact of page ", page), ""); err != nil {
			t.Errorf("page %d: %v", page, err)
		}
		_ = s.Close()
		removeIndex(dir)
	}
}

// TestTruncated cuts the index off while it is open.
func TestTruncated(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	write(t, dir, "a.md", "- the cat is called Miu\n")
	s, err := New(Options{Path: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	find(t, s, "cat", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = New(Options{Path: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	defer s.Close()
	if err := os.Truncate(filepath.Join(dir, indexFile), 100); err != nil {
		t.Fatal(err)
	}
	find(t, s, "cat", 1)
	if !strings.Contains(log.String(), "it is made anew") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestReadOnlyDirectory has its index in memory, and makes it once.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	write(t, dir, "a.md", "- the cat is called Miu\n")
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) // or it could not be removed
	s := openAt(t, dir)
	find(t, s, "cat", 1)
	first := s.index
	find(t, s, "cats", 1)
	if s.index != first {
		t.Error("the index was made again")
	}
}

// TestHostileFiles puts things into the directory that are no memories.
func TestHostileFiles(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "good.md", "- the cat\x07 is \x1b[31mcalled\u0085 Miu\n- \x00\n")
	write(t, dir, "fine.md", "- the \x1b cat is\xff called\u0007 Miu\n")
	write(t, dir, "huge.md", strings.Repeat("x", maxFile)+"\n- the cat is called Leo\n")
	write(t, dir, "long.md", "cat "+strings.Repeat("y", 3*maxEntry))
	write(t, dir, ".hidden.md", "- the cat is called Tom\n")
	outside := filepath.Join(t.TempDir(), "secret.md")
	if err := os.WriteFile(outside, []byte("- the cat's secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"out.md": outside, "loop.md": "loop.md", "dir.md": dir} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.md"), 0o700); err != nil {
		t.Fatal(err)
	}
	found, err := s.Search(t.Context(), "cat", 0)
	if err != nil || len(found) != 2 {
		t.Fatalf("found %d entries, %v", len(found), err)
	}
	for _, e := range found {
		if strings.ContainsAny(e.Text, "\x1b\x00\x07") || len(e.Text) > maxEntry+len("…") {
			t.Errorf("entry %q", e.Text)
		}
	}
	// What stands in a file that is not read to its end is not removed by a
	// guess.
	if gone, err := s.Forget(t.Context(), "the cat is called Leo"); len(gone) != 0 || err != nil {
		t.Errorf("Forget = %v, %v", gone, err)
	}
}

// TestSameSizeSameTime changes a file so that only its bytes tell.
func TestSameSizeSameTime(t *testing.T) {
	s, dir := open(t)
	path := filepath.Join(dir, "a.md")
	write(t, dir, "a.md", "- the cat\n")
	find(t, s, "cat", 1)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.md", "- the dog\n")
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	find(t, s, "cat", 0)
	find(t, s, "dog", 1)
	// An older file in its place.
	old := time.Now().Add(-time.Hour)
	write(t, dir, "b", "- the cow\n")
	for _, name := range []string{"a.md", "b"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
		find(t, s, "dog", 1)
	}
	if err := os.Rename(filepath.Join(dir, "b"), path); err != nil {
		t.Fatal(err)
	}
	find(t, s, "cow", 1)
}

// TestEditsByParts changes a long file in all places; the index says what a new
// one would.
func TestEditsByParts(t *testing.T) {
	s, dir := open(t)
	lines := []string{"# Title", ""}
	for n := range 40 {
		lines = append(lines, fmt.Sprintf("- thing number%d", n))
	}
	edits := []func(){
		func() {},
		func() { lines = append(lines, "- at the end") },
		func() { lines = append([]string{"- at the beginning", ""}, lines...) },
		func() { lines = append(lines[:20], lines[23:]...) },
		func() { lines[10] = "- thing changed" },
		func() { lines[11], lines[30] = lines[30], lines[11] },
		func() {
			lines = append(lines[:12], append([]string{"", "a paragraph", "of two lines", ""}, lines[12:]...)...)
		},
		func() { lines = lines[:5] },
		func() { lines = nil },
		func() { lines = []string{"- thing number0", "- thing number0"} },
	}
	for n, edit := range edits {
		edit()
		write(t, dir, "a.md", strings.Join(lines, "\n"))
		fresh := openAt(t, t.TempDir())
		write(t, fresh.path, "a.md", strings.Join(lines, "\n"))
		for _, query := range []string{"", "thing", "number13", "paragraph", "end beginning changed"} {
			got, err := s.Search(t.Context(), query, 100)
			if err != nil {
				t.Fatal(err)
			}
			want, err := fresh.Search(t.Context(), query, 100)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("edit %d, %q: %v, want %v, %v", n, query, got, want, err)
			}
		}
	}
}

// TestTogether saves, forgets, searches and edits in several stores at once, as
// several processes do.
func TestTogether(t *testing.T) {
	_, dir := open(t)
	write(t, dir, "people.md", "- Ada likes tea\n")
	var wg sync.WaitGroup
	for n := range 3 {
		s := openAt(t, dir)
		wg.Go(func() {
			for i := range 6 {
				text := fmt.Sprintf("fact %d of writer%d", i, n)
				if saved, err := s.Save(t.Context(), text, ""); !saved || err != nil {
					t.Errorf("Save(%s) = %v, %v", text, saved, err)
				}
				find(t, s, "tea", 1)
				if i%2 == 1 {
					if gone, err := s.Forget(t.Context(), text); len(gone) != 1 || err != nil {
						t.Errorf("Forget(%s) = %v, %v", text, gone, err)
					}
				}
			}
		})
	}
	s := openAt(t, dir)
	for range 10 {
		removeIndex(dir)
		find(t, s, "tea", 1)
	}
	wg.Wait()
	for n := range 3 {
		find(t, s, fmt.Sprint("writer", n), 3)
	}
}

// TestMany searches thousands of entries in many files.
func TestMany(t *testing.T) {
	s, dir := open(t)
	for f := range 3 {
		var text strings.Builder
		for n := range 1000 {
			fmt.Fprintf(&text, "- the %d. box of shelf%d holds number%d\n", n, f, f*1000+n)
		}
		write(t, dir, fmt.Sprintf("%03d.md", f), text.String())
	}
	find(t, s, "number2777", 1)
	if n, err := s.Count(t.Context()); n != 3000 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	find(t, s, "box shelf shelf2", 10)
}

func TestWordForms(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "a.md", "- Runs every morning\n- Two berries a day\n- Studied in Málaga\n- The meeting was cancelled\n- Lives happily\n- Café München\n- Category\n")
	for query, want := range map[string]string{
		"running": "Runs", "berry": "Two", "studies": "Studied", "malaga": "Studied", "cancel": "The meeting", "living": "Lives",
		"happy": "Lives", "cafe": "Café", "MUNCHEN": "Café", "Mu\u0308nchen": "Café", "categories": "Category",
	} {
		found, err := s.Search(t.Context(), query, 1)
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].Text, want) {
			t.Errorf("Search(%q) = %v, %v; want %s", query, found, err, want)
		}
	}
	find(t, s, "cat", 0)
}
