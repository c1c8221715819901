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
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/protocol"
)

// conn is one connection: a goroutine that reads, and another that writes only
// while frames wait that the first cannot write. It implements gateway.Conn.
type conn struct {
	server  *Server
	client  *gateway.Client // nil: the client was refused, and what it says is ignored
	socket  *websocket.Conn
	wire    *wire
	ping    *time.Timer
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
	w.stuck = c.stuck
	return c
}

// cut ends the connection at once. The socket is closed below the library,
// which can wait in a close of its own for a client that says nothing.
func (c *conn) cut() {
	c.endLife()
	_ = c.wire.Close() // it may be closed already
}

// serve reads until the connection ends. A goroutine that has handled messages
// has a stack of that depth: when the client falls silent, which the pong to a
// ping shows, another one with a small stack waits in its place.
func (c *conn) serve() {
	for {
		err := c.receive()
		if errors.Is(err, errNoMessage) {
			go c.serve()
			return
		}
		if err != nil {
			c.finish(err)
			return
		}
	}
}

// finish is the end of serve.
func (c *conn) finish(err error) {
	defer c.server.forget(c)
	if c.client != nil {
		defer c.client.Close()
		defer c.stopPings()
	}
	c.end(err)
}

// protocolError is the close code for a client that breaks RFC 6455.
const protocolError protocol.CloseCode = 1002

// end frees the socket. A close that is under way is completed; if there is
// none, and err is not that the client has gone, the client is at fault.
func (c *conn) end(err error) {
	if gone(err) {
		c.cut()
	}
	how := closing{protocolError, "this is no WebSocket frame that a client may send"}
	if errors.Is(err, errReason) {
		how = closing{protocol.CloseNotUTF8, errReason.Error()}
	}
	c.shut(how, true)
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

// receive reads one message and hands it on. errNoMessage says that something
// else came.
func (c *conn) receive() error {
	if err := c.wire.wait(); err != nil {
		return err
	}
	return c.next()
}

// next is receive once something has come in.
func (c *conn) next() error {
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
	if err != nil || c.client == nil || c.isClosing() {
		return err
	}
	mine := c.claim()
	if early := c.client.Receive(data); early {
		c.wire.early()
	}
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
func (c *conn) ready() int { return int(max(c.wire.ready(c.read), 1)) }

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
