package shell

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	esc = 0x1b
	// maxEscape is the longest sequence that is taken for one, such as a link to
	// a long address.
	maxEscape = 4096
)

// clean makes output readable as text: terminal escape sequences and control
// characters go, except for tab, newline and carriage return; a backspace takes
// the character before it along; bytes that are not UTF-8 become U+FFFD, one
// for each run of them. All else stays as the program wrote it, the last
// newline included.
func clean(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == esc:
			i += escapeLen(b[i:])
		case c == '\b':
			out = withoutLast(out)
			i++
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			i++
		default:
			out = append(out, c)
			i++
		}
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// withoutLast removes the last character of the last line.
func withoutLast(out []byte) []byte {
	if len(out) == 0 || out[len(out)-1] == '\n' {
		return out
	}
	_, size := utf8.DecodeLastRune(out)
	return out[:len(out)-size]
}

// escapeLen returns the length of the escape sequence that b begins with. What
// is no complete sequence counts as the escape character alone, so that
// nothing readable is lost.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 1
	}
	switch b[1] {
	case '[': // parameters, intermediates, one final byte
		for i := 2; i < min(len(b), maxEscape); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
			if b[i] < 0x20 || b[i] > 0x3f {
				break
			}
		}
	case ']', 'P', 'X', '^', '_': // a string up to BEL or ESC \, on one line
		line, _, _ := bytes.Cut(b[:min(len(b), maxEscape)], []byte{'\n'})
		bell := bytes.IndexByte(line, 7)
		end := bytes.Index(line, []byte{esc, '\\'})
		if bell >= 0 && (end < 0 || bell < end) {
			return bell + 1
		}
		if end >= 0 {
			return end + 2
		}
	default: // intermediates, one final byte
		i := 1
		for i < len(b) && b[i] >= 0x20 && b[i] <= 0x2f {
			i++
		}
		if i < len(b) && b[i] >= 0x30 && b[i] <= 0x7e {
			return i + 1
		}
	}
	return 1
}

// maxUnfinished bounds what unfinished returns.
const maxUnfinished = 64

// unfinished returns how long the end of b is that more bytes could change: a
// character or an escape sequence without its end, or a carriage return.
func unfinished(b []byte) int {
	last := b[max(0, len(b)-maxUnfinished):]
	if i := bytes.LastIndexByte(last, esc); i >= 0 && escapeLen(last[i:]) == 1 {
		return len(last) - i
	}
	if n := len(last); n > 0 && last[n-1] == '\r' {
		return 1
	}
	for i := 1; i < utf8.UTFMax && i <= len(last); i++ {
		if c := last[len(last)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(last[len(last)-i:]) {
				return i
			}
			break
		}
	}
	return 0
}

// lines turns what was printed on a terminal into lines: a carriage return
// before the end of a line means nothing, and one within it that what came
// before was overwritten.
func lines(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		text, end := strings.TrimRight(line, "\r\n"), ""
		if strings.HasSuffix(line, "\n") {
			end = "\n"
		}
		b.WriteString(text[strings.LastIndexByte(text, '\r')+1:] + end)
	}
	return b.String()
}
