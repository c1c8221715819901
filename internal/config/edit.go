package config

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// edit sets one value in the text of a YAML document and leaves every other
// byte as it is. What it returns was parsed again and compared: it means the
// same as before but for that value.
func edit(text []byte, parts []string, value *yaml.Node) ([]byte, error) {
	root, problems := parse("", text)
	if problems != nil {
		return nil, problems
	}
	e := editor{layout: newLayout(text), value: value, newline: "\n", step: 2}
	if bytes.Contains(text, []byte("\r\n")) {
		e.newline = "\r\n"
	}
	e.step = indentStep(root)
	out, err := e.set(root, parts)
	if err != nil {
		return nil, err
	}
	after, problems := parse("", out)
	if problems != nil || after == nil || !sameNode(withValue(root, parts, value), after) {
		return nil, errLayout
	}
	return out, nil
}

type editor struct {
	layout
	value   *yaml.Node
	newline string
	step    int // by how much a section is indented
}

// indentStep returns by how much the sections of a document are indented.
func indentStep(root *yaml.Node) int {
	if root != nil && root.Kind == yaml.MappingNode {
		for i := 1; i < len(root.Content); i += 2 {
			section := root.Content[i]
			if section.Kind == yaml.MappingNode && section.Style&yaml.FlowStyle == 0 && len(section.Content) > 0 {
				return min(max(section.Content[0].Column-root.Content[i-1].Column, 1), 8)
			}
		}
	}
	return 2
}

func (e *editor) splice(from, to int, text string) []byte {
	return slices.Concat(e.text[:from], []byte(text), e.text[to:])
}

// set walks along parts as far as the document goes, and replaces or inserts
// there.
func (e *editor) set(root *yaml.Node, parts []string) ([]byte, error) {
	if root == nil {
		return e.appendSection(parts)
	}
	n, key := root, (*yaml.Node)(nil)
	inFlow := false
	for i, part := range parts {
		inFlow = inFlow || n.Style&yaml.FlowStyle != 0
		switch {
		case n.Kind == yaml.MappingNode:
			at := findPair(n, part)
			if at < 0 {
				return e.addPair(n, parts[i:], n == root)
			}
			key, n = n.Content[at], n.Content[at+1]
		case n.Kind == yaml.SequenceNode:
			index, _ := strconv.Atoi(part) // the key was checked
			if index >= len(n.Content) {
				return e.addItem(n, index, parts[i+1:])
			}
			key, n = nil, n.Content[index]
		case isNull(n):
			return e.fillNull(n, key, parts[i:], inFlow)
		default:
			return nil, errLayout
		}
	}
	return e.replace(n, key, inFlow)
}

func findPair(n *yaml.Node, name string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// replace puts the new value where n is. key is nil for an item of a list.
func (e *editor) replace(n, key *yaml.Node, inFlow bool) ([]byte, error) {
	start, err := e.start(n)
	if err != nil {
		return nil, err
	}
	text := flowText(e.value, inFlow, n.Style)
	end, err := e.end(n)
	if err != nil {
		return nil, err
	}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		for end > start && isSpace(e.text[end-1]) { // blank lines of |+ stay
			end--
		}
	}
	if key == nil {
		if start == end { // an item that is only a dash
			text = " " + text
		}
		return e.splice(start, end, text), nil
	}
	colon, err := e.colon(key)
	if err != nil {
		return nil, err
	}
	if start == end && n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 {
		return e.splice(colon, colon, " "+text), nil
	}
	if keyLine := e.lineEnd(colon); keyLine < start {
		// The old value begins in a later line; what stands behind the colon,
		// a comment, stays where it is.
		without := slices.Concat(e.text[:keyLine], e.text[end:])
		return slices.Concat(without[:colon], []byte(" "+text), without[colon:]), nil
	}
	return e.splice(start, end, text), nil
}

// colon returns the offset behind the colon of a key.
func (e *editor) colon(key *yaml.Node) (int, error) {
	at, err := e.end(key)
	if err != nil {
		return 0, err
	}
	at = e.skipSpace(at)
	if at >= len(e.text) || e.text[at] != ':' {
		return 0, errLayout
	}
	return at + 1, nil
}

// fillNull puts the rest of a path where a section is empty.
func (e *editor) fillNull(n, key *yaml.Node, rest []string, inFlow bool) ([]byte, error) {
	if key == nil || inFlow || n.Value != "" || n.Style != 0 || n.Anchor != "" || isIndex(rest[0]) {
		e.value = nest(rest, e.value)
		return e.replace(n, key, inFlow)
	}
	at := e.lineEnd(mustColon(e, key))
	return e.splice(at, at, e.newline+e.block(rest, key.Column-1+e.step)), nil
}

