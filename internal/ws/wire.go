package ws

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is a client's TCP connection below the WebSocket library. It follows
// the frames that come in, for what the library does not tell: how much of one
// is there already, whether it is masked, how many are no message (frames.go).
// It holds a buffer only while something that came in waits in it, and writes a
// frame in one piece (give.go).
//
// One goroutine reads at a time; the library sees to it that one writes.
type wire struct {
	net.Conn
	raw    syscall.RawConn // of Conn; nil if it has none
	closed chan struct{}
	once   sync.Once
	ending atomic.Bool // the connection is being closed: see errNoMessage

	take    func(fd uintptr) bool // takeFrom
	reading sync.Mutex
	pending []byte      // has come in and was not read
	buffer  *inputBytes // where pending is; nil: in memory of its own
	taken   error       // how take ended
	frames

	outgoing
}

var (
	errUnmasked = errors.New("a client's frame is not masked")

	// errNoMessage ends a read that would wait for the next message. The
	// connection waits for it by wait, whose stack is small, and not within
	// the library. While the connection is being closed the library waits.
	errNoMessage = errors.New("no message has come in")
)

// inputBytes is what is read at once.
type inputBytes [16 << 10]byte

var inputs = sync.Pool{New: func() any { return new(inputBytes) }}

// newWire takes over c; ahead is what the HTTP server has read from it.
func newWire(c net.Conn, ahead []byte) *wire {
	w := &wire{Conn: c, closed: make(chan struct{}), pending: ahead}
	if s, ok := c.(syscall.Conn); ok {
		w.raw, _ = s.SyscallConn() // without it, reads and writes are plain ones
	}
	w.take, w.give = w.takeFrom, w.giveTo
	return w
}

// Close implements net.Conn. It may be called more than once.
func (w *wire) Close() error {
	err := net.ErrClosed
	w.once.Do(func() {
		close(w.closed)
		err = w.Conn.Close()
	})
	return err
}

// wait blocks until the next message begins to come in.
func (w *wire) wait() error {
	w.reading.Lock()
	defer w.reading.Unlock()
	if len(w.pending) > 0 || !w.between() {
		return nil
	}
	return w.fill()
}

// Read implements net.Conn. It returns bytes of one frame at a time.
func (w *wire) Read(p []byte) (n int, err error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if w.unmasked {
		return 0, errUnmasked
	}
	if len(w.pending) == 0 {
		if w.between() && !w.ending.Load() {
			return 0, errNoMessage
		}
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n = w.scan(p[:copy(p, w.pending)])
	if w.pending = w.pending[n:]; len(w.pending) == 0 {
		w.release()
	}
	w.slow(w.closed)
	if w.unmasked && n == 0 {
		w.release()
		return 0, errUnmasked
	}
	return n, nil
}

// ready returns how many bytes of messages have come in beyond the first n of
// them.
func (w *wire) ready(n int64) int64 {
	w.reading.Lock()
	defer w.reading.Unlock()
	more := w.received - n
	if w.data {
		more += int64(min(w.left, uint64(len(w.pending))))
	}
	return more
}

// fill blocks until something comes in. It takes a buffer then and not before.
func (w *wire) fill() error {
	if w.raw == nil {
		w.buffer = inputs.Get().(*inputBytes)
		n, err := w.Conn.Read(w.buffer[:])
		if w.pending = w.buffer[:n]; n == 0 {
			w.release()
			return err
		}
		return nil
	}
	if err := w.raw.Read(w.take); err != nil {
		return err
	}
	return w.taken
}

// takeFrom reads what is there; not done means that nothing is, yet.
func (w *wire) takeFrom(fd uintptr) (done bool) {
	w.buffer = inputs.Get().(*inputBytes)
	n, err := syscall.Read(int(fd), w.buffer[:])
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), w.buffer[:])
	}
	if n > 0 {
		w.pending, w.taken = w.buffer[:n], nil
		return true
	}
	w.release()
	switch {
	case err == nil:
		w.taken = io.EOF
	case err == syscall.EAGAIN:
		return false
	default:
		w.taken = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	return true
}

// release gives the buffer back.
func (w *wire) release() {
	if w.buffer != nil {
		inputs.Put(w.buffer)
	}
	w.buffer, w.pending = nil, nil
}

// slow waits as long as the frames that were no message came too early, or
// until closed.
func (f *frames) slow(closed <-chan struct{}) {
	if f.parts == 0 {
		return
	}
	now := time.Now()
	if f.due.Before(now) {
		f.due = now
	}
	f.due = f.due.Add(time.Duration(f.parts) * partInterval)
	f.parts = 0
	early := f.due.Sub(now) - partBurst*partInterval
	if early <= 0 {
		return
	}
	timer := time.NewTimer(early)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closed:
	}
}
