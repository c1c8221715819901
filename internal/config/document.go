package config

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Document is a configuration file as people wrote it: comments, order and
// ${VAR} included. Set changes it in memory, Save checks and writes it. A
// Document is for one goroutine.
type Document struct {
	src    *source
	before []byte // what the file contained when it was opened
	text   []byte
	set    []string // the keys that Set changed
}

// OpenDocument reads the file that opts lead to. A missing file is an empty
// document, which Save creates. The error is of type Problems.
func OpenDocument(opts Options) (*Document, error) {
	src, problems := locate(opts)
	if problems != nil {
		return nil, problems
	}
	src.explicit = false
	text, problems := src.read()
	if problems != nil {
		return nil, problems
	}
	return &Document{src: src, before: text, text: text}, nil
}

// Path returns the name of the file.
func (d *Document) Path() string { return d.src.path }

// Get returns a value as the file has it, with its references; lists and maps
// are in one line. A secret is masked unless it is a reference. ok is false
// where the file does not have the key. The error is of type Problems.
func (d *Document) Get(key string) (text string, ok bool, err error) {
	parts, f, err := keyParts(key)
	if err != nil {
		return "", false, err
	}
	root, problems := parse(d.src.path, d.text)
	if problems != nil {
		return "", false, problems
	}
	n := root
	for _, part := range parts {
		if n = child(n, part); n == nil {
			return "", false, nil
		}
	}
	if isNull(n) {
		return "", false, nil
	}
	n = maskedNode(n, f, key, 0)
	if n.Kind == yaml.ScalarNode {
		return n.Value, true, nil
	}
	return flowText(n, false, 0), true, nil
}

func child(n *yaml.Node, part string) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		if at := findPair(n, part); at >= 0 {
			return n.Content[at+1]
		}
	case n.Kind == yaml.SequenceNode && isIndex(part):
		if i, err := strconv.Atoi(part); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}

// maskedNode copies the tree below n without what is secret in it.
func maskedNode(n *yaml.Node, f field, key string, depth int) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if depth > maxDepth {
		return stringNode("…")
	}
	if f.one && n.Kind == yaml.MappingNode { // the only element of its list
		f = f.element()
	}
	masking := *n
	masking.Content = slices.Clone(n.Content)
	switch n.Kind {
	case yaml.ScalarNode:
		isReference := strings.HasPrefix(n.Value, "${") && strings.HasSuffix(n.Value, "}") && !strings.Contains(n.Value, ":-")
		known := f.typ != nil && f.typ.Kind() != reflect.Interface
		hidden := f.typ == typeSecret || !known && soundsSecret(key)
		if hidden && !isReference && n.Value != "" {
			return stringNode(masked)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			masking.Content[i] = maskedNode(item, f.below(""), key, depth+1)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			masking.Content[i+1] = maskedNode(n.Content[i+1], f.below(name), joinKey(key, name), depth+1)
		}
	}
	return &masking
}

// Set changes one key and nothing else in the text; value is written as on a
// command line: a text as it is, numbers and durations as in the file, lists
// separated by commas or as [a, b], maps as {a: b}. ${VAR} stays a reference.
// Nothing is written before Save. The error is of type Problems.
func (d *Document) Set(key, value string) error {
	parts, f, err := keyParts(key)
	if err != nil {
		return err
	}
	node, err := render(f, value)
	if err != nil {
		return Problems{{Key: key, Message: err.Error()}}
	}
	if node.Kind == yaml.ScalarNode && f.settable() && f.typ.Kind() != reflect.Slice && f.typ.Kind() != reflect.Interface && !strings.Contains(value, "${") {
		if wrong := f.set(reflect.New(f.typ).Elem(), node.Value, d.src.dirs); wrong != nil {
			return Problems{{Key: key, Message: wrong.message, Suggestion: wrong.suggestion}}
		}
	}
	text, err := edit(d.text, parts, node)
	if err != nil {
		return d.editProblems(key, err)
	}
	if len(text) > maxFileSize {
		return Problems{{Key: key, Message: "makes the file longer than 1 MiB"}}
	}
	d.text, d.set = text, append(d.set, key)
	return nil
}

func (d *Document) editProblems(key string, err error) Problems {
	var problems Problems
	if !errors.As(err, &problems) {
		return Problems{{Key: key, Message: err.Error()}}
	}
	for i := range problems {
		if problems[i].IsFile() { // the file was broken before
			problems[i].File = d.src.path
		} else {
			problems[i].Key = key
		}
	}
	return problems
}

// keyParts splits a key and checks that the configuration has it.
func keyParts(key string) ([]string, field, error) {
	parts, err := splitKey(key)
	if err != nil {
		return nil, field{}, Problems{{Key: key, Message: err.Error()}}
	}
	f, err := findField(parts)
	if err != nil {
		return nil, field{}, err
	}
	return parts, f, nil
}

// Save checks the document as Load would and replaces the file in one step,
// with mode 600. Where a name is a link, the file it leads to is replaced.
// Faults that the file had before do not keep a change from being saved, only
// new ones do. The error is of type Problems.
func (d *Document) Save() error {
	if bytes.Equal(d.text, d.before) {
		return nil
	}
	if problems := d.newProblems(); problems != nil {
		return problems
	}
	now, problems := d.src.read()
	if problems != nil {
		return problems
	}
	if !bytes.Equal(now, d.before) {
		return Problems{{Origin: Origin{File: d.src.path}, Message: "was changed by somebody else meanwhile; try again"}}
	}
	if err := replaceFile(d.src.path, d.text); err != nil {
		return Problems{{Origin: Origin{File: d.src.path}, Message: "cannot be written: " + err.Error()}}
	}
	d.before, d.set = d.text, nil
	return nil
}

// newProblems returns what the changes broke.
func (d *Document) newProblems() Problems {
	var after, before Problems
	if _, _, err := d.src.load(d.text); !errors.As(err, &after) {
		return nil
	}
	_, _, err := d.src.load(d.before)
	errors.As(err, &before)
	fresh := slices.DeleteFunc(after, func(p Problem) bool {
		return slices.ContainsFunc(before, func(old Problem) bool { return old.Key == p.Key && old.Message == p.Message })
	})
	for i, p := range fresh {
		if slices.Contains(d.set, p.Key) {
			fresh[i].Origin = Origin{} // that line is not in the file
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return fresh
}

// Text returns the document as Save would write it.
func (d *Document) Text() []byte { return bytes.Clone(d.text) }
