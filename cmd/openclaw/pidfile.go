package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	openclaw "github.com/openclaw/openclaw-go"
)

// pidFile names the process that serves the gateway. What counts is its lock,
// which the system drops with that process however it ends; the file alone
// says nothing.
type pidFile struct{ file *os.File }

// claimPIDFile makes this process the one that the file at path names, or
// fails because another one is. Release it.
func claimPIDFile(path string) (*pidFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, pidFileError(path, err)
	}
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, pidFileError(path, err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			pid, _ := readPID(f)
			_ = f.Close() // nothing was written
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, alreadyRunning(pid)
			}
			return nil, pidFileError(path, err)
		}
		if !sameFile(f, path) { // its last owner removed it meanwhile
			_ = f.Close()
			continue
		}
		p := &pidFile{f}
		if err := p.write(); err != nil {
			return nil, errors.Join(pidFileError(path, err), p.release())
		}
		return p, nil
	}
}

// write puts the process id into the locked file, in one write.
func (p *pidFile) write() error {
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	if err := p.file.Chmod(0o600); err != nil {
		return err
	}
	_, err := p.file.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
	return err
}

// release removes the file and lets another process claim it. The order
// matters: whoever gets the lock of a removed file starts over.
func (p *pidFile) release() error {
	err := os.Remove(p.file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, p.file.Close())
}

// pidOf returns the process that holds the file at path; running is false when
// none does. The id is 0 when the process has not written it yet.
func pidOf(path string) (pid int, running bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, pidFileError(path, err)
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	switch {
	case err == nil:
		return 0, false, nil
	case !errors.Is(err, syscall.EWOULDBLOCK):
		return 0, false, pidFileError(path, err)
	}
	pid, err = readPID(f)
	if err != nil {
		return 0, true, pidFileError(path, err)
	}
	return pid, true, nil
}

func readPID(f *os.File) (int, error) {
	text := make([]byte, 32)
	n, _ := f.ReadAt(text, 0) // an empty file is one that is being written
	number := string(bytes.TrimSpace(text[:n]))
	if number == "" {
		return 0, nil
	}
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%q is no process id", cut(oneLine(number), 20))
	}
	return pid, nil
}

func sameFile(f *os.File, path string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}

func alreadyRunning(pid int) error {
	return &openclaw.Error{
		Code:    openclaw.CodeGatewayBusy,
		Message: fmt.Sprintf("a gateway is running already (pid %d); end it with: openclaw gateway stop", pid),
	}
}

func pidFileError(path string, err error) error {
	return &failure{exit: exitConfiguration, err: fmt.Errorf("cannot use gateway.pid_file %s; make it writable or set another: %w", path, err)}
}
