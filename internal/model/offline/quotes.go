package offline

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the quoted texts of a message, with their marks. In the message
// each is replaced by a mask, so that what it says is never read as a request
// or split.
type quotes []string

// closers are the marks that quoted texts begin and end with.
var closers = map[rune]string{'"': `"`, '“': "”", '`': "`", '\'': "'"}

// mask returns text with its quoted texts replaced.
func (q *quotes) mask(text string) string {
	var b strings.Builder
	before := ' '
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if end := quoted(text[i:], r, before); end > 0 {
			b.WriteString("\x01" + strconv.Itoa(len(*q)) + "\x01")
			*q = append(*q, text[i:i+end])
			i += end
			before = '"'
			continue
		}
		b.WriteString(text[i : i+size])
		i += size
		before = r
	}
	return b.String()
}

// quoted returns the length of the quoted text that text begins with, or 0.
// An apostrophe quotes only around words: it('s) and users(') do not.
func quoted(text string, open, before rune) int {
	closer, ok := closers[open]
	if !ok || open != '`' && (unicode.IsLetter(before) || unicode.IsDigit(before)) {
		return 0
	}
	begin := utf8.RuneLen(open)
	end := strings.Index(text[begin:], closer)
	if end <= 0 {
		return 0
	}
	end += begin + len(closer)
	if open == '\'' {
		after, _ := utf8.DecodeRuneInString(text[end:])
		if strings.Contains(text[:end], "\n") || unicode.IsLetter(after) || unicode.IsDigit(after) {
			return 0
		}
	}
	return end
}

// restore puts the quoted texts back.
func (q quotes) restore(text string) string {
	for i := len(q) - 1; i >= 0; i-- {
		text = strings.ReplaceAll(text, mask(i), q[i])
	}
	return text
}

func mask(i int) string { return "\x01" + strconv.Itoa(i) + "\x01" }

// content returns the text within the quotes that s is the mask of.
func (q quotes) content(s string) (string, bool) {
	digits := strings.Trim(s, "\x01")
	i, err := strconv.Atoi(digits)
	if err != nil || i < 0 || i >= len(q) || s != mask(i) {
		return "", false
	}
	_, begin := utf8.DecodeRuneInString(q[i])
	_, end := utf8.DecodeLastRuneInString(q[i])
	return q[i][begin : len(q[i])-end], true
}
