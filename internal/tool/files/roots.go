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
	real  string // with symbolic links resolved, save those in what commands write
	write bool
}

// addRoots sets the folders that opts name.
func (s *space) addRoots(opts Options) error {
	s.roots = []root{{path: s.workspace, write: true}, {path: s.home}}
	for _, r := range opts.Readable {
		path, err := s.configured("Readable", r)
		if err != nil {
			return err
		}
		s.roots = append(s.roots, root{path: path})
	}
	for _, w := range opts.Writable {
		path, err := s.configured("Writable", w)
		if err != nil {
			return err
		}
		s.roots = append(s.roots, root{path: path, write: true})
	}
	most := slices.Clone(s.roots) // following every link
	for i := range most {
		most[i].real = paths.Real(most[i].path)
	}
	for i := range s.roots {
		s.roots[i].real = paths.RealBut(s.roots[i].path, func(dir string) bool { return commandsWrite(most, opts.State, dir) })
	}
	return nil
}

// commandsWrite says whether a command may write in dir, and so may have made a
// link that is there: it is in a root to write, and not in the state unless
// that root is.
func commandsWrite(roots []root, state, dir string) bool {
	depth := -1
	for _, r := range roots {
		for _, base := range []string{r.path, r.real} {
			if r.write && paths.Within(dir, base) {
				depth = max(depth, len(base))
			}
		}
	}
	for _, base := range []string{state, paths.Real(state)} {
		if state != "" && paths.Within(dir, base) && len(base) > depth {
			return false
		}
	}
	return depth >= 0
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
// made: whoever can replace it with a symbolic link must not move it, nor by
// having done so before.
func (r *root) open() (*os.Root, error) {
	if real, err := filepath.EvalSymlinks(r.real); err == nil && real != r.real {
		return nil, badArgs("%s is, or is behind, a symbolic link that a command may have made; the user must look at it, or name the folder itself in the configuration, and start the gateway again", r.path)
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
