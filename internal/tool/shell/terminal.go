package shell

import (
	"context"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// The size of every terminal.
const (
	terminalRows    = 40
	terminalColumns = 120
)

// terminal is a pseudo terminal for one command.
type terminal struct {
	ours   *os.File // what is written here is typed, what is printed is read here
	theirs *os.File
}

func openTerminal() (*terminal, error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return nil, outOfFiles(err)
	}
	t := &terminal{theirs: theirs}
	err = pty.Setsize(ours, &pty.Winsize{Rows: terminalRows, Cols: terminalColumns})
	if err == nil {
		t.ours, err = interruptible(ours)
	}
	_ = ours.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, outOfFiles(err)
	}
	return t, nil
}

// interruptible returns f anew, so that reading and writing can be interrupted:
// package pty leaves it such that they cannot.
func interruptible(f *os.File) (*os.File, error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Dup(int(f.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func (t *terminal) close() { _, _ = t.ours.Close(), t.theirs.Close() }

// lateness is how long to wait for the rest of what was printed when all
// processes are gone: a process of somebody else may hold the terminal.
const lateness = 2 * time.Second

// exec returns run for one command with the terminal, which it closes.
func (t *terminal) exec(run Exec) Exec {
	return func(ctx context.Context, c Command) (Exit, error) {
		var reading sync.WaitGroup
		out := c.Output
		reading.Go(func() {
			_, _ = io.Copy(out, t.ours) // it ends with an error when nobody has the other side
		})
		c.Output, c.Terminal = nil, t.theirs
		exit, err := run(ctx, c)
		_ = t.theirs.Close()
		_ = t.ours.SetReadDeadline(time.Now().Add(lateness)) // it was opened for that
		reading.Wait()
		_ = t.ours.Close()
		return exit, err
	}
}

// keyboard types at a terminal. Its end is the character that says so.
type keyboard struct {
	file    *os.File
	partial bool // a line without its end has been typed
}

// Write implements io.Writer.
func (k *keyboard) Write(p []byte) (int, error) {
	n, err := k.file.Write(p)
	if n > 0 {
		k.partial = p[n-1] != '\n'
	}
	return n, err
}

// SetWriteDeadline is like that of os.File.
func (k *keyboard) SetWriteDeadline(at time.Time) error { return k.file.SetWriteDeadline(at) }

// Close implements io.Closer.
func (k *keyboard) Close() error {
	end := "\x04"
	if k.partial {
		end = "\x04\x04" // the first one ends the line
	}
	_, err := k.file.WriteString(end)
	return err
}
