package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// presses are keys as they arrive, one read each.
type presses []string

func (p *presses) Read(buf []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(buf, (*p)[0])
	*p = (*p)[1:]
	return n, nil
}

func TestLineReader(t *testing.T) {
	const ctrlC, ctrlD, left = "\x03", "\x04", "\x1b[D"
	tests := []struct {
		name string
		keys presses
		want []string // until the end
	}{
		{"lines", presses{"one\r", "two\r"}, []string{"one", "two"}},
		{"edited", presses{"oe", left, "n", "\r"}, []string{"one"}},
		{"empty", presses{"\r", ctrlD}, []string{""}},
		{"Ctrl-D", presses{"one\r", ctrlD, "two\r"}, []string{"one"}},
		{"Ctrl-C drops the line", presses{"wrong", ctrlC, "right\r", ctrlD}, []string{"right"}},
		{"Ctrl-C twice", presses{ctrlC, ctrlC, "never\r"}, nil},
		{"Ctrl-C, a line, Ctrl-C", presses{ctrlC, "one\r", ctrlC, "two\r"}, []string{"one", "two"}},
		{"history survives Ctrl-C", presses{"one\r", ctrlC, "\x1b[A", "\r"}, []string{"one", "one"}},
		{"several lines pasted", presses{"\x1b[200~one\rtwo\r\x1b[201~", "\r", "three\r"}, []string{"one\ntwo", "three"}},
		{"pasted and gone on with", presses{"\x1b[200~one\rtwo\x1b[201~", " more\r"}, []string{"one\ntwo more"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := 0
			r := &lineReader{keys: &keyWatch{input: &tt.keys}, output: io.Discard}
			r.raw = func() (func() error, error) {
				raw++
				return func() error { raw--; return nil }, nil
			}
			r.editor = r.newEditor()
			var got []string
			for {
				line, err := r.read("› ")
				if raw != 0 {
					t.Fatal("the terminal is left in raw mode")
				}
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLineReaderNeedsTerminal(t *testing.T) {
	if _, err := newLineReader(strings.NewReader(""), io.Discard); err == nil {
		t.Error("a reader that is no terminal was taken")
	}
}