// mustColon falls back to the end of the text, which the comparison after the
// edit refuses where it is wrong.
func mustColon(e *editor, key *yaml.Node) int {
	at, err := e.colon(key)
	if err != nil {
		return len(e.text)
	}
	return at
}

// block writes the pairs of a path, one below the other.
func (e *editor) block(parts []string, indent int) string {
	var b strings.Builder
	for i, part := range parts {
		b.WriteString(strings.Repeat(" ", indent+i*e.step))
		b.WriteString(flowText(stringNode(part), false, 0))
		b.WriteString(":")
		if i+1 == len(parts) || isIndex(parts[i+1]) {
			b.WriteString(" " + flowText(nest(parts[i+1:], e.value), false, 0))
			break
		}
		b.WriteString(e.newline)
	}
	return b.String()
}

// appendSection adds a section behind everything else.
func (e *editor) appendSection(parts []string) ([]byte, error) {
	at := len(e.text)
	text := e.block(parts, 0) + e.newline
	if last := bytes.TrimPrefix(e.text, []byte("\ufeff")); len(last) > 0 && last[len(last)-1] != '\n' {
		text = e.newline + text
	}
	return e.splice(at, at, text), nil
}

// addPair adds a key to a mapping that does not have it.
func (e *editor) addPair(n *yaml.Node, parts []string, isRoot bool) ([]byte, error) {
	if n.Style&yaml.FlowStyle != 0 {
		pair := nest(parts, e.value)
		inner := flowText(pair, true, 0)
		return e.addToFlow(n, inner[1:len(inner)-1])
	}
	if len(n.Content) == 0 {
		return nil, errLayout
	}
	end, err := e.end(n)
	if err != nil {
		return nil, err
	}
	if isRoot && e.skipComments(end) == len(e.text) && n.Content[0].Column == 1 {
		return e.appendSection(parts)
	}
	at := e.lineEnd(end)
	return e.splice(at, at, e.newline+e.block(parts, n.Content[0].Column-1)), nil
}

// addItem adds an item at the end of a list.
func (e *editor) addItem(n *yaml.Node, index int, rest []string) ([]byte, error) {
	if index > len(n.Content) {
		return nil, Problems{{Message: "the list has " + strconv.Itoa(len(n.Content)) + " elements; the next one is number " + strconv.Itoa(len(n.Content))}}
	}
	item := nest(rest, e.value)
	if n.Style&yaml.FlowStyle != 0 {
		return e.addToFlow(n, flowText(item, true, 0))
	}
	end, err := e.end(n)
	if err != nil {
		return nil, err
	}
	at := e.lineEnd(end)
	return e.splice(at, at, e.newline+strings.Repeat(" ", n.Column-1)+"- "+flowText(item, false, 0)), nil
}

// addToFlow adds a text before the bracket that closes a flow collection.
func (e *editor) addToFlow(n *yaml.Node, text string) ([]byte, error) {
	if len(n.Content) == 0 {
		at, err := e.contentStart(n)
		return e.splice(at+1, at+1, text), err
	}
	end, err := e.end(n.Content[len(n.Content)-1])
	if err != nil {
		return nil, err
	}
	if at := e.skipComments(end); at < len(e.text) && e.text[at] == ',' {
		return e.splice(at+1, at+1, " "+text), nil
	}
	return e.splice(end, end, ", "+text), nil
}

// nest wraps a value into the mappings and lists that parts describe.
func nest(parts []string, value *yaml.Node) *yaml.Node {
	for _, part := range slices.Backward(parts) {
		if isIndex(part) {
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{value}}
		} else {
			value = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{stringNode(part), value}}
		}
	}
	return value
}

func stringNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// withValue returns what the tree below n is once the value is set.
func withValue(n *yaml.Node, parts []string, value *yaml.Node) *yaml.Node {
	if len(parts) == 0 {
		return value
	}
	if n == nil || isNull(n) {
		return nest(parts, value)
	}
	changed := *n
	changed.Content = slices.Clone(n.Content)
	at := -1
	if n.Kind == yaml.MappingNode {
		if at = findPair(n, parts[0]); at >= 0 {
			at++
		}
	} else if i, err := strconv.Atoi(parts[0]); err == nil && i < len(n.Content) {
		at = i
	}
	switch {
	case at >= 0:
		changed.Content[at] = withValue(n.Content[at], parts[1:], value)
	case n.Kind == yaml.MappingNode:
		changed.Content = append(changed.Content, stringNode(parts[0]), nest(parts[1:], value))
	default:
		changed.Content = append(changed.Content, nest(parts[1:], value))
	}
	return &changed
}

// sameNode says whether two trees mean the same. An alias is compared by its
// name, so that trees which refer to themselves end too.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.ShortTag() == b.ShortTag() && a.Value == b.Value && a.Anchor == b.Anchor &&
		slices.EqualFunc(a.Content, b.Content, sameNode)
}
