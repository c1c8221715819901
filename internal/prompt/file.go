package prompt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"
)

// settled is the age at which a file's time tells that it has not changed
// since: younger ones may be written twice within one tick of the clock.
const settled = 2 * time.Second

// folder is one place of files. That a file has come or gone shows in the
// folder's own time, so that those that are not there cost nothing.
type folder struct {
	dir   string
	files []*file
	stamp stamp
}

// refresh reads what has changed, and says whether anything has.
func (d *folder) refresh(now time.Time, logger *slog.Logger) (changed bool) {
	found := stamp{}
	if info, err := os.Stat(d.dir); err == nil {
		found = stampOf(info, now)
	}
	same := found == d.stamp && (found.settled || !found.there)
	d.stamp = found
	for _, f := range d.files {
		if same && !f.stamp.there {
			continue
		}
		is, err := f.refresh(now)
		if err != nil {
			logger.Warn("instructions not read", "file", f.path(), "err", err)
		}
		changed = changed || is
	}
	return changed
}

// file is one file of a layer, as it was read last.
type file struct {
	dir, name string
	owners    bool // the owner's alone, not the agent's to write

	stamp  stamp
	text   string // "": there is none, or it cannot be read
	size   int64
	longer bool // text is not all of it
}

// stamp is how one version of a file is told from another.
type stamp struct {
	there    bool
	size     int64
	modified time.Time
	settled  bool
}

func stampOf(info fs.FileInfo, now time.Time) stamp {
	return stamp{true, info.Size(), info.ModTime(), now.Sub(info.ModTime()).Abs() > settled}
}

// refresh reads the file if it is not the one that was read last, and says
// whether its text has changed. An error is returned once for each version.
func (f *file) refresh(now time.Time) (changed bool, err error) {
	info, err := f.look()
	if errors.Is(err, fs.ErrNotExist) {
		changed = f.text != ""
		f.stamp, f.text = stamp{}, ""
		return changed, nil
	}
	var found stamp
	if err == nil {
		found = stampOf(info, now)
		if found == f.stamp && found.settled {
			return false, nil
		}
	}
	known := found.there && found.size == f.stamp.size && found.modified.Equal(f.stamp.modified)
	f.stamp = found
	before := f.text
	if err == nil {
		err = f.read()
	}
	if err != nil {
		f.text = ""
	}
	if known {
		err = nil // it has been reported
	}
	return f.text != before, err
}

// look follows a link of the owner's, so that a change behind it is seen.
func (f *file) look() (fs.FileInfo, error) {
	if f.owners {
		return os.Stat(f.path())
	}
	return os.Lstat(f.path())
}

func (f *file) path() string { return f.dir + string(os.PathSeparator) + f.name }

// read reads what is shown of the file, and a byte more to know whether there
// is more. It follows no symbolic link out of its folder, and in the workspace
// none at all, nor does it read a file there that has another name elsewhere:
// the agent could have made either to read what is closed to it.
func (f *file) read() error {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(f.name)
	if err == nil && !f.owners {
		info, err = root.Lstat(f.name)
	}
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", f.name)
	}
	opened, err := root.Open(f.name)
	if err != nil {
		return err
	}
	defer opened.Close()
	now, err := opened.Stat()
	switch {
	case err != nil:
		return err
	case !os.SameFile(info, now):
		return fmt.Errorf("%s has just changed", f.name)
	case !f.owners && links(now) > 1:
		return fmt.Errorf("%s has several names (hard links)", f.name)
	}
	data, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n", "\n")
	f.text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	f.size, f.longer = now.Size(), len(data) > maxFile
	return nil
}

// links returns how many names a file has.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
