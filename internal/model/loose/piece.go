package loose

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Piece is a part of a longer text. Servers that count characters in UTF-16
// cut between the two halves of one, "\ud83c" and "\udf88", either of which is
// nothing by itself: a half at an end of a piece is kept as the three bytes
// UTF-8 would have for it, for a Running to join.
type Piece string

const (
	escapeLen = len(`\ud83c`)
	halfLen   = 3 // bytes
)

// UnmarshalJSON implements json.Unmarshaler; it takes what Text takes.
func (p *Piece) UnmarshalJSON(b []byte) error {
	var first, last string
	if len(b) >= 2 && b[0] == '"' {
		inner := string(b[1 : len(b)-1])
		if half, ok := halfEscape(inner, 0); ok && half >= 0xDC00 {
			first, inner = rawHalf(half), inner[escapeLen:]
		}
		if half, ok := halfEscape(inner, len(inner)-escapeLen); ok && half < 0xDC00 {
			last, inner = rawHalf(half), inner[:len(inner)-escapeLen]
		}
		if first != "" || last != "" {
			b = []byte(`"` + inner + `"`)
		}
	}
	var t Text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*p = Piece(first + string(t) + last)
	return nil
}

// halfEscape reads the escaped surrogate at a place of a JSON string.
func halfEscape(s string, at int) (rune, bool) {
	if at < 0 || len(s) < at+escapeLen || s[at] != '\\' || s[at+1] != 'u' {
		return 0, false
	}
	before := s[:at]
	if slashes := len(before) - len(strings.TrimRight(before, `\`)); slashes%2 == 1 {
		return 0, false // the backslash is itself escaped
	}
	n, err := strconv.ParseUint(s[at+2:at+escapeLen], 16, 16)
	if err != nil || !utf16.IsSurrogate(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

func rawHalf(r rune) string {
	return string([]byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6)&0x3F, 0x80 | byte(r)&0x3F})
}

// readHalf is the reverse of rawHalf, 0 for other bytes.
func readHalf(s string) rune {
	if len(s) != halfLen || s[0] != 0xED || s[1] < 0xA0 {
		return 0
	}
	return rune(s[0]&0x0F)<<12 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F)
}

// Running is a text that grows by pieces.
type Running struct {
	text strings.Builder
	half rune // the first half of a character, which waits for the second
}

// Add appends p and returns what that makes of it: the text that is new.
func (r *Running) Add(p Piece) string {
	s := string(p)
	if s == "" {
		return ""
	}
	var head string
	second := rune(0)
	if len(s) >= halfLen {
		second = readHalf(s[:halfLen])
	}
	switch {
	case second >= 0xDC00:
		head, s = string(utf16.DecodeRune(r.half, second)), s[halfLen:]
	case r.half != 0:
		head = string(utf8.RuneError)
	}
	r.half = 0
	if len(s) >= halfLen {
		if first := readHalf(s[len(s)-halfLen:]); first != 0 && first < 0xDC00 {
			r.half, s = first, s[:len(s)-halfLen]
		}
	}
	s = head + strings.ToValidUTF8(s, string(utf8.RuneError))
	r.text.WriteString(s)
	return s
}

// End returns what is left when no piece follows.
func (r *Running) End() string {
	if r.half == 0 {
		return ""
	}
	r.half = 0
	r.text.WriteRune(utf8.RuneError)
	return string(utf8.RuneError)
}

// Begun says whether any piece has come.
func (r *Running) Begun() bool { return r.text.Len() > 0 || r.half != 0 }

// Len is the size of the text so far, in bytes.
func (r *Running) Len() int { return r.text.Len() }

// String returns the text so far.
func (r *Running) String() string { return r.text.String() }
