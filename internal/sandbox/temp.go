package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go/internal/paths"
)

const (
	tempPrefix = "openclaw-job-"
	// tempYoung is how old a temporary directory must be to count as left behind:
	// its owner needs a moment from making to locking it.
	tempYoung = time.Minute
)

// tempDir is the temporary directory of a job. Its owner holds a lock on it,
// which the system drops with the process, so that it can be told from one that
// was left behind, also in another container.
type tempDir struct {
	path string
	lock *os.File
}

// makeTemp makes the temporary directory of a job, for its user alone.
func makeTemp() (*tempDir, error) {
	dir, err := os.MkdirTemp("", tempPrefix)
	if err != nil {
		return nil, err
	}
	dir = paths.Real(dir)
	lock, err := lockTemp(dir)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return &tempDir{dir, lock}, nil
}

// lockTemp fails where somebody else has the lock.
func lockTemp(dir string) (*os.File, error) {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// remove removes the directory.
func (t *tempDir) remove() error { return errors.Join(removeTemp(t.path), t.lock.Close()) }

// RemoveStale removes temporary directories of jobs whose gateway was killed, if
// their supervisors were, too, or could only empty them, and returns how many
// there were.
func (r *Runner) RemoveStale() (n int) {
	paths, err := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*"))
	if err != nil {
		return 0
	}
	for _, path := range paths {
		if removeStale(path) {
			n++
		}
	}
	return n
}

func removeStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || time.Since(info.ModTime()) < tempYoung {
		return false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return false
	}
	lock, err := lockTemp(path)
	if errors.Is(err, fs.ErrPermission) { // the job has made it unreadable
		_ = os.Chmod(path, 0o700) //nolint:gosec // a directory
		lock, err = lockTemp(path)
	}
	if err != nil {
		return false
	}
	return (&tempDir{path, lock}).remove() == nil
}

// removeTemp removes a job's temporary directory, also what the job has made
// unreadable in there.
func removeTemp(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	err = errors.Join(openUp(root, "."), root.Close())
	return errors.Join(os.RemoveAll(dir), err)
}

// openUp makes the directory called name, and those in it, removable.
func openUp(root *os.Root, name string) error {
	if err := root.Chmod(name, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), name)
	for _, e := range entries {
		if e.IsDir() {
			child := e.Name()
			if name != "." {
				child = name + "/" + child
			}
			err = errors.Join(err, openUp(root, child))
		}
	}
	return err
}
