package mcp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

const maxName = 64

// nameTools gives each tool a name that a model may call, server__tool, and
// sorts by it. Where two would have the same, all but the first, in the order
// of the servers' own names, get a part of a hash, so that a name always means
// the same tool as long as the servers have the same tools.
func nameTools(all []*tool) {
	slices.SortFunc(all, func(a, b *tool) int {
		return cmp.Or(strings.Compare(a.server.spec.Name, b.server.spec.Name), strings.Compare(a.remote, b.remote))
	})
	taken := map[string]bool{}
	for _, t := range all {
		name := cleanName(t.server.spec.Name) + "__" + cleanName(t.remote)
		if len(name) > maxName || taken[name] {
			sum := sha256.Sum256([]byte(t.server.spec.Name + "\x00" + t.remote))
			mark := "_" + hex.EncodeToString(sum[:4])
			name = name[:min(len(name), maxName-len(mark))] + mark
		}
		taken[name] = true
		t.spec.Name = name
	}
	slices.SortFunc(all, func(a, b *tool) int { return strings.Compare(a.spec.Name, b.spec.Name) })
}

// cleanName returns a name in the alphabet of tool names.
func cleanName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, s)
}
