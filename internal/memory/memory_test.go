package memory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// open returns a Store on a new directory, at noon of 2 January 2026.
func open(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "memory")
	return openAt(t, path), path
}

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := New(Options{Path: path, Now: func() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSave(t *testing.T) {
	s, dir := open(t)
	for _, c := range []struct {
		text  string
		saved bool
	}{
		{"The cat is called Miu.", true},
		{"the cat  is called MIU", false},
		{"- Two\n\nlines\x00 \u0085here", true},
		{"Two lines here.", false},
	} {
		saved, err := s.Save(t.Context(), c.text, "")
		if err != nil || saved != c.saved {
			t.Errorf("Save(%q) = %v, %v; want %v", c.text, saved, err, c.saved)
		}
	}
	file := filepath.Join(dir, "MEMORY.md")
	want := "# Memory\n\n- 2026-01-02 The cat is called Miu.\n- 2026-01-02 Two lines here\n"
	if diff := cmp.Diff(want, readFile(t, file)); diff != "" {
		t.Errorf("MEMORY.md (-want +got):\n%s", diff)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, file: 0o600, filepath.Join(dir, ".lock"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want mode %o", path, info.Mode(), err, mode)
		}
	}
	if n, err := s.Count(t.Context()); n != 2 || err != nil {
		t.Errorf("Count = %d, %v; want 2", n, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".memory-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSaveKeepsWhatPeopleWrote(t *testing.T) {
	for _, c := range []struct{ old, want string }{
		{"# Mine\r\n\r\n* old\r\n", "# Mine\r\n\r\n* old\r\n- 2026-01-02 new\r\n"},
		{"no line end", "no line end\n- 2026-01-02 new\n"},
		{"", "- 2026-01-02 new\n"},
	} {
		s, dir := open(t)
		write(t, dir, "MEMORY.md", c.old)
		if _, err := s.Save(t.Context(), "new", ""); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, filepath.Join(dir, "MEMORY.md")); got != c.want {
			t.Errorf("after %q: %q, want %q", c.old, got, c.want)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	s, dir := open(t)
	for _, text := range []string{
		"", " \n\t", "---", strings.Repeat("x", MaxFact+1),
		"my key is sk-ant-api03-abcdefghijklmnop", "-----BEGIN OPENSSH PRIVATE KEY-----", "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
		"The wifi password is hunter2", "password: x", "PASSWORD=abc", "the password for the router in the hall is swordfish",
		"aws AKIAIOSFODNN7EXAMPLE", "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "use Bearer abcdef0123456789",
		"postgres://me:secret@db/x", "card 4111 1111 1111 1111", "pin is 1234", "token: abc",
		"the api token for x is 9f8a7c6d5e4b3a2f1e0d9c8b7a6f5e4d", "the access token for gitlab is Xy7dK2mQp9wLr4tZ", "my secret for stripe is Xy7dK2mQp9wLr4tZ",
		"the pin for the alarm is 8642", "my wifi key is correcthorse99", "the door code is 4711", "the alarm code of the house is 99812",
		"mein Passwort lautet geheim123", "das Passwort für den Router ist geheim", "la contraseña es secreto77", "le mot de passe est azerty", "my api key: abc",
		"qW3eR5tY7uI9oP1aS2dF4gH6jK8l is for the door",
	} {
		saved, err := s.Save(t.Context(), text, "")
		if saved || openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
			t.Errorf("Save(%.40q) = %v, %v; want %s", text, saved, err, openclaw.CodeInvalidMessage)
		}
		if e := openclaw.AsError(err); e != nil && len(text) > 20 && strings.Contains(e.Message, text) {
			t.Errorf("the message repeats the text: %s", e.Message)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused fact made the directory: %v", err)
	}
	for _, text := range []string{
		"My password manager is Bitwarden", "The passwords are kept in Bitwarden", "The secret of good bread is time",
		"The pin is on the map", "The token for the wash is 2 euros", "The secret of the cake is cinnamon", "The pins on the map are blue", "The door code is with the neighbour",
		"Das Passwort ist im Tresor", "The gate code changed in 2024", "My bus pass is in the drawer", "Commit 3f786850e387550fdab836ed7e6dc881de23001b broke it",
		"The report is at https://example.com/A1b2C3d4E5f6G7h8I9j0K1l2", "Call +49 30 1234567", "Order 4111111111111112",
	} {
		if _, err := s.Save(t.Context(), text, ""); err != nil {
			t.Errorf("Save(%q): %v", text, err)
		}
	}
}

func TestSaveRefusesALink(t *testing.T) {
	s, dir := open(t)
	target := filepath.Join(t.TempDir(), "target")
	if err := os.WriteFile(target, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "other.md", "x")
	if err := os.Symlink(target, filepath.Join(dir, "MEMORY.md")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), "fact", ""); err == nil {
		t.Error("a link was accepted as MEMORY.md")
	}
	if got := readFile(t, target); got != "mine\n" {
		t.Errorf("the link's target is now %q", got)
	}
	if found, err := s.Search(t.Context(), "mine", 0); err != nil || len(found) != 0 {
		t.Errorf("read through the link: %v, %v", found, err)
	}
}

func TestSaveConcurrently(t *testing.T) {
	_, dir := open(t)
	var wg sync.WaitGroup
	for n := range 4 { // four stores stand for four processes
		s := openAt(t, dir)
		wg.Go(func() {
			for i := range 5 {
				if saved, err := s.Save(t.Context(), fmt.Sprintf("fact %d of %d", i, n), ""); !saved || err != nil {
					t.Errorf("Save = %v, %v", saved, err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := openAt(t, dir).Count(t.Context()); n != 20 || err != nil {
		t.Errorf("Count = %d, %v; want 20", n, err)
	}
}

func TestSaveEndsWithItsContext(t *testing.T) {
	s, _ := open(t)
	if _, err := s.Save(t.Context(), "one", ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Save(ctx, "two", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Save = %v, want context.Canceled", err)
	}
}

// A turn does not wait for ever for the index of many files.
func TestSearchEndsWithItsContext(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "a.md", "- one\n")
	if err := s.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.unlock()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Search(ctx, "one", 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Search = %v", err)
	}
	if _, err := s.Recall(ctx, "number one", 2000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Recall = %v", err)
	}
}

func TestParse(t *testing.T) {
	text := "---\ntitle: x\n---\n# Heading\n\nA paragraph\non two lines.\n\n- 2026-03-04 dated\n* plain\n  goes on\n  - nested <!-- from ann, main -->\n\n---\n" +
		"<!-- not\nthis -->\n| a | b |\n|---|---|\n- \n- 2026-03-05\nlast"
	want := []Entry{
		{"A paragraph on two lines.", "2025-12-24", "", "2025-12-24.md", 6, 7},
		{"dated", "2026-03-04", "", "2025-12-24.md", 9, 9},
		{"plain goes on", "2025-12-24", "", "2025-12-24.md", 10, 11},
		{"nested", "2025-12-24", "ann, main", "2025-12-24.md", 12, 12},
		{"| a | b |", "2025-12-24", "", "2025-12-24.md", 17, 17},
		{"last", "2026-03-05", "", "2025-12-24.md", 20, 21},
	}
	if diff := cmp.Diff(want, parse("2025-12-24.md", []byte(strings.ReplaceAll(text, "\n", "\r\n"))), cmp.AllowUnexported(Entry{})); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestSearch(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "MEMORY.md", "- 2026-01-01 The cat is called Miu\n- 2026-01-03 Planned trip: Lisbon in May\n- 2026-01-02 Category theory course on Mondays\n"+
		"- 2026-01-04 Мама живёт в Москве\n- 2026-01-05 猫の名前はミウです\n- 2026-01-06 The car is red\n- 2026-01-06 The car is on level 12\n")
	write(t, dir, "people.md", "# People\n\nAda lives in Lisbon\nand likes tea.\n")
	write(t, dir, "ignored.txt", "cat cat cat")
	for _, c := range []struct {
		query string
		limit int
		want  []string // the beginning of each text
	}{
		{"cat", 0, []string{"The cat"}},
		{"CATS", 0, []string{"The cat"}},
		{"What is my cat called?", 0, []string{"The cat"}},
		{"plans", 0, []string{"Planned"}},
		{"lisbon trip", 0, []string{"Planned", "Ada"}},
		{"Lisbon", 1, []string{"Planned"}}, // dated before undated
		{"tea likes", 0, []string{"Ada"}},
		{"москва", 0, []string{"Мама"}},
		{"名前", 0, []string{"猫の"}},
		{"猫", 0, []string{"猫の"}},
		{"犬", 0, nil},
		{"the", 1, []string{"The car"}}, // no word to look for: the newest
		{"zebra", 0, nil},
		{"category", 0, []string{"Category"}},
		{"level 12", 0, []string{"The car is on"}},
		{"", 3, []string{"The car is on", "The car is red", "猫の"}},
		{"level12", 0, nil},
	} {
		found, err := s.Search(t.Context(), c.query, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		ok := slices.EqualFunc(found, c.want, func(e Entry, begin string) bool { return strings.HasPrefix(e.Text, begin) })
		if !ok {
			t.Errorf("Search(%q) = %v, want %q", c.query, found, c.want)
		}
	}
}

func TestSearchFollowsEdits(t *testing.T) {
	s, dir := open(t)
	count := func() int {
		n, err := s.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count() != 0 {
		t.Error("entries without a directory")
	}
	write(t, dir, "a.md", "- one\n")
	if count() != 1 {
		t.Error("a new file is not seen")
	}
	write(t, dir, "a.md", "- one\n- two\n")
	if count() != 2 {
		t.Error("an edit is not seen")
	}
	if err := os.Rename(filepath.Join(dir, "a.md"), filepath.Join(dir, "b.md")); err != nil {
		t.Fatal(err)
	}
	if found, _ := s.Search(t.Context(), "two", 0); len(found) != 1 || found[0].File != "b.md" {
		t.Errorf("after a rename: %+v", found)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if count() != 0 {
		t.Error("a deleted directory is not seen")
	}
}

func FuzzParseAndSearch(f *testing.F) {
	f.Add("- 2026-01-02 a fact\n\nparagraph", "fact")
	f.Add("---\nx\n<!--", "猫")
	f.Add("- - -\n* \n|a|\n#\n\xff", "")
	f.Fuzz(func(t *testing.T, text, query string) {
		lines := strings.Count(text, "\n") + 1
		entries := parse("x.md", []byte(text))
		for _, e := range entries {
			if e.Text == "" || strings.ContainsAny(e.Text, "\n\r") || e.Line < 1 || e.Line > lines {
				t.Errorf("entry %+v of %q", e, text)
			}
		}
		ix, err := openIndexFile(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer ix.close()
		if err := ix.update(t.Context(), func(u *update) error { return u.put(t.Context(), "x.md", stamp{}, entries) }); err != nil {
			t.Fatal(err)
		}
		if got, err := ix.search(t.Context(), strings.ToValidUTF8(query, "�"), 3, len(entries)); len(got) > 3 || err != nil {
			t.Errorf("%d results, %v", len(got), err)
		}
	})
}
