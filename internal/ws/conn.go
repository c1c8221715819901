package ws

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// conn is one connection: a goroutine that reads, and another that writes only
// while frames wait that the first cannot write. It implements gateway.Conn.
type conn struct {
	server  *Server
	socket  *websocket.Conn
	wire    *wire
	life    context.Context // ends with the connection
	endLife context.CancelFunc
	writer  sync.WaitGroup
	read    int64 // bytes of messages; the reader's

	mu      sync.Mutex
	queue   [][]byte
	bytes   int           // in queue
	writing bool          // a writer goroutine runs
	closing *closing      // how the connection is to be closed; nil: it is open
	room    chan struct{} // closed when the queue gets shorter; nil: nobody waits for that

	deadline *time.Timer // of a connection that is being closed
	stuck    *time.Timer // of the write under way; the writer's
}

type closing struct {
	code   protocol.CloseCode
	reason string
}

var errClosed = errors.New("connection closed")

func newConn(s *Server, socket *websocket.Conn, w *wire) *conn {
	c := &conn{server: s, socket: socket, wire: w}
	c.life, c.endLife = context.WithCancel(context.Background())
	socket.SetReadLimit(-1) // read has the protocol's own answer to a large message
	return c
}

// cut ends the connection at once. The socket is closed below the library,
// which can wait in a close of its own for a client that says nothing.
func (c *conn) cut() {
	c.endLife()
	_ = c.wire.Close() // it may be closed already
}

// serve reads until the connection ends.
func (c *conn) serve() {
	defer c.server.forget(c)
	client := c.server.gateway.Connect(c)
	defer client.Close()
	stop := c.keepAlive()
	defer stop()
	c.end(c.receiveAll(client.Receive))
}

// discard reads and ignores what a refused client sends until it is gone.
func (c *conn) discard() {
	defer c.server.forget(c)
	c.end(c.receiveAll(func([]byte) {}))
}

func (c *conn) receiveAll(handle func([]byte)) error {
	for {
		if err := c.receive(handle); err != nil {
			return err
		}
	}
}

// protocolError is the close code for a client that breaks RFC 6455.
const protocolError protocol.CloseCode = 1002

// end frees the socket. A close that is under way is completed; if there is
// none, and err is not that the client has gone, the client is at fault.
func (c *conn) end(err error) {
	if gone(err) {
		c.cut()
	}
	c.shut(closing{protocolError, "this is no WebSocket frame that a client may send"}, true)
	c.writer.Wait()
	c.deadline.Stop()
	c.cut()
	_ = c.socket.CloseNow() // it may be closed already
}

// gone says that err is the end of the connection and no fault of the client.
func gone(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.As(err, &network) || websocket.CloseStatus(err) >= 0
}

// isClosing says whether the client is to be closed: it commands nothing then.
func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing != nil
}

// buffers hold messages while they are handled.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// keepBuffer is the largest buffer worth keeping.
const keepBuffer = 64 << 10

// receive reads one message and hands it on.
func (c *conn) receive(handle func([]byte)) error {
	// cut closes the wire, so the library need not arm a context per message.
	kind, reader, err := c.socket.Reader(context.Background())
	if err != nil {
		return err
	}
	if c.isClosing() {
		return c.skip(reader)
	}
	if kind != websocket.MessageText {
		c.Close(protocol.CloseNotText, "send JSON in text frames")
		return c.skip(reader)
	}
	buffer := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= keepBuffer {
			buffers.Put(buffer)
		}
	}()
	data, err := c.message(reader, (*buffer)[:0])
	*buffer = data
	if err != nil || c.isClosing() {
		return err
	}
	mine := c.claim()
	handle(data)
	if mine {
		c.drain()
	}
	return nil
}

// skip reads what is of no interest any more, up to the close frame.
func (c *conn) skip(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// message reads a message of text into data, refusing it as soon as it is too
// large or not UTF-8.
func (c *conn) message(r io.Reader, data []byte) ([]byte, error) {
	limit, checked := c.server.limits.Load().Message, 0
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(cap(data), len(data)+c.ready())])
		c.read += int64(n)
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return data, c.tooLarge(r, limit)
		}
		valid, whole := validUTF8(data[checked:], err == io.EOF)
		if !whole {
			c.Close(protocol.CloseNotUTF8, "text is not valid UTF-8")
			return data, c.skip(r)
		}
		checked += valid
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}

// ready returns how many bytes of messages can be read without waiting for
// more, at least 1: the library waits until a buffer is full, and text that is
// wrong already must not wait with it.
func (c *conn) ready() int { return int(max(c.wire.received.Load()-c.read, 1)) }

// tooLarge answers a message over the limit and reads the rest of it away, so
// that the answer is not lost with the connection.
func (c *conn) tooLarge(r io.Reader, limit int64) error {
	problem := &openclaw.Error{
		Code:    openclaw.CodeMessageTooLarge,
		Message: "the message is larger than gateway.limits.message allows; send less at once",
		Details: map[string]any{"limit_bytes": limit},
	}
	c.Send(protocol.Encode(protocol.TypeError, "", protocol.NewError(problem), time.Now()))
	c.Close(protocol.CloseTooLarge, "message too large")
	return c.skip(r)
}

// validUTF8 returns how much of p is known to be valid, and whether nothing in
// it is wrong: an incomplete rune at the end is wrong only in the last piece.
func validUTF8(p []byte, last bool) (valid int, ok bool) {
	if utf8.Valid(p) {
		return len(p), true
	}
	if last {
		return 0, false
	}
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			return i, !utf8.FullRune(p[i:]) && utf8.Valid(p[:i])
		}
	}
	return 0, false
}

// keepAlive pings the client at each interval and cuts the connection when no
// pong comes back in time.
func (c *conn) keepAlive() (stop func()) {
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	ping := func() {
		limits := c.server.limits.Load()
		ctx, cancel := context.WithTimeout(c.life, limits.PongTimeout)
		defer cancel()
		if err := c.socket.Ping(ctx); err != nil {
			c.cut()
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer.Reset(limits.PingInterval)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(c.server.limits.Load().PingInterval, ping)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
