package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSymlinks is how many symbolic links one path may lead through.
const maxSymlinks = 40

// place is where a path led to: a name in a directory that is held open. The
// directory cannot change under it, whatever happens to the names above.
type place struct {
	shown string      // the path as the caller wrote it
	path  string      // the real path
	dir   *os.Root    // the directory that holds name
	name  string      // "." for a root itself
	info  fs.FileInfo // nil: nothing has that name
	guard *guard
}

func (p *place) close() { _ = p.dir.Close() }

// errChanged says that a file was replaced between looking at it and opening
// it.
func errChanged(name string) error { return badArgs("%s has just changed; try again", name) }

// purpose is what a path is followed for.
type purpose int

const (
	forReading  purpose = iota
	forWriting          // only below writable roots; the last name need not exist
	forCreating         // likewise, and missing folders are made
)

// locate follows name, through symbolic links, as far as it stays within the
// roots and away from blocked paths. The caller closes the place.
func (s *space) locate(name string, why purpose) (*place, error) {
	path, err := s.absolute(name)
	if err != nil {
		return nil, err
	}
	g := s.newGuard()
	for range maxSymlinks {
		w := walk{space: s, guard: g, shown: name, why: why}
		p, next, err := w.follow(path)
		if err != nil {
			return nil, err
		}
		if p != nil {
			return p, nil
		}
		path = next
	}
	return nil, badArgs("%s leads through too many symbolic links", name)
}

// walk follows one path, up to the first symbolic link.
type walk struct {
	space *space
	guard *guard
	shown string
	why   purpose

	dir  *os.Root
	path string // of dir; real
}

func (w *walk) errBlocked() error {
	return badArgs("%s is blocked by the user (hands.filesystem.blocked_paths); do without it or ask the user", w.shown)
}

// follow returns either the place that path leads to or, after a symbolic link,
// the path to follow instead.
func (w *walk) follow(path string) (p *place, next string, err error) {
	defer func() {
		if p == nil && w.dir != nil {
			_ = w.dir.Close()
		}
	}()
	rel, err := w.enter(path)
	if err != nil {
		return nil, "", err
	}
	for {
		name, rest, more := strings.Cut(rel, "/")
		full := filepath.Join(w.path, name)
		info, err := w.look(name, full, more)
		if err != nil {
			return nil, "", err
		}
		if info != nil && info.Mode()&fs.ModeSymlink != 0 {
			target, err := w.dir.Readlink(name)
			if err != nil {
				return nil, "", systemError(w.shown, err)
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(w.path, target)
			}
			return nil, filepath.Join(target, rest), nil
		}
		if !more {
			return &place{shown: w.shown, path: full, dir: w.dir, name: name, info: info, guard: w.guard}, "", nil
		}
		if err := w.descend(name, full, info); err != nil {
			return nil, "", err
		}
		rel = rest
	}
}

// enter opens the root that path is in and returns path relative to it.
func (w *walk) enter(path string) (string, error) {
	if w.space.isBlocked(path) {
		return "", w.errBlocked()
	}
	writing := w.why != forReading
	r, rel, ok := w.space.rootOf(path, writing)
	if !ok && writing {
		return "", badArgs("%s is outside of the folders that can be written (%s); the user can add one to hands.filesystem.writable_paths", w.shown, w.space.describe(true))
	}
	if !ok {
		return "", badArgs("%s is outside of the folders that can be read (%s)", w.shown, w.space.describe(false))
	}
	dir, err := r.open()
	if errors.Is(err, fs.ErrNotExist) && (w.why == forCreating || r.path == w.space.workspace) {
		if err = os.MkdirAll(r.real, 0o700); err == nil {
			dir, err = r.open()
		}
	}
	if err != nil {
		return "", systemError(r.path, err)
	}
	w.dir, w.path = dir, r.real
	info, err := dir.Stat(".")
	if err != nil {
		return "", systemError(r.path, err)
	}
	if w.guard.blocks(r.real, info) {
		return "", w.errBlocked()
	}
	return rel, nil
}

// look returns what name in the current directory is: nil if it is the last of
// the path and does not exist, which is fine for writing. more says that the
// path goes on below it.
func (w *walk) look(name, full string, more bool) (fs.FileInfo, error) {
	if w.space.isBlocked(full) {
		return nil, w.errBlocked()
	}
	info, err := w.dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		switch {
		case w.why == forReading, more && w.why == forWriting:
			return nil, notFound("%s does not exist; list_files shows what there is", w.shown)
		case !more:
			return nil, nil
		}
		if err := w.dir.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, systemError(w.shown, err)
		}
		info, err = w.dir.Lstat(name)
	}
	if err != nil {
		return nil, systemError(w.shown, err)
	}
	if w.guard.blocks(full, info) {
		return nil, w.errBlocked()
	}
	return info, nil
}

// descend makes the directory called name the current one.
func (w *walk) descend(name, full string, info fs.FileInfo) error {
	next, err := openDir(w.dir, name, info, w.shown)
	if err != nil {
		return err
	}
	_ = w.dir.Close()
	w.dir, w.path = next, full
	return nil
}

// openDir opens the directory that info, without following a link, was seen to
// be.
func openDir(parent *os.Root, name string, info fs.FileInfo, shown string) (*os.Root, error) {
	if !info.IsDir() {
		return nil, badArgs("%s: %s is not a folder", shown, name)
	}
	dir, err := parent.OpenRoot(name)
	if err != nil {
		return nil, systemError(shown, err)
	}
	now, err := dir.Stat(".")
	if err != nil || !os.SameFile(info, now) {
		_ = dir.Close()
		return nil, errChanged(shown)
	}
	return dir, nil
}

// openDir opens the directory at the place.
func (p *place) openDir() (*os.Root, error) { return openDir(p.dir, p.name, p.info, p.shown) }

// openFile opens the regular file at the place for reading.
func (p *place) openFile() (*os.File, error) { return openFile(p.dir, p.name, p.info, p.shown) }

// openFile opens the regular file that info, without following a link, was seen
// to be, and that no guard blocks. Should the name have become a pipe, opening
// it does not wait.
func openFile(dir *os.Root, name string, info fs.FileInfo, shown string) (*os.File, error) {
	if err := mustBeFile(info, shown); err != nil {
		return nil, err
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, systemError(shown, err)
	}
	now, err := f.Stat()
	if err != nil || !os.SameFile(info, now) {
		_ = f.Close()
		return nil, errChanged(shown)
	}
	return f, nil
}

func mustBeFile(info fs.FileInfo, shown string) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return badArgs("%s is a folder; use list_files", shown)
	}
	return badArgs("%s is not a regular file (%s) and cannot be used", shown, kindOf(info.Mode()))
}

// kindOf names what is neither a file nor a folder.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	case mode&fs.ModeSymlink != 0:
		return "link"
	}
	return "special file"
}
