package ws

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What a client may send that is no message (pings, pongs and fragments before
// the last) is free of the message rate, so the wire slows it down: a flood
// costs its sender time and the gateway nothing.
const (
	partInterval = time.Millisecond // between two, in the long run
	partBurst    = 10_000           // at once
)

// wire is a client's TCP connection. It looks at the headers of the frames
// that come in for what the WebSocket library does not tell: how much of a
// frame is there already, whether it is masked, and how many frames are no
// message. It is read by one goroutine at a time.
type wire struct {
	net.Conn
	ahead  []byte // read by the HTTP server
	closed chan struct{}
	once   sync.Once

	header   [14]byte // of the frame that comes in
	have     int      // bytes of header
	left     uint64   // bytes of the payload still to come
	data     bool     // the payload belongs to a message
	unmasked bool
	parts    int       // frames since the last read that are no message
	due      time.Time // when the last of them would have come at partInterval

	received atomic.Int64 // bytes of messages that have come in
}

var errUnmasked = errors.New("a client's frame is not masked")

func newWire(c net.Conn, ahead []byte) *wire {
	return &wire{Conn: c, ahead: ahead, closed: make(chan struct{})}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (n int, err error) {
	if w.unmasked {
		return 0, errUnmasked
	}
	if len(w.ahead) > 0 {
		n = copy(p, w.ahead)
		w.ahead = w.ahead[n:]
	} else if n, err = w.Conn.Read(p); n == 0 {
		return n, err
	}
	n = w.scan(p[:n])
	w.slow()
	if w.unmasked && n == 0 {
		return 0, errUnmasked
	}
	return n, err
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

// scan follows the frames in p and returns how many bytes of it are sound: all
// or those before a frame that is not masked.
func (w *wire) scan(p []byte) int {
	for i := 0; i < len(p); {
		if w.left > 0 {
			n := min(w.left, uint64(len(p)-i))
			w.left -= n
			i += int(n)
			if w.data {
				w.received.Add(int64(n))
			}
			continue
		}
		w.header[w.have] = p[i]
		w.have++
		i++
		if w.have == 2 && w.header[1] < 0x80 {
			w.unmasked = true
			return max(i-w.have, 0)
		}
		if w.have >= 2 && w.have == w.headerSize() {
			w.frame()
		}
	}
	return len(p)
}

// headerSize returns how long the header is whose first two bytes are there.
func (w *wire) headerSize() int {
	const fixed, mask = 2, 4
	switch w.header[1] & 0x7f {
	case 126:
		return fixed + 2 + mask
	case 127:
		return fixed + 8 + mask
	}
	return fixed + mask
}

// frame begins the frame whose header is there.
func (w *wire) frame() {
	final, control := w.header[0]&0x80 != 0, w.header[0]&0x08 != 0
	switch n := w.header[1] & 0x7f; n {
	case 126:
		w.left = uint64(binary.BigEndian.Uint16(w.header[2:]))
	case 127:
		w.left = binary.BigEndian.Uint64(w.header[2:])
	default:
		w.left = uint64(n)
	}
	w.have, w.data = 0, !control
	if control || !final {
		w.parts++
	}
}

// slow waits as long as the frames that were no message came too early.
func (w *wire) slow() {
	if w.parts == 0 {
		return
	}
	now := time.Now()
	if w.due.Before(now) {
		w.due = now
	}
	w.due = w.due.Add(time.Duration(w.parts) * partInterval)
	w.parts = 0
	early := w.due.Sub(now) - partBurst*partInterval
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

// hijacker gives a hijacked connection its wire, and 1 KiB buffers in place of
// the HTTP server's 4 KiB ones: most of an idle connection's memory is these.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

const bufferSize = 1024

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return c, rw, err
	}
	ahead, err := rw.Peek(rw.Reader.Buffered())
	h.wire = newWire(c, append([]byte(nil), ahead...))
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, bufferSize), bufio.NewWriterSize(h.wire, bufferSize)), err
}
