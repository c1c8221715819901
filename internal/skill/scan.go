package skill

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go/internal/paths"
)

// The bounds of a search for skills, per root.
const (
	maxDepth   = 6         // levels of directories below the root
	maxEntries = 20_000    // directory entries looked at
	maxFile    = 256 << 10 // bytes of a skill's file
)

// skippedDirs are directories that hold a skill's material or a program's
// packages, not skills.
var skippedDirs = []string{"node_modules", "assets", "references", "scripts"}

// documents are files beside skills that are not meant as skills.
var documents = []string{"readme.md", "changelog.md", "license.md", "contributing.md", "agents.md", "claude.md", "security.md"}

// stamp tells whether a file may have changed.
type stamp struct {
	modified time.Time
	size     int64
}

// found is a file that looks like a skill.
type found struct {
	path  string // links resolved
	stamp stamp
}

// walk is one search through one root.
type walk struct {
	root     string // links resolved
	files    []found
	problems []Problem
	visited  map[string]bool
	entries  int
}

// findSkills lists the files under root that look like skills, in the order of
// their paths. A root that is not there has none.
func findSkills(root string) ([]found, []Problem) {
	real, err := realPath(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []Problem{{File: root, Reason: reason(err), Skipped: true}}
	}
	w := &walk{root: real, visited: make(map[string]bool)}
	w.dir(real, 0)
	if w.entries > maxEntries {
		w.skip(root, "over 20,000 files here; the rest is not looked at")
	}
	return w.files, w.problems
}

func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// reason is what an error of the file system comes to, without the path, which
// the Problem names already.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return "cannot be read: " + err.Error()
}

func (w *walk) skip(path, reason string) {
	w.problems = append(w.problems, Problem{File: path, Reason: reason, Skipped: true})
}

// dir looks through one directory, depth levels below the root.
func (w *walk) dir(path string, depth int) {
	if w.visited[path] || w.entries > maxEntries {
		return
	}
	w.visited[path] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		w.skip(path, reason(err))
		return
	}
	w.entries += len(entries)
	skillFile := preferred(entries)
	for _, e := range entries {
		if w.entries > maxEntries {
			return
		}
		name := e.Name()
		switch {
		case isSkillFile(name) && name != skillFile:
			w.skip(filepath.Join(path, name), "not read; "+skillFile+" beside it is the skill")
		case isSkillFile(name), depth == 0 && isSingle(name):
			w.entry(filepath.Join(path, name), e, depth, true)
		case !strings.HasPrefix(name, ".") && !slices.Contains(skippedDirs, name):
			w.entry(filepath.Join(path, name), e, depth, false)
		}
	}
}

// preferred returns which of a directory's files is the skill: SKILL.md
// wherever it is there in that spelling.
func preferred(entries []os.DirEntry) string {
	name := ""
	for _, e := range entries {
		if isSkillFile(e.Name()) && (name == "" || e.Name() == "SKILL.md") {
			name = e.Name()
		}
	}
	return name
}

func isSingle(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".md") && !strings.HasPrefix(name, ".") &&
		!slices.Contains(documents, strings.ToLower(name))
}

// entry looks at one entry of a directory: a file that may be a skill, or
// anything else, of which only directories matter.
func (w *walk) entry(path string, e os.DirEntry, depth int, file bool) {
	info, err := e.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, linkErr := filepath.EvalSymlinks(path)
		if linkErr != nil {
			if file {
				w.skip(path, "a link that leads nowhere")
			}
			return
		}
		if info, err = os.Stat(target); err == nil && !paths.Within(target, w.root) {
			if file || info.IsDir() {
				w.skip(path, "a link that leads out of "+w.root+"; copy the skill here, or add its directory to skills.extra_paths")
			}
			return
		}
		path = target
	}
	switch {
	case errors.Is(err, fs.ErrNotExist): // it went away meanwhile
	case err != nil:
		w.skip(path, reason(err))
	case info.IsDir() && depth < maxDepth:
		w.dir(path, depth+1)
	case file && info.Mode().IsRegular():
		w.files = append(w.files, found{path, stamp{info.ModTime(), info.Size()}})
	case file && !info.IsDir():
		w.skip(path, "not a regular file")
	}
}

// readFile reads a skill's file that findSkills found under root. It opens the
// file through the root, so that a link put there since cannot lead out.
func readFile(root, path string) ([]byte, error) {
	real, err := realPath(root)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(real, path)
	if err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(real)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := openRegular(dir, rel)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLarge
	}
	return data, err
}

// openRegular opens a regular file, without blocking, so that a FIFO in its
// place cannot hold it up.
func openRegular(dir *os.Root, name string) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errNotRegular, f.Close())
	}
	return f, nil
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("over 256 KiB; a skill's text must be smaller")
)
