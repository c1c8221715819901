package ws

import (
	"net"
	"os"
	"syscall"
	"time"
)

// outgoing is the writing side of a wire.
type outgoing struct {
	give func(fd uintptr) bool // giveTo
	// stuck arms what happens to a client that takes nothing of what is
	// written to it; nil: nothing does.
	stuck func() *time.Timer

	head     [headSize]byte // of a frame, waits for the rest
	headLen  int
	rest     uint64 // bytes of the frame still to be written
	giving   []byte // what giveTo writes
	given    int    // how much of it was taken
	givenErr error
}

// headSize is how much the library gathers before it writes. A frame has more
// to write than that or is complete, and its header is always in the first
// piece.
const headSize = 16

// Write implements net.Conn. The library writes a frame in one piece or, if it
// is longer, in two: they are joined, since each costs a system call and a
// packet.
func (w *wire) Write(p []byte) (int, error) {
	if w.rest > 0 {
		return w.writeRest(p)
	}
	if size := frameSize(p); size > uint64(len(p)) && len(p) <= headSize {
		w.headLen, w.rest = copy(w.head[:], p), size-uint64(len(p))
		return len(p), nil
	}
	return w.send(p)
}

// writeRest writes more of a frame whose head waits or has been written.
func (w *wire) writeRest(p []byte) (n int, err error) {
	w.rest -= min(w.rest, uint64(len(p)))
	head := w.head[:w.headLen]
	w.headLen = 0
	if len(head) == 0 {
		return w.send(p)
	}
	buffer := inputs.Get().(*inputBytes)
	defer inputs.Put(buffer)
	if len(head)+len(p) > len(buffer) {
		if _, err := w.send(head); err != nil {
			return 0, err
		}
		return w.send(p)
	}
	joined := append(append(buffer[:0], head...), p...)
	n, err = w.send(joined)
	return max(n-len(head), 0), err
}

// send writes p. Most clients take it at once; only for another is a timer
// set, because a timer can wake a thread.
func (w *wire) send(p []byte) (n int, err error) {
	if w.raw != nil {
		w.giving, w.given, w.givenErr = p, 0, nil
		err = w.raw.Write(w.give)
		n, w.giving = w.given, nil
		if err == nil {
			err = w.givenErr
		}
		if n == len(p) || err != nil {
			return n, err
		}
	}
	if w.stuck != nil {
		defer w.stuck().Stop()
	}
	more, err := w.Conn.Write(p[n:])
	return n + more, err
}

// giveTo writes as much as the client takes at once. It is always done: what
// is left is for a write that waits.
func (w *wire) giveTo(fd uintptr) (done bool) {
	n, err := syscall.Write(int(fd), w.giving)
	for err == syscall.EINTR {
		n, err = syscall.Write(int(fd), w.giving)
	}
	w.given, w.givenErr = max(n, 0), nil
	if err != nil && err != syscall.EAGAIN {
		w.givenErr = &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", err)}
	}
	return true
}

// frameSize returns how long the whole frame is that begins with p; a server's
// frames are not masked.
func frameSize(p []byte) uint64 {
	if len(p) < 2 {
		return 0
	}
	header := uint64(2)
	switch p[1] & 0x7f {
	case 126:
		header += 2
	case 127:
		header += 8
	}
	if uint64(len(p)) < header {
		return 0
	}
	return header + payloadSize(p)
}
