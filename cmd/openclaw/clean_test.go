package main

import (
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"text", "Grüße, 世界\n\tdone\n", "Grüße, 世界\n\tdone\n"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"cursor", "a\x1b[2J\x1b[Hb", "ab"},
		{"title", "\x1b]0;owned\x07x", "␛]0;owned␇x"},
		{"clipboard", "\x1b]52;c;cm0=\x1b\\", "␛]52;c;cm0=␛\\"},
		{"reset", "\x1bc", "␛c"},
		{"no final byte", "\x1b[31", "␛[31"},
		{"broken sequence", "\x1b[3\nhidden?", "␛[3\nhidden?"},
		{"long parameters", "\x1b[" + strings.Repeat("1", 100) + "m", "␛[" + strings.Repeat("1", 100) + "m"},
		{"DOS lines", "one\r\ntwo\r\n", "one\ntwo\n"},
		{"overwritten line", "real\rfake", "real\nfake"},
		{"backspace", "rm -rf\b\b\b\b\b\bls", "rm -rf␈␈␈␈␈␈ls"},
		{"delete, bell, null", "\x7f\a\x00", "␡␇␀"},
		{"C1", "\u009b31mred", "<U+009B>31mred"},
		{"right to left", "exe.\u202egpj", "exe.<U+202E>gpj"},
		{"not UTF-8", "a\xffb\x9bc", "a\ufffdb\ufffdc"},
		{"escape at the end", "a\x1b", "a␛"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.in); got != tt.want {
				t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine(" a\n\x1b[1mb\r\tc "); got != "a b c" {
		t.Errorf("%q", got)
	}
}

// FuzzClean holds what is shown to what a terminal may get, however the text
// is cut into pieces.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"plain", "\x1b[1;31mred\x1b[0m\r\n", "\x1b]0;t\x07", "\r\r\n\x1b\x1b[", "\u009b\u202e\xff", "**a** `b`\n# c\n```\nx",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		whole := clean(text)
		if i := strings.IndexFunc(whole, func(r rune) bool {
			return r != '\n' && r != '\t' && (unicode.IsControl(r) || reorders(r))
		}); i >= 0 {
			t.Fatalf("clean(%q) has a control character at %d: %q", text, i, whole)
		}
		text = strings.ToValidUTF8(text, "?") // pieces come as JSON
		a, b := pieces(text, at)
		var c cleaner
		if got := c.write(a) + c.write(b) + c.flush(); got != clean(text) {
			t.Fatalf("%q + %q is %q, in one piece %q", a, b, got, clean(text))
		}
	})
}

// pieces cuts a text in two between characters.
func pieces(text string, at int) (a, b string) {
	runes := []rune(text)
	at = min(max(at, 0), len(runes))
	return string(runes[:at]), string(runes[at:])
}
