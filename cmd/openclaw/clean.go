package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxHeld bounds the beginning of an escape sequence that a cleaner holds
// back, in bytes. No sequence that is dropped is longer.
const maxHeld = 64

// cleaner makes text from elsewhere harmless on a terminal: what a command
// printed, what a model wrote, the name of a file. Sequences that set colours
// or move the cursor (CSI) are dropped; every other control character is shown
// as a visible one, so that no text can hide text. Lines and tabs stay. The
// zero value is ready; text may come in pieces.
type cleaner struct {
	held string // may be the beginning of a sequence
}

// clean returns text as it can be shown.
func clean(text string) string {
	var c cleaner
	return c.write(text) + c.flush()
}

// oneLine is clean for text that must stay in one line.
func oneLine(text string) string {
	return strings.Join(strings.Fields(clean(text)), " ")
}

// write returns what can be shown of the text so far.
func (c *cleaner) write(text string) string {
	text, c.held = c.held+text, ""
	var out strings.Builder
	for i := 0; i < len(text); {
		if n, complete := sequence(text[i:]); !complete {
			c.held = text[i:]
			break
		} else if n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		out.WriteString(visible(r, size))
		i += size
	}
	return out.String()
}

// flush returns what was held back and turned out to be no sequence.
func (c *cleaner) flush() string {
	var out strings.Builder
	for _, r := range c.held {
		out.WriteString(visible(r, utf8.RuneLen(r)))
	}
	c.held = ""
	return out.String()
}

// sequence returns the length of the control sequence that text begins with; 0
// if it begins with none. It is not complete when more text may make it one.
func sequence(text string) (length int, complete bool) {
	switch {
	case text[0] == '\r' && len(text) == 1:
		return 0, false // \r\n may follow
	case text[0] == '\r' && text[1] == '\n':
		return 1, true
	case text[0] != '\x1b':
		return 0, true
	case len(text) == 1:
		return 0, false
	case text[1] != '[':
		return 0, true
	}
	for i := 2; i < len(text); i++ {
		switch b := text[i]; {
		case i >= maxHeld:
			return 0, true
		case b >= 0x40 && b <= 0x7e: // the final byte
			return i + 1, true
		case b < 0x20 || b > 0x3f: // no parameter either
			return 0, true
		}
	}
	return 0, len(text) >= maxHeld
}

// visible returns a character as it can be shown: control characters as their
// pictures, and those that reorder text as their numbers.
func visible(r rune, size int) string {
	switch {
	case r == '\n', r == '\t':
		return string(r)
	case r == '\r':
		return "\n" // it would overwrite the line
	case r < 0x20:
		return string(0x2400 + r)
	case r == 0x7f:
		return "\u2421"
	case r == utf8.RuneError && size <= 1:
		return "\ufffd"
	case unicode.Is(unicode.Cc, r), reorders(r):
		return codePoint(r)
	}
	return string(r)
}

// reorders says whether a character changes the direction of the text behind
// it: exe.gpj can be made to look like gpj.exe.
func reorders(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func codePoint(r rune) string {
	const digits = "0123456789ABCDEF"
	text := ""
	for ; r > 0 || len(text) < 4; r /= 16 {
		text = string(digits[r%16]) + text
	}
	return "<U+" + text + ">"
}
