package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// meanings is an Embedder that knows what a few words mean: each has an axis,
// and every text a little of its own.
type meanings struct {
	name string
	mu   sync.Mutex
	n    int // texts embedded
	err  error
}

var axes = [][]string{{"cat", "kitty", "gatito", "feline"}, {"car", "automobile", "vehicle"}, {"house", "home", "flat"}}

func (m *meanings) Name() string { return m.name }

func (m *meanings) Embed(_ context.Context, texts []string) ([][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		m.n++
		out[i] = make([]float32, 40)
		r := rand.New(rand.NewPCG(uint64(len(text)), uint64(text[0])))
		for j := range 40 {
			out[i][j] = r.Float32() * 0.2
		}
		for axis, names := range axes {
			for _, name := range names {
				if strings.Contains(strings.ToLower(text), name) {
					out[i][axis] += 3
				}
			}
		}
	}
	return out, nil
}

func (m *meanings) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}

// first returns the text that a search finds first.
func first(t *testing.T, s *Store, query string) string {
	t.Helper()
	found, err := s.Search(t.Context(), query, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return ""
	}
	return found[0].Text
}

func TestMeaning(t *testing.T) {
	s, dir := open(t)
	m := &meanings{name: "p/m"}
	s.SetEmbedder(m)
	if err := s.Fill(t.Context()); err != nil || m.count() != 0 {
		t.Errorf("Fill without a directory: %v, %d texts", err, m.count())
	}
	var text strings.Builder
	for n := range 100 {
		fmt.Fprintf(&text, "- note number %d says nothing much\n", n)
	}
	write(t, dir, "MEMORY.md", text.String()+"- Miu is a feline\n- Parks the automobile outside\n")
	if got := first(t, s, "kitty"); got != "" {
		t.Errorf("without vectors: %q", got)
	}
	fill := func(want int) {
		t.Helper()
		before := m.count()
		if err := s.Fill(t.Context()); err != nil || m.count()-before != want {
			t.Errorf("Fill: %v, %d texts, want %d", err, m.count()-before, want)
		}
	}
	fill(102)
	fill(0)
	for query, want := range map[string]string{
		"kitty": "Miu is a feline", "which vehicle do I have": "Parks the automobile outside", "zebra": "", "number 77": "note number 77 says nothing much",
	} {
		if got := first(t, s, query); got != want {
			t.Errorf("Search(%q) = %q, want %q", query, got, want)
		}
	}
	if got, err := s.Recall(t.Context(), "tell me of my gatito", 2000); got != "- Miu is a feline" || err != nil {
		t.Errorf("Recall = %q, %v", got, err)
	}
	before := m.count()
	if got, err := s.Recall(t.Context(), "hello", 2000); got != "" || err != nil || m.count() != before {
		t.Errorf("hello recalls %q, %v, and embeds %d texts", got, err, m.count()-before)
	}
	// An edit costs what is new; what is the same in another place costs nothing.
	write(t, dir, "other.md", text.String()+"- My home is a flat\n- Miu is a feline.\n")
	if err := os.Remove(filepath.Join(dir, "MEMORY.md")); err != nil {
		t.Fatal(err)
	}
	fill(1)
	if got := first(t, s, "house"); got != "My home is a flat" {
		t.Errorf("after an edit: %q", got)
	}
	if got := first(t, s, "vehicle"); got != "" {
		t.Errorf("what is gone is found: %q", got)
	}
	// Another process makes no vectors twice, another model all.
	other := openAt(t, dir)
	other.SetEmbedder(m)
	before = m.count()
	if err := other.Fill(t.Context()); err != nil || m.count() != before {
		t.Errorf("another process embeds %d texts, %v", m.count()-before, err)
	}
	if got := first(t, other, "house"); got != "My home is a flat" {
		t.Errorf("another process finds %q", got)
	}
	s.SetEmbedder(&meanings{name: "p/other"})
	m = s.vectors.embedder.(*meanings)
	fill(102)
	s.SetEmbedder(nil)
	if got := first(t, s, "house"); got != "" {
		t.Errorf("without an embedder: %q", got)
	}
}

// A provider that fails costs one line of the log, and words are searched.
func TestMeaningFails(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	write(t, dir, "a.md", "- The cat is called Miu\n")
	s, err := New(Options{Path: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := &meanings{name: "p/m", err: errors.New("no server")}
	s.SetEmbedder(m)
	for range 3 {
		if err := s.Fill(t.Context()); err != nil {
			t.Error(err)
		}
		if got := first(t, s, "cats"); got != "The cat is called Miu" {
			t.Errorf("found %q", got)
		}
	}
	if n := strings.Count(log.String(), "searched by words"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	s.vectors.paused = time.Time{}
	m.err = nil
	if err := s.Fill(t.Context()); err != nil || first(t, s, "kitty") != "The cat is called Miu" {
		t.Errorf("when it works again: %v", err)
	}
}

// BenchmarkMeaning searches 10,000 entries by words and by vectors of 768
// numbers.
func BenchmarkMeaning(b *testing.B) {
	s := filled(b, 10_000)
	s.SetEmbedder(noise{})
	if err := s.Fill(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Search(b.Context(), "once", 5); err != nil { // it reads the vectors
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Search(b.Context(), "which friend33 was at place12", 5); err != nil {
			b.Fatal(err)
		}
	}
}

type noise struct{}

func (noise) Name() string { return "noise" }

func (noise) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i := range texts {
		out[i] = make([]float32, 768)
		for j := range out[i] {
			out[i][j] = rand.Float32() - 0.5
		}
	}
	return out, nil
}
