package main

import "strings"

// renderer makes a model's text fit for the answer's stream: harmless, and
// with headings, bold text and code set off where colours are on. It renders
// as the text arrives, and holds back only what may be a mark; a mark without
// its counterpart stays what it is. The zero value is ready and renders plain.
type renderer struct {
	markdown bool
	cleaner  cleaner
	held     string // from a mark on; the whole line while it is a heading
	inLine   bool   // the line has been begun
	inCode   bool   // between two lines of ```
}

// write returns what can be shown of the text so far.
func (r *renderer) write(text string) string {
	text = r.cleaner.write(text)
	if !r.markdown {
		return text
	}
	text, r.held = r.held+text, ""
	var out strings.Builder
	for text != "" {
		shown, rest, more := r.step(text)
		out.WriteString(shown)
		if more {
			r.held = rest
			break
		}
		text = rest
	}
	return out.String()
}

// flush returns what was held back at the end of a text.
func (r *renderer) flush() string {
	rest := r.cleaner.flush()
	if !r.markdown {
		return rest
	}
	out := r.write(rest)
	if r.held != "" {
		out += strings.TrimSuffix(r.write("\n"), "\n") // the end of the text ends the line
	}
	r.held, r.inLine, r.inCode = "", false, false
	return out
}

// step renders the beginning of text; more says that what it begins with can
// only be known when more has come.
func (r *renderer) step(text string) (shown, rest string, more bool) {
	if !r.inLine {
		if line, whole := lineKind(text); line == lineUnknown || line != lineText && !whole {
			return "", text, true
		} else if line != lineText {
			return r.wholeLine(line, text)
		}
		r.inLine = true
	}
	if r.inCode {
		return r.plain(text, len(text))
	}
	at := strings.IndexAny(text, "*`\n")
	switch {
	case at < 0:
		return r.plain(text, len(text))
	case at > 0:
		return r.plain(text, at)
	case text[0] == '\n':
		return r.plain(text, 1)
	}
	return r.span(text)
}

// plain shows text as it is, up to n bytes, but not beyond the end of the
// line.
func (r *renderer) plain(text string, n int) (shown, rest string, more bool) {
	if at := strings.IndexByte(text[:n], '\n'); at >= 0 {
		r.inLine = false
		return r.code(text[:at]) + "\n", text[at+1:], false
	}
	return r.code(text[:n]), text[n:], false
}

func (r *renderer) code(text string) string {
	return style{r.inCode}.wrap(text, "36")
}

// span renders what begins with * or `.
func (r *renderer) span(text string) (shown, rest string, more bool) {
	line, _, ended := strings.Cut(text, "\n")
	mark, code := "**", "1"
	if text[0] == '`' {
		mark, code = "`", "36"
	}
	if !strings.HasPrefix(line, mark) {
		if len(line) == 1 && !ended {
			return "", text, true
		}
		return r.plain(text, 1)
	}
	inner, behind, closed := strings.Cut(line[len(mark):], mark)
	switch {
	case closed && inner != "" && inner == strings.TrimSpace(inner):
		return style{true}.wrap(inner, code), text[len(line)-len(behind):], false
	case !closed && !ended && len(line) < 4096:
		return "", text, true
	}
	return r.plain(text, len(mark))
}

// The kinds of line that are rendered as a whole.
type lineType int

const (
	lineText lineType = iota
	lineUnknown
	lineHeading
	lineFence
)

// lineKind says what kind of line text begins with, and whether all of the
// line is there.
func lineKind(text string) (kind lineType, whole bool) {
	line, _, whole := strings.Cut(text, "\n")
	marks := len(line) - len(strings.TrimLeft(line, "#"))
	switch {
	case marks >= 1 && marks <= 6 && len(line) > marks && line[marks] == ' ':
		return lineHeading, whole
	case marks >= 1 && marks <= 6 && len(line) == marks && !whole:
		return lineUnknown, false
	case strings.HasPrefix(line, "```"):
		return lineFence, whole
	case !whole && line != "" && strings.HasPrefix("```", line):
		return lineUnknown, false
	}
	return lineText, whole
}

// wholeLine renders a heading, or drops a fence.
func (r *renderer) wholeLine(kind lineType, text string) (shown, rest string, more bool) {
	line, rest, _ := strings.Cut(text, "\n")
	switch {
	case kind == lineFence:
		r.inCode = !r.inCode
		return "", rest, false
	case r.inCode: // a comment of the code, not a heading
		return r.code(line) + "\n", rest, false
	}
	heading := strings.TrimSpace(strings.TrimRight(strings.TrimLeft(line, "#"), "# "))
	return style{true}.wrap(heading, "1") + "\n", rest, false
}
