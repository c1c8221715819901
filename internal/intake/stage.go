package intake

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The hidden directories beside what is installed.
const (
	stagePrefix   = ".install-"
	removedPrefix = ".removed-"
	abandoned     = 24 * time.Hour // after that one of them belongs to nobody
)

// Stage is a hidden directory inside the one that something is to be installed
// into, so that placing it there is a rename. Close it.
type Stage struct {
	into string
	dir  string // holds files, and whatever else is needed to fetch them
	root *os.Root
}

// NewStage makes a Stage inside the directory into, which it makes with mode
// 0700 where it is missing.
func NewStage(into string) (*Stage, error) {
	if err := os.MkdirAll(into, 0o700); err != nil {
		return nil, failed("cannot make "+into, err)
	}
	sweep(into)
	dir, err := os.MkdirTemp(into, stagePrefix)
	if err != nil {
		return nil, failed("cannot write to "+into, err)
	}
	s := &Stage{into: into, dir: dir}
	if err := os.Mkdir(s.Dir(), 0o700); err != nil {
		return nil, errors.Join(failed("cannot write to "+into, err), s.Close())
	}
	if s.root, err = os.OpenRoot(s.Dir()); err != nil {
		return nil, errors.Join(failed("cannot open "+dir, err), s.Close())
	}
	return s, nil
}

// sweep removes what installs that were killed have left behind.
func sweep(into string) {
	entries, err := os.ReadDir(into)
	if err != nil {
		return
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), stagePrefix) || strings.HasPrefix(e.Name(), removedPrefix)
		if info, err := e.Info(); ours && err == nil && info.IsDir() && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(filepath.Join(into, e.Name())) // the next one tries again
		}
	}
}

// Dir is where the files are that have come in.
func (s *Stage) Dir() string { return filepath.Join(s.dir, "files") }

// Close removes what is left of the stage.
func (s *Stage) Close() error {
	var err error
	if s.root != nil {
		err = s.root.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Place moves a directory of the stage, or Dir itself, to the given name, in
// one step: there is never half of it. What is there already is replaced when
// replace is set, else it stays, and the error says so. name is one name, not a
// path.
func (s *Stage) Place(dir, name string, replace bool) (path string, err error) {
	if name == "" || strings.HasPrefix(name, ".") || filepath.Base(name) != name {
		return "", refuse("%q is no name for a directory", name)
	}
	if err := syncTree(dir); err != nil {
		return "", err
	}
	target := filepath.Join(s.into, name)
	_, err = os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", failed("cannot look at "+target, err)
	case !replace:
		return "", refuse("%s is there already; --force replaces it", target)
	default:
		if err := os.Rename(target, filepath.Join(s.dir, "old")); err != nil {
			return "", failed("cannot replace "+target, err)
		}
	}
	if err := os.Rename(dir, target); err != nil {
		// Nothing may be lost: what was there comes back.
		back := os.Rename(filepath.Join(s.dir, "old"), target)
		if errors.Is(back, fs.ErrNotExist) {
			back = nil
		}
		return "", failed("cannot write "+target, errors.Join(err, back))
	}
	return target, syncFile(s.into)
}

// Remove removes a file or directory that is inside the directory from, in one
// step as far as anybody can see.
func Remove(from, path string) error {
	hidden, err := os.MkdirTemp(from, removedPrefix)
	if err != nil {
		return failed("cannot write to "+from, err)
	}
	if err := os.Rename(path, filepath.Join(hidden, "old")); err != nil {
		return errors.Join(failed("cannot remove "+path, err), os.Remove(hidden))
	}
	if err := errors.Join(syncFile(from), os.RemoveAll(hidden)); err != nil {
		return failed("cannot remove all of "+path, err)
	}
	return nil
}

// syncTree writes a directory and all below it to the disk: a power cut after
// an install must not leave empty files.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return failed("cannot read "+path, err)
		}
		return syncFile(path)
	})
}

// syncFile writes a file or directory to the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return failed("cannot open "+path, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return failed("cannot sync "+path, err)
	}
	return nil
}
