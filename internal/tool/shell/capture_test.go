package shell

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"text", "a\tb\r\nc\n", "a\tb\r\nc\n"},
		{"colour", "\x1b[1;31mred\x1b[0m", "red"},
		{"title", "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"},
		{"character set", "\x1b(Ba\x1b=b\x1bMc", "abc"},
		{"device string", "\x1bPq#0\x1b\\a", "a"},
		{"unfinished title", "\x1b]0;title\nnext", "]0;title\nnext"},
		{"unfinished colour", "\x1b[1;3", "[1;3"},
		{"broken colour", "\x1b[1;é", "[1;é"},
		{"escape at the end", "a\x1b", "a"},
		{"overstrike", "N\bNA\bA é\bx", "NA x"},
		{"backspace at the start", "a\n\b\bb", "a\nb"},
		{"control characters", "a\x00b\x07c\x7fd", "abcd"},
		{"not UTF-8", "caf\xe9 \xff\xfe\xfd.", "caf\uFFFD \uFFFD."},
		{"other scripts", "日本語 🦞", "日本語 🦞"},
	}
	for _, tt := range tests {
		if got := clean([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: clean(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\r\n": "a\nb\n", "a\r\r\n": "a\n", "10%\r20%\r30%\n": "30%\n", "a\rb": "b", "a\r": "a", "a\n": "a\n", "": "", "\r\n": "\n",
	} {
		if got := lines(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b]0;t\x07\x1b\\ \bx\xff"))
	f.Add([]byte("\x1b\x1b[\b\x1b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got := clean(in)
		if !utf8.ValidString(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f }) {
			t.Errorf("control characters: %q", got)
		}
		if again := clean([]byte(got)); again != got {
			t.Errorf("cleaned twice: %q, then %q", got, again)
		}
	})
}

func TestCapture(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		want   string
		cut    bool
	}{
		{"all of it", []string{"0123456789", "abcdef"}, "0123456789abcdef", false},
		{"one byte more", []string{"0123456789", "abcdefg"}, "01234567\n[… 1 bytes left out …]\n9abcdefg", true},
		{"in one piece", []string{"01234567" + strings.Repeat("x", 100) + "tailtail"}, "01234567\n[… 100 bytes left out …]\ntailtail", true},
		{"in small pieces", strings.Split("01234567"+strings.Repeat("x", 100)+"tailtail", ""), "01234567\n[… 100 bytes left out …]\ntailtail", true},
		{"characters cut in two", []string{"0123456é" + strings.Repeat("x", 8) + "é234567"}, "0123456\n[… 10 bytes left out …]\né234567", true},
		{"and at the end", []string{"01234567" + strings.Repeat("x", 7) + "é2345678"}, "01234567\n[… 9 bytes left out …]\n2345678", true},
		{"bytes that grow", []string{strings.Repeat("\xffa", 8)}, "\uFFFDa\uFFFDa\n[… more left out …]\n\uFFFDa\uFFFDa", true},
	}
	for _, tt := range tests {
		c := newCapture(16)
		total := 0
		for _, w := range tt.writes {
			n, err := c.Write([]byte(w))
			if n != len(w) || err != nil {
				t.Fatalf("%s: Write = %d, %v", tt.name, n, err)
			}
			total += n
		}
		got, cut := c.result()
		if got != tt.want || cut != tt.cut || c.total != int64(total) {
			t.Errorf("%s: got %q, %v, %d bytes, want %q, %v, %d bytes", tt.name, got, cut, c.total, tt.want, tt.cut, total)
		}
	}
}

func TestCaptureIsBounded(t *testing.T) {
	c := newCapture(64 << 10)
	chunk := make([]byte, 32<<10)
	for range 1000 {
		_, _ = c.Write(chunk)
		_, _ = c.Write(chunk[:1])
	}
	if kept := cap(c.head) + cap(c.tail); kept > 160<<10 {
		t.Errorf("%d bytes are kept", kept)
	}
}
