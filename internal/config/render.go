package config

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// render makes YAML of a value that somebody gave for a key: a text for keys
// that are texts, whatever it looks like; YAML, or a list separated by commas,
// for the others.
func render(f field, value string) (*yaml.Node, error) {
	if !utf8.ValidString(value) {
		return nil, errors.New("is not UTF-8 text")
	}
	text := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	switch kind := f.kindName(); kind {
	case "string", "path", "secret":
		return text, nil
	case "boolean", "integer", "number", "duration", "size":
		if strings.Contains(value, "${") {
			return text, nil
		}
		return readScalar(strings.TrimSpace(value)), nil
	case "list":
		if f.settable() && !strings.HasPrefix(strings.TrimSpace(value), "[") && !strings.HasPrefix(strings.TrimSpace(value), "- ") {
			list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			for _, part := range splitList(value) {
				list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: part})
			}
			return list, nil
		}
	}
	root, problems := parse("", []byte(value))
	switch {
	case problems != nil:
		return nil, errors.New("the new value " + problems[0].Message)
	case root == nil:
		return nil, errors.New("needs a value; write [] for an empty list and {} for an empty map")
	case !isSimple(root, 0):
		return nil, errors.New("the new value must not have anchors, aliases or tags")
	}
	return root, nil
}

// readScalar returns the node that text is as YAML; a text where it is none.
func readScalar(text string) *yaml.Node {
	root, problems := parse("", []byte(text))
	if problems != nil || root == nil || root.Kind != yaml.ScalarNode || root.Style != 0 || root.Value != text {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: root.ShortTag(), Value: text}
}

func isSimple(n *yaml.Node, depth int) bool {
	if depth > maxDepth || n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.ShortTag() == "!!merge" {
		return false
	}
	for _, c := range n.Content {
		if !isSimple(c, depth+1) {
			return false
		}
	}
	return true
}

// flowText writes a node in one line. inFlow says that it stands between
// brackets, where more characters need quotes; style is how a text was quoted
// that it replaces.
func flowText(n *yaml.Node, inFlow bool, style yaml.Style) string {
	switch n.Kind {
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, item := range n.Content {
			parts[i] = flowText(item, true, item.Style)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		parts := make([]string, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, flowText(n.Content[i], true, 0)+": "+flowText(n.Content[i+1], true, n.Content[i+1].Style))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	if n.ShortTag() != "!!str" {
		if n.Value == "" {
			return "null"
		}
		return n.Value
	}
	printable := !strings.ContainsFunc(n.Value, func(r rune) bool { return !strconv.IsPrint(r) })
	switch {
	case style&yaml.SingleQuotedStyle != 0 && printable:
		return "'" + strings.ReplaceAll(n.Value, "'", "''") + "'"
	case style&yaml.DoubleQuotedStyle == 0 && printable && isPlain(n.Value, inFlow):
		return n.Value
	}
	return strconv.Quote(n.Value)
}

// isPlain says whether YAML reads a text that stands without quotes as itself.
func isPlain(text string, inFlow bool) bool {
	line := "k: " + text + "\n"
	if inFlow {
		line = "{k: " + text + "}\n"
	}
	root, problems := parse("", []byte(line))
	if problems != nil || root == nil || root.Kind != yaml.MappingNode || len(root.Content) != 2 {
		return false
	}
	v := root.Content[1]
	return v.Kind == yaml.ScalarNode && v.Style == 0 && v.Anchor == "" && v.ShortTag() == "!!str" && v.Value == text
}
