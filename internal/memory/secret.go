package memory

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secretPattern is a form that secrets have.
type secretPattern struct {
	what    string // for the message
	pattern *regexp.Regexp
}

// secretPatterns are compiled when the first fact is saved: most runs of the
// program save none.
var secretPatterns = sync.OnceValue(func() []secretPattern {
	return []secretPattern{
		{"a private key", regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY`)},
		{"an API key", regexp.MustCompile(`\b(sk|pk|rk)[-_][A-Za-z0-9_-]{16,}`)},
		{"an access token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|npm_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,})`)},
		{"a cloud key", regexp.MustCompile(`\b((AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}|ya29\.[\w-]{20,})`)},
		{"a signed token", regexp.MustCompile(`\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*`)},
		{"a token", regexp.MustCompile(`(?i)\bbearer\s+[\w.~+/-]{12,}`)},
		{"an address with a password in it", regexp.MustCompile(`[a-zA-Z][\w+.-]*://[^\s/:@]*:[^\s/@]+@`)},
		{"a password or token", regexp.MustCompile(`(?i)\b(secret|token|pin|credential)s?\s*([=:]\s*\S|(is|are)\s+\S*\d)`)},
		// What it is for stands between: then it takes more to be one.
		{"a password or token", regexp.MustCompile(`(?i)\b(secret|token|pin|credential)s?\s+(for|to|of|on|at)(\s+\S+){1,8}?\s+(is|are)\s+(\S*\d\S{3}|\S{3,}\d)`)},
		{"a code", regexp.MustCompile(`(?i)\b(door|access|entry|alarm|gate|security|unlock|lock)[ -]?codes?(\s+(for|to|of|on|at)(\s+\S+){1,8}?)?\s*(=|:|\s(is|are)\s)\s*\S*\d{3}`)},
	}
})

// passwordPattern finds a password that is told, and the first word of it.
var passwordPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:password|passwd|passphrase|passcode|pwd|(?:api|access|secret|private|wi-?fi|wlan|wpa)[ _-]?key|` +
		`passwort|kennwort|contraseña|mot de passe)s?` +
		`(?:\s+(?:for|to|of|on|at|für|vom|von|para|de|pour)(?:\s+\S+){1,8}?)?\s*(?:=|:|\s(?:is|are|lautet|ist|es|est)\s)\s*(\S+)`)
})

// keptPattern finds the first word of a text that says where a password is,
// and not what it is.
var keptPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(kept|stored|saved|written|managed|in|on|under|behind|not|never|always|im|bei|unter|nicht|en|dans|pas|no)$`)
})

// cardPattern finds digits as they stand on a payment card.
var cardPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d(?:[ -]?\d){14,18}`) })

// secret says what kind of secret text seems to hold; "" for none.
func secret(text string) string {
	for _, p := range secretPatterns() {
		if p.pattern.MatchString(text) {
			return p.what
		}
	}
	if m := passwordPattern().FindStringSubmatch(text); m != nil && !keptPattern().MatchString(m[1]) {
		return "a password or key"
	}
	if slices.ContainsFunc(cardPattern().FindAllString(text, -1), cardNumber) {
		return "a card number"
	}
	if slices.ContainsFunc(strings.Fields(text), random) {
		return "a key or token"
	}
	return ""
}

// random says whether a word looks made by a machine: long, and a mixture of
// lower case, upper case and digits. Paths and addresses are not meant.
func random(word string) bool {
	word = strings.Trim(word, `"'.,;()`+"`")
	if len(word) < 28 || strings.Contains(word, "://") || strings.Count(word, "/") > 2 {
		return false
	}
	var lower, upper, digit int
	for _, r := range word {
		switch {
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
		case unicode.IsDigit(r):
			digit++
		case !strings.ContainsRune("+/=_-", r):
			return false
		}
	}
	return lower >= 3 && upper >= 3 && digit >= 3
}

// cardNumber says whether digits, grouped or not, have the check digit of a
// payment card.
func cardNumber(grouped string) bool {
	digits := strings.NewReplacer("-", "", " ", "").Replace(grouped)
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
