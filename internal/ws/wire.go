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
	crowded bool        // it filled the buffer: there is more
	buffer  *inputBytes // where pending is; nil: in memory of its own
	taken   error       // how take ended
	frames

	outgoing
}

// errNoMessage ends a read that would wait for the next message. The connection
// waits for it by wait, whose stack is small, and not within the library. While
// the connection is being closed the library waits.
var errNoMessage = errors.New("no message has come in")

// inputBytes is what is read at once.
type inputBytes [16 << 10]byte

// discardInterval is the time between two full buffers of a client that is being
// closed: 16 MB/s.
const discardInterval = time.Millisecond

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
	if w.fault != nil {
		return 0, w.fault
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
	w.slow()
	if w.fault != nil && n == 0 {
		w.release()
		return 0, w.fault
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
		w.pending, w.taken, w.crowded = w.buffer[:n], nil, n == len(w.buffer)
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

// slow waits as long as what came was too early. A client that is being closed
// and goes on sending all it can is read at a pace.
func (w *wire) slow() {
	var early time.Duration
	if w.parts > 0 {
		early = w.tooEarly(time.Now())
	}
	if len(w.pending) == 0 && w.crowded && w.ending.Load() {
		early = max(early, discardInterval)
	}
	if early <= 0 {
		return
	}
	timer := time.NewTimer(early)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.closed:
	}
}

// early has the client slowed down for a message over its rate.
func (w *wire) early() {
	w.reading.Lock()
	defer w.reading.Unlock()
	w.parts += earlyParts
}
