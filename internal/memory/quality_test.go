package memory

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// labelled are facts, and questions that ask for one of them in other words.
var labelled = sync.OnceValue(func() (list []struct{ fact, question string }) {
	data, err := os.ReadFile("testdata/labelled.txt")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		if fact, question, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			list = append(list, struct{ fact, question string }{fact, question})
		}
	}
	return list
})

// hitsAt5 counts the questions whose fact is among the first five found.
func hitsAt5(t testing.TB, s *Store) (hits int) {
	for _, l := range labelled() {
		found, err := s.Search(t.Context(), l.question, 5)
		if err != nil {
			t.Fatal(err)
		}
		hit := false
		for _, e := range found {
			hit = hit || e.Text == l.fact
		}
		if hit {
			hits++
		} else {
			t.Logf("%q does not find %q", l.question, l.fact)
		}
	}
	return hits
}

// TestRecallQuality asks among a thousand other facts.
func TestRecallQuality(t *testing.T) {
	s, dir := open(t)
	var text strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&text, "- note %d: topic %d was discussed with friend %d at place %d\n", n, n%50, n%70, n%30)
	}
	for _, l := range labelled() {
		text.WriteString("- " + l.fact + "\n")
	}
	write(t, dir, "MEMORY.md", text.String())
	if hits := hitsAt5(t, s); hits < 30 {
		t.Errorf("%d of %d questions find their fact among the first five", hits, len(labelled()))
	}
}
