package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/gofrs/flock"

	"github.com/openclaw/openclaw-go"
)

// fileLock keeps a second process from writing to the same store. The system
// drops it with the process that holds it, however that ends; the file stays,
// because removing it would let two processes lock two different files.
type fileLock struct {
	flock *flock.Flock
}

// lockFile takes the lock of the store at path without waiting for it.
func lockFile(path string) (*fileLock, error) {
	name := path + ".lock"
	l := &fileLock{flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600))}
	locked, err := l.flock.TryLock()
	if err != nil {
		return nil, notWritable(path, err)
	}
	if !locked {
		return nil, inUse(path, holder(name))
	}
	if err := os.WriteFile(name, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600); err != nil {
		return nil, errors.Join(notWritable(path, err), l.release())
	}
	return l, nil
}

func (l *fileLock) release() error {
	// A number left behind would be taken for the holder's by whoever comes
	// between the next lock and the next write.
	if err := os.Truncate(l.flock.Path(), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, l.flock.Unlock())
	}
	return l.flock.Unlock()
}

// holder returns the process id in the lock file, or 0.
func holder(name string) int {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

func inUse(path string, pid int) error {
	who, details := "another process", map[string]any(nil)
	if pid > 0 {
		who, details = fmt.Sprintf("process %d", pid), map[string]any{"pid": pid}
	}
	return &openclaw.Error{
		Code: openclaw.CodeGatewayBusy,
		Message: fmt.Sprintf("the store %s is in use by %s; stop that gateway first (openclaw gateway stop), "+
			"or set store.path to another file", path, who),
		Details: details,
	}
}
