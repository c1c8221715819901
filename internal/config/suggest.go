package config

import "strings"

// nearest returns the candidate that somebody who wrote text most likely
// meant, or "" where none is near. Case and the difference between -, _ and
// nothing do not count.
func nearest(text string, candidates []string) string {
	const maxLength = 64 // longer texts are no misspelt key
	want := plainForm(text)
	if want == "" || len(want) > maxLength {
		return ""
	}
	best, bestDistance := "", 1+min(3, (len(want)+1)/3)
	for _, c := range candidates {
		if d := distance(want, plainForm(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

func plainForm(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that make b out of a. From limit on it may return limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
