package memory

import "slices"

// aboutWords are those with which facts are written about their owner; sorted.
var aboutWords = []string{"also", "called", "has", "his", "her", "likes", "name", "named", "owner", "prefers", "their", "user", "wants"}

// Supported says which part of the words of a fact a text has, in any form, from
// 0 to 1. The words that every fact may have do not count.
func Supported(fact, text string) float64 {
	has := words(text, true)
	all, found := 0, 0
	for _, w := range words(fact, false) {
		if _, about := slices.BinarySearch(aboutWords, w); about || len(w) == 1 {
			continue
		}
		all++
		if slices.ContainsFunc(has, func(h string) bool { return likeness(w, h) > 0 }) {
			found++
		}
	}
	if all == 0 {
		return 0
	}
	return float64(found) / float64(all)
}

// Secret says whether a text seems to hold a password, a key or the like.
func Secret(text string) bool { return secret(text) != "" }
