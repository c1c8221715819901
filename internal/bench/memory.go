package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go/internal/memory"
)

// labelledFile has facts, and questions that ask for them in other words.
const labelledFile = "internal/memory/testdata/labelled.txt"

// remembers searches a memory of 10,000 entries: with rare words, with words
// that all entries have, and with questions of which the answer is known.
func remembers(ctx context.Context, _, dir string) (rows []row, err error) {
	facts, questions, err := readLabelled()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "memory")
	if err := writeMemory(dir, facts); err != nil {
		return nil, err
	}
	store, err := memory.New(memory.Options{Path: dir})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	begin := time.Now()
	if _, err := store.Search(ctx, "", 1); err != nil {
		return nil, err
	}
	indexed := time.Since(begin)
	search := func(query string) (took []time.Duration, cpu time.Duration, err error) {
		before := ownCPU()
		for range 100 {
			begin := time.Now()
			if _, err := store.Search(ctx, query, 5); err != nil {
				return nil, 0, err
			}
			took = append(took, time.Since(begin))
		}
		return took, (ownCPU() - before) / 100, nil
	}
	rare, rareCPU, err := search("which friend33 was at place12")
	if err != nil {
		return nil, err
	}
	common, commonCPU, err := search("what was discussed while planning the trip with friends")
	if err != nil {
		return nil, err
	}
	hits, err := hitsAt5(ctx, store, facts, questions)
	if err != nil {
		return nil, err
	}
	return []row{
		{"memory search among 10,000 entries, p50", ms(median(rare)), fmt.Sprintf("p99 %s, CPU %s; making the index %s", ms(quantile(rare, 0.99)), ms(rareCPU), ms(indexed))},
		{"… for words that every entry has, p50", ms(median(common)), fmt.Sprintf("p99 %s, CPU %s", ms(quantile(common, 0.99)), ms(commonCPU))},
		{"… the fact among the first five", fmt.Sprintf("%d of %d", hits, len(facts)), "questions in other words, without embeddings"},
	}, nil
}

func readLabelled() (facts, questions []string, err error) {
	data, err := os.ReadFile(labelledFile)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(data)) {
		if fact, question, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			facts, questions = append(facts, fact), append(questions, question)
		}
	}
	return facts, questions, nil
}

// writeMemory writes the facts among others, 10,000 in all, as if an hour ago.
func writeMemory(dir string, facts []string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var text strings.Builder
	for n := range 10_000 - len(facts) {
		fmt.Fprintf(&text, "- 2026-01-02 note %d: topic%d was discussed with friend%d at place%d while planning the trip\n", n, n%500, n%300, n%70)
	}
	for _, fact := range facts {
		text.WriteString("- " + fact + "\n")
	}
	path := filepath.Join(dir, "MEMORY.md")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return err
	}
	old := time.Now().Add(-time.Hour)
	return os.Chtimes(path, old, old)
}

func hitsAt5(ctx context.Context, store *memory.Store, facts, questions []string) (hits int, err error) {
	for i, question := range questions {
		found, err := store.Search(ctx, question, 5)
		if err != nil {
			return 0, err
		}
		for _, e := range found {
			if e.Text == facts[i] {
				hits++
			}
		}
	}
	return hits, nil
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
