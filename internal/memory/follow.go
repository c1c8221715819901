package memory

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// The bounds of what is searched.
const (
	maxFiles = 1000     // the first by name
	maxFile  = 8 << 20  // bytes of a file; a longer one is searched up to here
	maxTotal = 64 << 20 // bytes of all files
)

// settledAfter is the age at which a file's time tells that it has not changed
// since: younger ones may be written twice within one tick of the clock.
const settledAfter = 2 * time.Second

// attempts is how often the index is made anew for one call: another process,
// or a person, may be taking it away at the same time.
const attempts = 3

// with lets do read an index that is up to date; where there is no directory
// there is nothing to read. An index that turns out to be damaged is made anew
// from the files, and do is called again. The caller holds the lock.
func (s *Store) with(ctx context.Context, do func(*index) error) error {
	if s.closed {
		return errClosed
	}
	for n := 1; ; n++ {
		ix, err := s.refresh(ctx)
		if err == nil && ix != nil {
			err = do(ix)
		}
		if n == attempts || !damaged(err) {
			return indexFailed(ctx, err)
		}
		s.logger.Warn("memory index is damaged, it is made anew", "err", err)
		if err := s.discard(ctx); err != nil {
			return err
		}
	}
}

// discard removes the index, unless another process has done so already.
func (s *Store) discard(ctx context.Context) error {
	return s.alone(ctx, func() error {
		if s.index != nil && s.index.current(s.path) {
			removeIndex(s.path)
		}
		_ = s.closeIndex() // its error is that of the damage
		return nil
	})
}

// alone calls do while no other process changes files or opens the index. A
// directory that cannot be written to is nobody's to change.
func (s *Store) alone(ctx context.Context, do func() error) error {
	if s.locked {
		return do()
	}
	lock := flock.New(filepath.Join(s.path, ".lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	s.locked = true
	defer func() {
		s.locked = false
		_ = lock.Close() // the end of the process would do
	}()
	return do()
}

// refresh brings the index up to what the files say; nil: there is no
// directory. The caller holds the lock.
func (s *Store) refresh(ctx context.Context) (*index, error) {
	names, err := os.ReadDir(s.path) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		s.looked, s.counted = time.Now(), 0
		return nil, s.closeIndex()
	}
	if err != nil {
		return nil, failed("cannot read the memory's directory; check memory.path", err)
	}
	if err := s.openIndex(ctx); err != nil {
		return nil, err
	}
	if err := s.follow(ctx, names); err != nil {
		return nil, err
	}
	if s.counted, err = s.index.count(ctx); err != nil {
		return nil, err
	}
	s.looked = time.Now()
	return s.index, nil
}

// openIndex opens the index, again if somebody has taken it away.
func (s *Store) openIndex(ctx context.Context) error {
	if s.index != nil && s.index.current(s.path) {
		return nil
	}
	if err := s.closeIndex(); err != nil {
		s.logger.Warn("memory index not closed", "err", err)
	}
	s.vectors.stale, s.vectors.missing = true, true
	return s.alone(ctx, func() (err error) {
		var damage error
		s.index, damage, err = openIndex(ctx, s.path)
		if damage != nil {
			s.logger.Warn("memory index could not be used, it is made anew", "err", damage)
		}
		return err
	})
}

// follow takes over the files that are not as the index knows them, and those
// that are gone, one after the other: what has been done stays done if ctx
// ends. Nobody else writes the index while a file is read for it: what was read
// earlier must not replace what was read later.
func (s *Store) follow(ctx context.Context, names []os.DirEntry) error {
	known, err := stamps(ctx, s.index.db)
	if err != nil {
		return err
	}
	var dirty []string
	for _, info := range s.facts(names) {
		if was := known[info.Name()]; !was.settled || !was.like(info) {
			dirty = append(dirty, info.Name())
		}
		delete(known, info.Name())
	}
	if len(dirty) == 0 && len(known) == 0 {
		return nil
	}
	dir, err := os.OpenRoot(s.path)
	if err != nil {
		return failed("cannot read the memory's directory; check memory.path", err)
	}
	defer dir.Close()
	for name := range known {
		s.vectors.stale, s.vectors.missing = true, true
		if err := s.index.update(ctx, func(u *update) error { return u.drop(ctx, name) }); err != nil {
			return err
		}
	}
	for _, name := range dirty {
		if err := s.index.update(ctx, func(u *update) error { return s.take(ctx, u, dir, name) }); err != nil {
			return err
		}
	}
	return nil
}

// facts returns the files of memory, as many as are searched.
func (s *Store) facts(names []os.DirEntry) []os.FileInfo {
	var found []os.FileInfo
	var total int64
	for _, e := range names {
		if !isFacts(e) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it went away meanwhile
		}
		if total += min(info.Size(), maxFile); len(found) == maxFiles || total > maxTotal {
			s.once(e.Name(), errTooMany)
			break
		}
		found = append(found, info)
	}
	return found
}

// isFacts says whether a directory entry is a file of memory.
func isFacts(e os.DirEntry) bool {
	name := e.Name()
	return strings.EqualFold(filepath.Ext(name), ".md") && !strings.HasPrefix(name, ".") && e.Type().IsRegular()
}

// take reads a file if it may not be as it was, and takes it over. One that
// cannot be read, or is no text, has no entries.
func (s *Store) take(ctx context.Context, u *update, dir *os.Root, name string) error {
	was, has, err := u.known(ctx, name)
	if err != nil {
		return err
	}
	info, err := dir.Lstat(name)
	if err != nil {
		return u.drop(ctx, name) // it went away meanwhile
	}
	if has && was.settled && was.like(info) {
		return nil
	}
	data, err := read(dir, name)
	if err != nil {
		s.once(name, err)
		data = nil
	}
	now := stampOf(info)
	now.sum = sum(data)
	switch {
	case has && now == was:
		return nil
	case has && now.sum == was.sum:
		return u.stamp(ctx, name, now)
	}
	s.vectors.stale, s.vectors.missing = true, true
	return u.put(ctx, name, now, parse(name, data))
}

// once logs why a file is not searched, not each time it is looked at.
func (s *Store) once(name string, err error) {
	if s.told == nil {
		s.told = map[string]bool{}
	}
	if !s.told[name] && len(s.told) < maxFiles {
		s.told[name] = true
		s.logger.Warn("file of memory left out", "file", name, "err", err)
	}
}

// errTooMany says that the files before one are all that are searched.
var errTooMany = errors.New("it and those after it are beyond what is searched")

// stampOf tells the state of a file, all but the sum of its bytes.
func stampOf(info os.FileInfo) stamp {
	st := stamp{modified: info.ModTime().UnixNano(), size: info.Size(), settled: time.Since(info.ModTime()).Abs() > settledAfter}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.inode = int64(sys.Ino)
	}
	return st
}

// like says whether a file is in this state, as far as its size and times tell.
func (s stamp) like(info os.FileInfo) bool {
	now := stampOf(info)
	return s.modified == now.modified && s.size == now.size && s.inode == now.inode
}

func sum(data []byte) int64 {
	h := fnv.New64a()
	_, _ = h.Write(data) // never fails
	return int64(h.Sum64())
}

// errNoText says that a file is not a text.
var errNoText = errors.New("it is no text")

// read returns the beginning of a file, whole lines. It never follows a link
// out of the directory and never waits for a FIFO.
func read(dir *os.Root, name string) ([]byte, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errNoText)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		data = data[:bytes.LastIndexByte(data, '\n')+1]
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, errNoText
	}
	return data, nil
}
