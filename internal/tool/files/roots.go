package files

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go/internal/paths"
)

// root is a folder that the tools reach.
type root struct {
	path  string // as configured
	real  string // with symbolic links resolved
	write bool
}

func (s *space) addRoot(path string, write bool) {
	s.roots = append(s.roots, root{path: path, real: paths.Real(path), write: write})
}

// absolute returns the path that name means, cleaned.
func (s *space) absolute(name string) (string, error) {
	switch {
	case strings.TrimSpace(name) == "":
		return "", badArgs(`the argument "path" is missing; name a file, relative to the workspace or absolute`)
	case strings.IndexByte(name, 0) >= 0:
		return "", badArgs("a path must not contain a NUL character")
	case len(name) > maxPath:
		return "", badArgs("the path is %d bytes long, the limit is %d", len(name), maxPath)
	case name == "~" || strings.HasPrefix(name, "~/"):
		return filepath.Join(s.home, name[1:]), nil
	case name[0] == '~':
		return "", badArgs("%s: only ~/ is understood; write ./ before a name that begins with ~", name)
	case filepath.IsAbs(name):
		return filepath.Clean(name), nil
	}
	return filepath.Join(s.workspace, name), nil
}

// rootOf returns the innermost root that path is in, and path relative to it.
func (s *space) rootOf(path string, write bool) (r *root, rel string, ok bool) {
	depth := -1
	for i := range s.roots {
		c := &s.roots[i]
		if write && !c.write {
			continue
		}
		for _, base := range []string{c.path, c.real} {
			if in, found := below(base, path); found && len(base) > depth {
				r, rel, depth, ok = c, in, len(base), true
			}
		}
	}
	return r, rel, ok
}

// below returns path relative to base, "." for base itself, if it is there. Both
// are clean.
func below(base, path string) (string, bool) {
	if base == path {
		return ".", true
	}
	rel, ok := strings.CutPrefix(path, strings.TrimSuffix(base, "/")+"/")
	return rel, ok
}

// isBlocked says whether path, which is clean, is a blocked path or below one,
// as far as names tell. Upper and lower case count as the same, since on some
// file systems they are.
func (s *space) isBlocked(path string) bool {
	names := strings.Split(path, "/")
	return slices.ContainsFunc(s.blocked, func(b string) bool {
		blocked := strings.Split(strings.TrimSuffix(b, "/"), "/") // "/" blocks everything
		return len(names) >= len(blocked) && slices.EqualFunc(names[:len(blocked)], blocked, strings.EqualFold)
	})
}

// open opens r's directory. A root must be what it was when the tools were
// made: whoever can replace it with a symbolic link must not move it.
func (r *root) open() (*os.Root, error) {
	if real, err := filepath.EvalSymlinks(r.real); err == nil && real != r.real {
		return nil, badArgs("%s has become a symbolic link; the user must look at it and start the gateway again", r.path)
	}
	return os.OpenRoot(r.real)
}

// describe lists the folders that can be read or written, for the model.
func (s *space) describe(write bool) string {
	var list []string
	for _, r := range s.roots {
		if !write || r.write {
			list = append(list, r.path)
		}
	}
	return strings.Join(list, ", ")
}
