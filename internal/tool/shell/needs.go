package shell

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// maxNeeds bounds what somebody has to read before they approve it.
const maxNeeds = 16

// needs reads the argument of that name: network, unconfined, and folders or
// files to write, relative to dir.
func (t *Tool) needs(list []string, dir string) (n openclaw.Needs, err error) {
	if len(list) > maxNeeds {
		return n, badArgs(fmt.Sprintf("needs has %d entries, the limit is %d; name a folder that holds the others", len(list), maxNeeds))
	}
	for _, need := range list {
		switch need {
		case "network":
			n.Network = !t.opts.Network
		case "unconfined":
			n.Unconfined = true
		default:
			path, err := t.writable(need, dir)
			if err != nil {
				return n, err
			}
			if path != "" && !slices.Contains(n.Write, path) {
				n.Write = append(n.Write, path)
			}
		}
	}
	slices.Sort(n.Write)
	return n, nil
}

// writable returns the real path that a command asks to write; "" where it may
// anyway.
func (t *Tool) writable(name, dir string) (string, error) {
	path := name
	switch {
	case name == "~" || strings.HasPrefix(name, "~/"):
		if t.home == "" {
			return "", badArgs("the home directory is not known here; use an absolute path in needs")
		}
		path = filepath.Join(t.home, name[1:])
	case !strings.Contains(name, "/"):
		return "", badArgs(fmt.Sprintf("needs: %q is neither network nor unconfined; write a folder as an absolute path", name))
	case !filepath.IsAbs(name):
		path = filepath.Join(dir, name)
	}
	path = paths.Real(filepath.Clean(path))
	for _, blocked := range t.opts.Blocked {
		real := paths.Real(blocked)
		if paths.WithinFold(path, real) || paths.WithinFold(real, path) || paths.WithinFold(path, blocked) || paths.WithinFold(blocked, path) {
			return "", badArgs(fmt.Sprintf("needs: %s is, or holds, what the user has blocked (hands.filesystem.blocked_paths); name a narrower folder or do without it", name))
		}
	}
	for _, open := range append([]string{t.opts.Workspace}, t.opts.Writable...) {
		if paths.WithinFold(path, paths.Real(open)) {
			return "", nil
		}
	}
	return path, nil
}
