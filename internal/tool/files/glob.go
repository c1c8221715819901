package files

import (
	"path"
	"slices"
	"strings"
)

// glob matches paths, relative and with slashes. "*", "?" and "[…]" match within
// a name, "**" any number of folders, "{a,b}" either.
type glob struct {
	alternatives [][]string // the names of each pattern
	anyDepth     bool       // a pattern without a slash matches the last name
}

// maxAlternatives bounds what braces expand to.
const maxAlternatives = 64

// parseGlob reads a pattern.
func parseGlob(pattern string) (*glob, error) {
	pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
	if pattern == "" || strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "~") {
		return nil, badArgs(`the pattern must be relative to path, such as "*.go" or "src/**/*.go"; give the folder as path`)
	}
	g := &glob{anyDepth: !strings.Contains(pattern, "/")}
	patterns, ok := expandBraces(pattern, maxAlternatives)
	if !ok {
		return nil, badArgs("the braces in the pattern stand for more than %d patterns; use simpler ones", maxAlternatives)
	}
	for _, p := range patterns {
		names := strings.Split(p, "/")
		for _, n := range names {
			if _, err := path.Match(n, ""); err != nil {
				return nil, badArgs("%q in the pattern is not complete; close the [ or write \\[", n)
			}
			if n == ".." {
				return nil, badArgs(`the pattern must not contain ".."; give the folder as path`)
			}
		}
		g.alternatives = append(g.alternatives, slices.CompactFunc(names, func(a, b string) bool { return a == "**" && b == "**" }))
	}
	return g, nil
}

// expandBraces returns the patterns that one with braces stands for, at most
// limit.
func expandBraces(pattern string, limit int) ([]string, bool) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}, true
	}
	length := strings.IndexByte(pattern[open:], '}')
	if length < 0 {
		return []string{pattern}, true
	}
	if inner := strings.LastIndexByte(pattern[:open+length], '{'); inner > open {
		open, length = inner, length-(inner-open) // the innermost first
	}
	var all []string
	for choice := range strings.SplitSeq(pattern[open+1:open+length], ",") {
		more, ok := expandBraces(pattern[:open]+choice+pattern[open+length+1:], limit-len(all))
		if all = append(all, more...); !ok || len(all) > limit {
			return nil, false
		}
	}
	return all, true
}

// matches says whether the glob matches rel.
func (g *glob) matches(rel string) bool {
	if g.anyDepth {
		rel = path.Base(rel)
	}
	names := strings.Split(rel, "/")
	return slices.ContainsFunc(g.alternatives, func(pattern []string) bool { return matchNames(pattern, names) })
}

// names says whether the glob contains name itself.
func (g *glob) names(name string) bool {
	return slices.ContainsFunc(g.alternatives, func(pattern []string) bool { return slices.Contains(pattern, name) })
}

// matchNames matches name by name. It takes at most as many steps as the product
// of both lengths: when a name does not match, only the last "**" takes one
// more.
func matchNames(pattern, names []string) bool {
	p, n := 0, 0
	star, resume := -1, 0
	for n < len(names) {
		if p < len(pattern) && pattern[p] == "**" {
			star, resume = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if ok, _ := path.Match(pattern[p], names[n]); ok { // the pattern was checked
				p, n = p+1, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		resume++
		p, n = star+1, resume
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}
