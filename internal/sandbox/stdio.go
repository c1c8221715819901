package sandbox

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// stdio connects a job's readers and writers to the descriptors its process
// gets. It is used by one Run and not safe for concurrent use.
type stdio struct {
	child  [3]*os.File // what the process gets as 0, 1 and 2
	opened []*os.File  // the ones of child that were opened here

	inputs  []*os.File // our ends of the pipes
	outputs []*os.File

	copies   []func() error
	copying  sync.WaitGroup
	mu       sync.Mutex
	firstErr error
}

// openStdio opens what job needs. After an error nothing is open.
func openStdio(job *Job) (s *stdio, err error) {
	s = &stdio{}
	defer func() {
		if err != nil {
			s.closeChild()
			s.closeOurs()
		}
	}()
	if err = s.input(job.Stdin); err != nil {
		return nil, err
	}
	if err = s.output(1, job.Stdout); err != nil {
		return nil, err
	}
	if job.Stderr != nil && sameWriter(job.Stdout, job.Stderr) {
		s.child[2] = s.child[1]
		return s, nil
	}
	if err = s.output(2, job.Stderr); err != nil {
		return nil, err
	}
	return s, nil
}

// sameWriter compares two writers; values of types that cannot be compared
// are different.
func sameWriter(a, b io.Writer) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b
}

func (s *stdio) input(r io.Reader) error {
	switch r := r.(type) {
	case nil:
		return s.null(0, os.O_RDONLY)
	case *os.File:
		s.child[0] = r
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.child[0], s.opened, s.inputs = pr, append(s.opened, pr), append(s.inputs, pw)
	s.copies = append(s.copies, func() error {
		defer func() { _ = pw.Close() }() // the command sees the end; it may be closed already
		_, err := io.Copy(pw, r)
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
			return nil // the command did not want to read all of it
		}
		return err
	})
	return nil
}

func (s *stdio) output(fd int, w io.Writer) error {
	switch w := w.(type) {
	case nil:
		return s.null(fd, os.O_WRONLY)
	case *os.File:
		s.child[fd] = w
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.child[fd], s.opened, s.outputs = pw, append(s.opened, pw), append(s.outputs, pr)
	s.copies = append(s.copies, func() error {
		defer func() { _ = pr.Close() }()
		_, err := io.Copy(w, &arrived{file: pr})
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
			return nil // whoever still holds the pipe is not part of the job
		}
		return err
	})
	return nil
}

func (s *stdio) null(fd, flag int) error {
	f, err := os.OpenFile(os.DevNull, flag, 0)
	if err != nil {
		return err
	}
	s.child[fd], s.opened = f, append(s.opened, f)
	return nil
}

// start closes this process's copies of the child's descriptors and starts
// copying. Call it once the child has its own.
func (s *stdio) start() {
	s.closeChild()
	for _, c := range s.copies {
		s.copying.Go(func() {
			if err := c(); err != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.firstErr == nil {
					s.firstErr = err
				}
			}
		})
	}
}

// finish waits for the copying to end, for at most delay where it depends on
// others, and returns its first error. All processes must be gone.
func (s *stdio) finish(delay time.Duration) error {
	for _, f := range s.inputs {
		_ = f.Close() // nobody reads any more; ends a Write that waits
	}
	for _, f := range s.outputs {
		_ = f.SetReadDeadline(time.Now().Add(delay)) // fails only if it is closed already
	}
	s.copying.Wait()
	return s.firstErr
}

func (s *stdio) closeChild() {
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.opened = nil
}

func (s *stdio) closeOurs() {
	for _, f := range append(s.inputs, s.outputs...) {
		_ = f.Close()
	}
}

// arrived reads from a pipe or socket; once its deadline has passed, what had
// arrived until then. A deadline is for writers that should be gone: that this
// process was slow to read must lose nothing.
type arrived struct {
	file *os.File
	late int // bytes read after the deadline
}

// maxLate is more than a pipe or socket holds, so that a writer who is still
// there, against all expectation, cannot be read forever.
const maxLate = 1 << 20

// Read implements io.Reader.
func (a *arrived) Read(p []byte) (int, error) {
	n, err := a.file.Read(p)
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || a.late >= maxLate {
		return n, err
	}
	conn, connErr := a.file.SyscallConn()
	if connErr != nil {
		return 0, err
	}
	var readErr error
	// Control, unlike Read, heeds no deadline. The descriptor does not block.
	connErr = conn.Control(func(fd uintptr) { n, readErr = syscall.Read(int(fd), p) })
	switch {
	case connErr != nil || readErr != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	a.late += n
	return n, nil
}
