package skill

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The bounds of a list in the front matter.
const (
	maxListed = 64  // elements
	maxWord   = 256 // bytes of an element
)

// namespaces are the keys of metadata that hold what OpenClaw needs to know,
// the first one that is there counts; the others are its former names.
var namespaces = []string{"openclaw", "clawdbot", "clawdis", "moltbot"}

// Requires is what a skill needs of the machine it runs on.
type Requires struct {
	Bins    []string // programs, all of them
	AnyBins []string // programs, one of them
	Env     []string // variables of the environment
	Config  []string // keys of the configuration that must be set
	OS      []string // operating systems, one of them
	Always  bool     // only OS counts
}

// readRequires reads metadata.openclaw. Whatever is not in a form that can be
// understood requires nothing.
func readRequires(f field, warn func(Problem)) Requires {
	if f.line == 0 {
		return Requires{}
	}
	meta := mapping(f.node)
	if meta == nil {
		if f.node != nil && f.node.Tag != "!!null" {
			warn(Problem{Line: f.line, Reason: "metadata is not a list of keys and values; it is left out"})
		}
		return Requires{}
	}
	var own *yaml.Node
	for _, name := range namespaces {
		if own = mapping(child(meta, name)); own != nil {
			break
		}
	}
	needs := mapping(child(own, "requires"))
	return Requires{
		Bins: words(child(needs, "bins")), AnyBins: words(child(needs, "anyBins")),
		Env: words(child(needs, "env")), Config: words(child(needs, "config")),
		OS:     slices.Concat(words(child(own, "os")), words(child(needs, "os"))),
		Always: truth(child(own, "always"), false),
	}
}

// mapping returns node as a mapping: as it is, or out of a text that holds one
// as JSON or YAML; nil where it is none.
func mapping(node *yaml.Node) *yaml.Node {
	node = meant(node)
	switch {
	case node == nil:
		return nil
	case node.Kind == yaml.MappingNode:
		return node
	case node.Kind != yaml.ScalarNode || !strings.HasPrefix(strings.TrimSpace(node.Value), "{") || len(node.Value) > maxFront:
		return nil
	}
	var inner yaml.Node
	if err := yaml.Load([]byte(node.Value), &inner); err != nil || len(inner.Content) != 1 || inner.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	return inner.Content[0]
}

// child returns the value of a key of a mapping, nil where there is none.
func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return meant(node.Content[i+1])
		}
	}
	return nil
}

// words returns the texts of a list; a single text is a list of one. Anything
// else is left out.
func words(node *yaml.Node) []string {
	node = meant(node)
	if node == nil {
		return nil
	}
	elements := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		elements = node.Content
	}
	var list []string
	for _, e := range elements[:min(len(elements), maxListed)] {
		e = meant(e)
		if e.Kind != yaml.ScalarNode || e.Tag == "!!null" {
			continue
		}
		if word := oneLine(e.Value); word != "" && len(word) <= maxWord {
			list = append(list, word)
		}
	}
	return list
}

// truth reads a yes or no, the other value where it is neither.
func truth(node *yaml.Node, other bool) bool {
	if node = meant(node); node == nil || node.Kind != yaml.ScalarNode {
		return other
	}
	switch strings.ToLower(strings.TrimSpace(node.Value)) {
	case "true", "yes", "on", "1":
		return true
	case "false", "no", "off", "0":
		return false
	}
	return other
}
