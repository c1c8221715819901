package memory

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of what is recalled for a message.
const (
	maxRecalled = 12
	// leastShare is how much of the best score a fact must have: what shares
	// but a common word with the message is left out.
	leastShare = 0.5
	// fenceTokens are for what stands around the facts in a prompt.
	fenceTokens = 40
)

// Recall returns the facts that bear upon a message, one a line, the best
// first, in about so many tokens at the most; "" where none do. Words that any
// message may have, such as greetings, recall nothing.
func (s *Store) Recall(ctx context.Context, message string, limit int) (string, error) {
	asked := slices.DeleteFunc(words(cutTo(message, maxEntry), false), weak)
	limit -= fenceTokens
	if len(asked) == 0 || limit <= 0 {
		return "", nil
	}
	hits, err := s.hits(ctx, strings.Join(asked, " "), message, maxRecalled)
	best := 0.0
	for _, h := range hits {
		best = max(best, h.score)
	}
	var out strings.Builder
	for _, h := range hits {
		line := "- " + h.String() + "\n"
		if !h.meant && h.score < leastShare*best {
			continue
		}
		if limit -= tokens(line); limit < 0 {
			break
		}
		out.WriteString(line)
	}
	return strings.TrimSuffix(out.String(), "\n"), err
}

// tokens estimates how many tokens a text has: one for four ASCII characters,
// one for each other character.
func tokens(text string) int {
	runes := utf8.RuneCountInString(text)
	wide := (len(text) - runes + 1) / 2 // at least half of the others
	return (runes-wide+3)/4 + wide
}

// weak says whether a word is too common, in messages to an agent, to recall
// anything by itself.
func weak(w string) bool {
	if _, found := slices.BinarySearch(weakWords, w); found {
		return true
	}
	r, size := utf8.DecodeRuneInString(w)
	short := size == len(w) || utf8.RuneCountInString(w) == 2
	return short && hasForms(w) && !isCJK(r)
}

// weakWords are words of requests, and the most common ones of a few
// languages; sorted.
var weakWords = []string{
	"afternoon", "again", "all", "already", "also", "any", "are", "auf", "avec", "been", "before", "but", "bye", "can", "como", "con",
	"could", "dans", "das", "dem", "den", "der", "des", "did", "die", "ein", "eine", "est", "evening", "every", "everything", "file", "files",
	"find", "fine", "for", "für", "get", "give", "good", "had", "hallo", "hello", "help", "hey", "hier", "hola", "how", "ich", "into",
	"ist", "its", "just", "know", "las", "les", "let", "like", "list", "look", "los", "make", "may", "mit", "more", "morning", "much", "need",
	"nein", "nicht", "not", "now", "okay", "only", "our", "para", "pas", "please", "por", "pour", "que", "read", "remember", "run",
	"said", "say", "see", "show", "some", "something", "sur", "sure", "tell", "than", "thank", "thanks", "the", "their", "them", "then",
	"there", "they", "thing", "things", "time", "today", "una", "und", "une", "use", "very", "von", "want", "was", "were", "why", "will",
	"wird", "would", "write", "yes", "you", "как", "меня", "мне", "что", "это",
}
