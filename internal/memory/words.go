package memory

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// likeness says how much two words are the same: 1 for the same, less for
// another form of it in English (see stem), less again for what seems to be one
// in any language (an ending of up to three letters more, less or different), 0
// for none.
func likeness(a, b string) float64 {
	if a == b {
		return 1
	}
	if a[0] != b[0] || !hasForms(a) || !hasForms(b) {
		return 0
	}
	if stem(a) == stem(b) {
		return 0.8
	}
	common := 0
	for common < min(len(a), len(b)) && a[common] == b[common] {
		common++
	}
	if common < 3 {
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

// formsOf returns how every other form of a word begins; "" for one without
// forms.
func formsOf(w string) string {
	letters := []rune(w)
	if len(letters) < 3 || !hasForms(w) {
		return ""
	}
	n := max(3, len(letters)-3)
	if s := stem(w); s != w {
		n = max(3, min(n, len([]rune(s))-1)) // -1: the stem of berry is berri
	}
	return string(letters[:min(n, len(letters))])
}

// stem returns an English word without its inflection, as the first step of
// Porter's algorithm does: plans, planned and planning are plan.
func stem(w string) string {
	switch {
	case len(w) < 4:
		return endY(w)
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "ies"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss"):
		w = w[:len(w)-1]
	}
	for _, ending := range []string{"ing", "ed", "ly"} {
		rest, ok := strings.CutSuffix(w, ending)
		if !ok || !strings.ContainsAny(rest, "aeiouy") {
			continue
		}
		n := len(rest)
		switch {
		case n > 3 && rest[n-1] == rest[n-2] && !strings.ContainsRune("lsz", rune(rest[n-1])):
			return rest[:n-1] // planned, running
		case n > 2:
			return strings.TrimSuffix(rest, "e")
		}
	}
	return endY(strings.TrimSuffix(w, "e"))
}

// endY turns the y at the end of a word into what it is in berries.
func endY(w string) string {
	if rest, ok := strings.CutSuffix(w, "y"); ok && len(rest) > 1 && !strings.ContainsRune("aeiou", rune(rest[len(rest)-1])) {
		return rest + "i"
	}
	return w
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
	for _, w := range strings.FieldsFunc(plain(strings.ToLower(text)), func(r rune) bool {
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

// plain returns a lower-case text with the letters of Europe as they are without
// accents, which people leave out when they type in a hurry.
func plain(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= 0xdf }) < 0 {
		return text
	}
	letters := unaccented()
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0xdf:
			return r
		case r >= 0x300 && r < 0x370: // an accent of its own
			return -1
		}
		if base, ok := letters[r]; ok {
			return base
		}
		return r
	}, text)
}

// unaccented are letters without their accents.
var unaccented = sync.OnceValue(func() map[rune]rune {
	letters := map[rune]rune{}
	for base, accented := range map[rune]string{
		'a': "àáâãäåāăą", 'c': "çćĉċč", 'd': "ďđ", 'e': "èéêëēĕėęě", 'g': "ĝğġģ", 'h': "ĥħ", 'i': "ìíîïĩīĭįı", 'j': "ĵ",
		'k': "ķ", 'l': "ĺļľŀł", 'n': "ñńņň", 'o': "òóôõöøōŏő", 'r': "ŕŗř", 's': "śŝşšș", 't': "ţťŧț", 'u': "ùúûüũūŭůűų",
		'w': "ŵ", 'y': "ýÿŷ", 'z': "źżž", 'е': "ё",
	} {
		for _, r := range accented {
			letters[r] = base
		}
	}
	return letters
})
