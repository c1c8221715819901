package shell

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Outputs bound the files that keep what commands print. The zero value of a
// field stands for its default.
type Outputs struct {
	MaxFile  int64         // of one command; 0: 64 MiB
	MaxTotal int64         // of all together; 0: 1 GiB
	MaxAge   time.Duration // 0: 7 days
}

func (o Outputs) withDefaults() Outputs {
	if o.MaxFile == 0 {
		o.MaxFile = 64 << 20
	}
	if o.MaxTotal == 0 {
		o.MaxTotal = 1 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 7 * 24 * time.Hour
	}
	return o
}

// shelf is the directory of those files, with one below it for each
// conversation.
type shelf struct {
	dir string // "": nothing is kept

	mu    sync.Mutex
	inUse map[string]bool // by name below dir
}

// folderOf returns the name of a conversation's directory.
func folderOf(session string) string {
	sum := sha256.Sum256([]byte(session))
	return hex.EncodeToString(sum[:8])
}

// create makes a file for a conversation, and room for it. The caller closes the
// file and then calls done with its name.
func (s *shelf) create(session string, limits Outputs) (f *os.File, name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(limits)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, "", err
	}
	root, err := os.OpenRoot(s.dir) // whatever stands in there, nothing is written elsewhere
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = root.Close() }()
	folder := folderOf(session)
	if err := root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, "", err
	}
	name = filepath.Join(folder, "out-"+rand.Text()[:8]+".txt")
	f, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, "", err
	}
	if s.inUse == nil {
		s.inUse = map[string]bool{}
	}
	s.inUse[name] = true
	return f, name, nil
}

func (s *shelf) done(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inUse, name)
}

// forget removes the files of a conversation.
func (s *shelf) forget(session string) error {
	if s.dir == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	root, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(root.RemoveAll(folderOf(session)), root.Close())
}

// sweep removes the files that the limits leave no room for.
func (s *shelf) sweep(limits Outputs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(limits)
}

// kept is a file on the shelf.
type kept struct {
	name string
	size int64
	at   time.Time
}

// tidy removes what is too old, then the oldest until the rest is small enough,
// but nothing that is being written. What cannot be removed now is tried again.
func (s *shelf) tidy(limits Outputs) {
	limits = limits.withDefaults()
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return // nothing was ever kept
	}
	defer func() { _ = root.Close() }()
	files, total := s.files(root)
	for _, f := range files {
		if total <= limits.MaxTotal && time.Since(f.at) <= limits.MaxAge {
			break
		}
		if s.inUse[f.name] {
			continue
		}
		if root.Remove(f.name) == nil {
			total -= f.size
			_ = root.Remove(filepath.Dir(f.name)) // if it was the last in there
		}
	}
}

// files lists what is on the shelf, the oldest first.
func (s *shelf) files(root *os.Root) (files []kept, total int64) {
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read is not removed either
		}
		if info, err := d.Info(); err == nil {
			files = append(files, kept{name, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return nil
	})
	slices.SortFunc(files, func(a, b kept) int { return a.at.Compare(b.at) })
	return files, total
}
