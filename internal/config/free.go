package config

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// free decodes what no struct describes: maps become map[string]any, lists
// []any, and a text below a key that sounds like a secret becomes a Secret.
func (d *decoder) free(n *yaml.Node, p place) any {
	n, ok := d.enter(n, p)
	if !ok {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		table := map[string]any{}
		d.entries(n, p, func(name string, key, value *yaml.Node) {
			sub := place{key: joinKey(p.key, name), depth: p.depth + 1}
			d.setBy(sub.key, key, value)
			table[name] = d.free(value, sub)
		})
		return table
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, d.free(item, place{key: indexKey(p.key, i), depth: p.depth + 1}))
		}
		return list
	}
	return d.freeScalar(n, p)
}

func (d *decoder) freeScalar(n *yaml.Node, p place) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	e, err := expand(n.Value, d.env.lookup)
	if err != nil {
		d.fail(n, p.key, err.Error(), "")
		return nil
	}
	secret := soundsSecret(p.key)
	if len(e.unset) > 0 {
		if secret {
			d.unset[p.key] = unsetSecret{d.at(n), e.unset[0]}
		} else {
			d.warnings = append(d.warnings, Warning{d.at(n), p.key, e.unset[0] + " is not set; it counts as empty here"})
		}
	}
	if secret {
		return Secret(e.text)
	}
	return e.text
}

// soundsSecret judges a key that nothing describes by its name.
func soundsSecret(key string) bool {
	last := strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
	for _, word := range []string{"token", "secret", "password", "passphrase", "credential", "authorization", "apikey"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	return last == "key" || strings.HasSuffix(last, "_key")
}
