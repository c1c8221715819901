package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// filled returns a Store of n facts and those of the labelled questions.
func filled(tb testing.TB, n int) *Store {
	tb.Helper()
	var text strings.Builder
	for i := range n - len(labelled()) {
		fmt.Fprintf(&text, "- 2026-01-02 note %d: topic%d was discussed with friend%d at place%d while planning the %s\n",
			i, i%500, i%300, i%70, []string{"party", "trips", "house", "garden"}[i%4])
	}
	for _, l := range labelled() {
		text.WriteString("- " + l.fact + "\n")
	}
	dir := tb.TempDir()
	path := filepath.Join(dir, "MEMORY.md")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		tb.Fatal(err)
	}
	s, err := New(Options{Path: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	if got, err := s.Count(tb.Context()); got != n || err != nil {
		tb.Fatalf("%d entries, %v", got, err)
	}
	return s
}

// BenchmarkSearch searches 10,000 entries: rare words, words that all of them
// have, and the labelled questions, of which it reports the hit rate at 5.
func BenchmarkSearch(b *testing.B) {
	s := filled(b, 10_000)
	for _, c := range []struct{ name, query string }{
		{"rare", "which friend33 was at place12"},
		{"common", "what was discussed while planning the trip with friends"},
		{"long", strings.Repeat("What did we plan and discuss, which notes were about the gardens, the houses and the party? ", 5)},
		{"none", "zebra"},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := cpuTime()
			for b.Loop() {
				if _, err := s.Search(b.Context(), c.query, 5); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
	b.Run("labelled", func(b *testing.B) {
		hits := 0
		for b.Loop() {
			hits = hitsAt5(b, s)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(labelled())), "ns/search")
		b.ReportMetric(100*float64(hits)/float64(len(labelled())), "%hit@5")
	})
}

// BenchmarkSave adds facts to a file of 10,000 and searches after each.
func BenchmarkSave(b *testing.B) {
	s := filled(b, 10_000)
	n := 0
	for b.Loop() {
		n++
		if _, err := s.Save(b.Context(), fmt.Sprintf("the %dth bench is green", n), "benchmark"); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Search(b.Context(), "bench", 5); err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is what the process has used.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
