package skill

import (
	"slices"
	"strings"
	"unicode"
)

// maxName is the most code points a name has.
const maxName = 64

// Slug returns the form of a name that skills are known by: lower-case
// letters and digits of any script, every run of other characters one hyphen,
// none at the ends, at most 64 code points. It is "" when nothing is left.
//
// The name in a file is taken in this form, and so is a name that somebody
// asks for: "My Skill", "my_skill" and "my-skill" are one skill. A name is
// never part of a path.
func Slug(name string) string {
	var b strings.Builder
	runes, hyphen := 0, false
	for _, r := range strings.ToLower(name) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			hyphen = runes > 0
			continue
		}
		if hyphen {
			if runes+2 > maxName {
				break
			}
			b.WriteByte('-')
			runes, hyphen = runes+1, false
		}
		if runes == maxName {
			break
		}
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// strictName says whether name is one by the AgentSkills standard: ASCII
// lower-case letters, digits and single hyphens inside.
func strictName(name string) bool {
	if name == "" || len(name) > maxName || Slug(name) != name {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// nearest returns up to three of the names that name may have been meant to
// be, the likeliest first.
func nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	want := []rune(Slug(name))
	var found []candidate
	for _, n := range names {
		have := []rune(n)
		d := distance(want, have)
		within := len(want) >= 3 && (strings.Contains(n, string(want)) || strings.Contains(string(want), n))
		if d <= max(len(want), len(have))/3+1 || within {
			found = append(found, candidate{n, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	out := []string{}
	for _, c := range found[:min(3, len(found))] {
		out = append(out, c.name)
	}
	return out
}

// distance counts the single-character changes between a and b (Levenshtein).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ra := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, rb := range b {
			cost := diagonal
			if ra != rb {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
