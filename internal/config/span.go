package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// errLayout is what an edit fails with where the text is laid out in a way it
// does not know. Nothing was changed then.
var errLayout = errors.New("is written in a way that cannot be edited automatically; edit the file by hand")

// layout finds the nodes of a parsed text in that text. The YAML library says
// where a node begins; where it ends follows from its kind.
type layout struct {
	text  []byte
	lines []int // the offset of the beginning of each line
}

func newLayout(text []byte) layout { return layout{text, lineStarts(text)} }

// start returns the offset of a node's first character.
func (l layout) start(n *yaml.Node) (int, error) {
	if n.Line < 1 || n.Line > len(l.lines) {
		return 0, errLayout
	}
	at := l.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(l.text) {
			return 0, errLayout
		}
		_, size := utf8.DecodeRune(l.text[at:])
		at += size
	}
	return at, nil
}

// contentStart is start, but behind an anchor and a tag.
func (l layout) contentStart(n *yaml.Node) (int, error) {
	at, err := l.start(n)
	if err != nil || n.Kind == yaml.AliasNode {
		return at, err
	}
	for at < len(l.text) && (l.text[at] == '&' || l.text[at] == '!') {
		for at < len(l.text) && !isSpace(l.text[at]) && !strings.ContainsRune(",[]{}", rune(l.text[at])) {
			at++
		}
		at = l.skipSpace(at)
	}
	return at, nil
}

// end returns the offset behind a node's last character; the line break behind
// it is not part of it.
func (l layout) end(n *yaml.Node) (int, error) {
	at, err := l.contentStart(n)
	if err != nil {
		return 0, err
	}
	switch n.Kind {
	case yaml.AliasNode:
		return at + len("*") + len(n.Value), nil
	case yaml.ScalarNode:
		return l.scalarEnd(n, at)
	}
	if at < len(l.text) && n.Style&yaml.FlowStyle != 0 && (l.text[at] == '{' || l.text[at] == '[') {
		return l.flowEnd(n, at)
	}
	if len(n.Content) == 0 {
		return 0, errLayout
	}
	return l.end(n.Content[len(n.Content)-1])
}

func (l layout) scalarEnd(n *yaml.Node, at int) (int, error) {
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return l.blockEnd(at)
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for i := at + 1; i < len(l.text); i++ {
			switch l.text[i] {
			case '\\':
				i++
			case '"':
				return i + 1, nil
			}
		}
		return 0, errLayout
	case n.Style&yaml.SingleQuotedStyle != 0:
		for i := at + 1; i < len(l.text); i++ {
			if l.text[i] != '\'' {
				continue
			}
			if i+1 < len(l.text) && l.text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1, nil
		}
		return 0, errLayout
	case n.Value == "":
		return at, nil
	}
	return l.plainEnd(n.Value, at)
}

// plainEnd finds the end of an unquoted text, which may go over several lines:
// it ends where all words of its value were seen.
func (l layout) plainEnd(value string, at int) (int, error) {
	for _, word := range strings.Fields(value) {
		at = l.skipSpace(at)
		if !bytes.HasPrefix(l.text[at:], []byte(word)) {
			return 0, errLayout
		}
		at += len(word)
	}
	return at, nil
}

// blockEnd finds the end of a block scalar, whose header begins at offset at:
// it goes on as long as lines are indented like its first one.
func (l layout) blockEnd(at int) (int, error) {
	header := l.lineEnd(at)
	keep := bytes.ContainsRune(bytes.SplitN(l.text[at:header], []byte("#"), 2)[0], '+')
	end, indent := header, -1
	for next := l.nextLine(header); next < len(l.text); next = l.nextLine(next) {
		stop := l.lineEnd(next)
		line := l.text[next:stop]
		blank := len(bytes.TrimSpace(line)) == 0
		width := len(line) - len(bytes.TrimLeft(line, " "))
		if indent < 0 && !blank {
			indent = width
		}
		if !blank && width < indent || indent == 0 {
			break
		}
		if !blank || keep {
			end = stop
		}
	}
	return end, nil
}

// flowEnd finds the bracket that closes a flow collection.
func (l layout) flowEnd(n *yaml.Node, at int) (int, error) {
	closing := byte('}')
	if l.text[at] == '[' {
		closing = ']'
	}
	at++
	if len(n.Content) > 0 {
		var err error
		if at, err = l.end(n.Content[len(n.Content)-1]); err != nil {
			return 0, err
		}
	}
	for {
		at = l.skipComments(at)
		switch {
		case at >= len(l.text):
			return 0, errLayout
		case l.text[at] == closing:
			return at + 1, nil
		case l.text[at] == ',' || l.text[at] == ':': // the colon of a key without a value
			at++
		default:
			return 0, errLayout
		}
	}
}

// skipSpace returns the offset of the next character that is no space.
func (l layout) skipSpace(at int) int {
	for at < len(l.text) && isSpace(l.text[at]) {
		at++
	}
	return at
}

// skipComments returns the offset of the next character that is neither space
// nor comment.
func (l layout) skipComments(at int) int {
	for {
		at = l.skipSpace(at)
		if at >= len(l.text) || l.text[at] != '#' {
			return at
		}
		at = l.lineEnd(at)
	}
}

// lineEnd returns the offset of the line break at or after an offset.
func (l layout) lineEnd(at int) int {
	for at < len(l.text) && l.text[at] != '\n' && l.text[at] != '\r' {
		at++
	}
	return at
}

// nextLine returns the offset of the line after the one with an offset.
func (l layout) nextLine(at int) int {
	at = l.lineEnd(at)
	if at < len(l.text) && l.text[at] == '\r' {
		at++
	}
	if at < len(l.text) && l.text[at] == '\n' {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
