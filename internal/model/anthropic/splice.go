package anthropic

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// splice joins the pieces of a text. Servers that count characters in UTF-16
// cut between the two halves of one, \ud83c and \udf88, either of which is
// nothing by itself: the first waits for the second.
type splice struct {
	half string // the escape of a first half
}

const escapeLen = len(`\ud83c`)

// join returns what a piece, a JSON string, adds to the text.
func (s *splice) join(piece jsontext.Value) (string, error) {
	if piece.Kind() != '"' {
		return "", nil
	}
	if s.half != "" {
		piece = jsontext.Value(`"` + s.half + string(piece[1:]))
		s.half = ""
	}
	if at := len(piece) - 1 - escapeLen; at >= 1 && isFirstHalf(string(piece[:at]), string(piece[at:at+escapeLen])) {
		s.half = string(piece[at : at+escapeLen])
		piece = jsontext.Value(string(piece[:at]) + `"`)
	}
	var text string
	err := decode(piece, &text)
	return text, err
}

// end returns what is left of a text that ends in the middle of a character.
func (s *splice) end() string {
	if s.half == "" {
		return ""
	}
	s.half = ""
	return string(utf8.RuneError)
}

// isFirstHalf says whether the characters at the end of a JSON string are the
// escape of a high surrogate.
func isFirstHalf(before, escape string) bool {
	slashes := len(before) - len(strings.TrimRight(before, `\`))
	if !strings.HasPrefix(escape, `\u`) || slashes%2 == 1 {
		return false
	}
	n, err := strconv.ParseUint(escape[2:], 16, 16)
	return err == nil && n >= 0xD800 && n < 0xDC00
}
