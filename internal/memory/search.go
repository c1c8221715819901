package memory

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// index is what a search needs of the entries: which word is in which of them.
type index struct {
	entries []Entry
	words   map[string][]int32 // word → entries, ascending
	facts   map[string]bool    // see normal
}

func newIndex(files [][]Entry) *index {
	ix := &index{entries: slices.Concat(files...), words: make(map[string][]int32), facts: make(map[string]bool)}
	for n, e := range ix.entries {
		ix.facts[normal(e.Text)] = true
		for _, w := range words(e.Text, true) {
			if list := ix.words[w]; len(list) == 0 || list[len(list)-1] != int32(n) {
				ix.words[w] = append(list, int32(n))
			}
		}
	}
	return ix
}

// known says whether an entry says the same as text, case and the last
// punctuation aside.
func (ix *index) known(text string) bool { return ix.facts[normal(text)] }

func normal(text string) string {
	return strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(text), " ")), ".!; ")
}

// search ranks entries by the words they share with the query; a rare word
// counts for more than a common one, another form of it for less than itself.
// A query without a word to look for finds the newest.
func (ix *index) search(query string, limit int) []Entry {
	asked := words(query, false)
	scores := make([]float64, len(ix.entries))
	best := make([]float64, len(ix.entries)) // how well one word matches
	for _, w := range asked {
		clear(best)
		matches := 0
		for have, list := range ix.words {
			alike := likeness(w, have)
			if alike == 0 {
				continue
			}
			for _, n := range list {
				if best[n] == 0 {
					matches++
				}
				best[n] = max(best[n], alike)
			}
		}
		rare := math.Log(1 + float64(len(ix.entries))/float64(matches+1))
		for n, alike := range best {
			scores[n] += alike * rare
		}
	}
	var found []int
	for n, score := range scores {
		if score > 0 || len(asked) == 0 {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(scores[b], scores[a]),
			cmp.Compare(ix.entries[b].Date, ix.entries[a].Date),
			cmp.Compare(b, a), // a later line is newer
		)
	})
	out := make([]Entry, 0, min(limit, len(found)))
	for _, n := range found[:min(limit, len(found))] {
		out = append(out, ix.entries[n])
	}
	return out
}

// likeness says how much two words are the same: 1 for the same, less for what
// seems to be another form of it (an ending of up to three letters more, less
// or different), 0 for none.
func likeness(a, b string) float64 {
	if a == b {
		return 1
	}
	if a[0] != b[0] {
		return 0
	}
	common := 0
	for common < min(len(a), len(b)) && a[common] == b[common] {
		common++
	}
	if common < 3 || !hasForms(a) || !hasForms(b) {
		return 0
	}
	for common < len(a) && !utf8.RuneStart(a[common]) || common < len(b) && !utf8.RuneStart(b[common]) {
		common--
	}
	shared := utf8.RuneCountInString(a[:common])
	restA, restB := utf8.RuneCountInString(a[common:]), utf8.RuneCountInString(b[common:])
	switch {
	case shared >= 3 && (restA == 0 || restB == 0) && restA+restB <= 3,
		shared >= 4 && restA <= 3 && restB <= 3:
		return 0.6
	}
	return 0
}

// hasForms says whether w may have word forms; numbers, words with digits and
// CJK characters match only themselves.
func hasForms(w string) bool {
	return !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) || isCJK(r) })
}

// stopWords are too common to search for; sorted.
var stopWords = []string{
	"a", "about", "am", "an", "and", "are", "as", "at", "be", "by", "do", "does", "for", "from", "has", "have", "i", "in",
	"is", "it", "me", "my", "of", "on", "or", "that", "the", "this", "to", "was", "what", "when", "where", "which",
	"who", "with", "you", "your",
}

// words splits a text into lower-case words. A run of CJK characters, which has
// no spaces between words, becomes its pairs; in an entry also the single ones,
// so that a query of one character finds something. Stop words are left out.
func words(text string, entry bool) []string {
	var kept []string
	add := func(w string) {
		if _, stop := slices.BinarySearch(stopWords, w); w != "" && !stop {
			kept = append(kept, w)
		}
	}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		for w != "" {
			end := strings.IndexFunc(w, isCJK)
			if end < 0 {
				end = len(w)
			}
			add(w[:end])
			w = w[end:]
			if end = strings.IndexFunc(w, func(r rune) bool { return !isCJK(r) }); end < 0 {
				end = len(w)
			}
			for _, pair := range pairs([]rune(w[:end]), entry) {
				add(pair)
			}
			w = w[end:]
		}
	}
	return kept
}

func pairs(run []rune, singles bool) []string {
	var out []string
	for i := range run {
		if i+1 < len(run) {
			out = append(out, string(run[i:i+2]))
		}
		if singles || len(run) == 1 {
			out = append(out, string(run[i]))
		}
	}
	return out
}

func isCJK(r rune) bool {
	return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}
