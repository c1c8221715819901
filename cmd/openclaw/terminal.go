package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/term"
)

// isTerminal says whether a stream of the command line is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns how many columns a stream has, 80 where it does not say.
func width(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 20 {
			return columns
		}
	}
	return 80
}

// style is how a stream is written to: with colours or without.
type style struct{ on bool }

// styleOf returns the style of one of the command line's streams.
func (c *cli) styleOf(stream any) style {
	return style{isTerminal(stream) && !c.flags.noColor && c.env("NO_COLOR") == "" && c.env("TERM") != "dumb"}
}

func (c *cli) env(name string) string {
	for _, entry := range c.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s style) dim(text string) string  { return s.wrap(text, "2") }
func (s style) bold(text string) string { return s.wrap(text, "1") }
func (s style) red(text string) string  { return s.wrap(text, "31") }

func (s style) wrap(text, code string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// remark prints a dim line about what the command does, unless only its result
// is wanted.
func (c *cli) remark(format string, args ...any) {
	if !c.flags.quiet && !c.flags.json {
		line := strings.ReplaceAll(clean(fmt.Sprintf(format, args...)), "\n", " ")
		fmt.Fprintln(c.stderr, c.styleOf(c.stderr).dim(line))
	}
}

// printJSON prints v, which may be JSON already, as one indented document.
func (c *cli) printJSON(v any) error {
	data, ok := v.(jsontext.Value)
	if !ok {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err
		}
		data = jsontext.Value(text.String())
	}
	data = append(jsontext.Value(nil), data...)
	if err := data.Indent(jsontext.WithIndent("  ")); err != nil {
		return err
	}
	_, err := io.WriteString(c.stdout, escapeControls(string(data))+"\n")
	return err
}

// escapeControls escapes what JSON allows in a string and a terminal acts on.
func escapeControls(document string) string {
	if strings.IndexFunc(document, acts) < 0 {
		return document
	}
	var out strings.Builder
	for _, r := range document {
		if acts(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func acts(r rune) bool { return r >= 0x7f && unicode.Is(unicode.Cc, r) || reorders(r) }

// cut shortens text to at most n characters.
func cut(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:max(n-1, 0)]) + "…"
}
