package policy

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is one word of a simple command. Only the shell knows what a word that is
// not fixed becomes; text is then how it begins.
type word struct {
	text  string
	fixed bool
	many  bool // not fixed, and it may become any number of words
}

// readWords returns what the words become, as far as that can be told without
// running anything.
func readWords(words []*syntax.Word) []word {
	out := make([]word, len(words))
	for i, w := range words {
		text, fixed := readParts(w.Parts, false)
		out[i] = word{text: text, fixed: fixed, many: !fixed && splits(w.Parts, false)}
	}
	return out
}

// splits says whether parts may become more than one word: by what stands
// outside of quotes, or by lists.
func splits(parts []syntax.WordPart, quoted bool) bool {
	return slices.ContainsFunc(parts, func(p syntax.WordPart) bool {
		switch p := p.(type) {
		case *syntax.SglQuoted, *syntax.ProcSubst, *syntax.ArithmExp:
			return false
		case *syntax.DblQuoted:
			return splits(p.Parts, true)
		case *syntax.Lit:
			_, fixed := unescape(p.Value, quoted)
			return !fixed || !quoted && spans(p.Value, len(parts))
		case *syntax.ParamExp:
			return !quoted && !p.Length || p.Param == nil || p.Param.Value == "@" || p.Index != nil || p.Excl
		}
		return !quoted
	})
}

// readParts joins the parts of a word, without their quotes.
func readParts(parts []syntax.WordPart, quoted bool) (string, bool) {
	var b strings.Builder
	for i, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			if !quoted && (spans(p.Value, len(parts)) || i == 0 && isHome(p.Value)) {
				return b.String(), false
			}
			text, fixed := unescape(p.Value, quoted)
			if !fixed {
				return b.String(), false
			}
			b.WriteString(text)
		case *syntax.SglQuoted:
			if p.Dollar && strings.Contains(p.Value, `\`) {
				return b.String(), false
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			text, fixed := readParts(p.Parts, true)
			b.WriteString(text)
			if !fixed {
				return b.String(), false
			}
		default:
			return b.String(), false
		}
	}
	return b.String(), true
}

// spans says whether a pattern or a brace expansion may begin in a literal and
// go on in another part of its word: {"rm",x} or /bin/["r"]m.
func spans(lit string, parts int) bool { return parts > 1 && strings.ContainsAny(lit, "[{") }

// isHome says whether a literal is what the shell replaces by the value of a
// variable, such as ~ and ~-. With a folder behind it the name of a program
// still stands there.
func isHome(lit string) bool { return strings.HasPrefix(lit, "~") && !strings.Contains(lit, "/") }

// unescape takes the backslashes from a literal. Outside of quotes, a pattern or
// a brace expansion makes it one that is not fixed.
func unescape(lit string, quoted bool) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(lit); i++ {
		c := lit[i]
		switch {
		case c == '\\' && i+1 < len(lit) && (!quoted || strings.IndexByte("$`\"\\\n", lit[i+1]) >= 0):
			i++
			if lit[i] != '\n' {
				b.WriteByte(lit[i])
			}
		case !quoted && expands(c, lit[i:]):
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// expands says whether c, with which rest begins, may start a pattern or a brace
// expansion.
func expands(c byte, rest string) bool {
	switch c {
	case '*', '?':
		return true
	case '[':
		return strings.Contains(rest, "]")
	case '{':
		return strings.Contains(rest, ",") || strings.Contains(rest, "..")
	}
	return false
}
