package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestRenderer(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "a line\nanother", "a line\nanother"},
		{"bold", "this is **very** good", "this is <1>very<0> good"},
		{"code", "run `ls -a` now", "run <36>ls -a<0> now"},
		{"heading", "# Title #\ntext\n", "<1>Title<0>\ntext\n"},
		{"no heading", "#hashtag\n####### seven\n", "#hashtag\n####### seven\n"},
		{"fence", "see:\n```go\n# not a **heading**\nx := 1\n```\nend", "see:\n<36># not a **heading**<0>\n<36>x := 1<0>\nend"},
		{"a pattern stays", "find **/*.go and a ** b ** c", "find **/*.go and a ** b ** c"},
		{"list", "* one\n* two", "* one\n* two"},
		{"open bold", "**never closed\nnext", "**never closed\nnext"},
		{"open code", "a ` b", "a ` b"},
		{"empty marks", "**** ``", "**** ``"},
		{"bold ends with the line", "**a\nb**", "**a\nb**"},
		{"marks at the end", "a **b**", "a <1>b<0>"},
		{"underscores", "snake_case_name __init__", "snake_case_name __init__"},
		{"its own colours", "\x1b[31m**x**", "<1>x<0>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := renderer{markdown: true}
			if got := marks(r.write(tt.in) + r.flush()); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// marks makes colours readable.
func marks(text string) string {
	return regexp.MustCompile("\x1b\\[(\\d+)m").ReplaceAllString(text, "<$1>")
}

func TestRendererShowsTextAtOnce(t *testing.T) {
	r := renderer{markdown: true}
	for _, piece := range []string{"A ", "word ", "at a ", "time"} {
		if got := r.write(piece); got != piece {
			t.Errorf("%q was shown as %q", piece, got)
		}
	}
	if got := r.write(" **bo"); got != " " {
		t.Errorf("a mark that may close was shown as %q", got)
	}
}

// FuzzRenderer checks that nothing but marks is lost, and that pieces make no
// difference.
func FuzzRenderer(f *testing.F) {
	for _, seed := range []string{"**a** `b`\n# c\n```\nx\n```\n", "**/*.go **x", "`", "#", "``", "\n\n#  \n**`**`"} {
		f.Add(seed, 2)
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		text = strings.ToValidUTF8(text, "?")
		var whole renderer
		whole.markdown = true
		want := marks(whole.write(text) + whole.flush())
		a, b := pieces(text, at)
		cut := renderer{markdown: true}
		got := marks(cut.write(a) + cut.write(b) + cut.flush())
		letters := regexp.MustCompile("[*`#\\s]|<\\d+>")
		if letters.ReplaceAllString(got, "") != letters.ReplaceAllString(want, "") {
			t.Fatalf("in pieces %q, whole %q", got, want)
		}
		if !strings.Contains(text, "```") && letters.ReplaceAllString(want, "") != letters.ReplaceAllString(clean(text), "") {
			t.Fatalf("text was lost: %q became %q", text, want)
		}
	})
}
