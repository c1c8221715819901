// Package ws serves the gateway's protocol over WebSocket: it accepts
// connections, reads frames, writes them through a bounded queue, pings, and
// closes with the codes of the protocol.
//
// It owns sockets and their goroutines and nothing else: what a frame means is
// the business of package gateway.
package ws

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/protocol"
)

// Limits bound a connection. The zero value of a field stands for the default.
type Limits struct {
	Connections     int           // at once; 1,000
	Message         int64         // bytes of one message from a client; 1 MiB
	PingInterval    time.Duration // 30 s
	PongTimeout     time.Duration // 10 s
	WriteQueue      int           // frames waiting for a client to read; 256
	WriteQueueBytes int           // bytes of them; 4 MiB
	WriteTimeout    time.Duration // for a client to take one frame, or what is left when it is closed; 5 s
}

func (l Limits) filled() Limits {
	l.Connections = or(l.Connections, 1000)
	l.Message = or(l.Message, 1<<20)
	l.PingInterval = or(l.PingInterval, 30*time.Second)
	l.PongTimeout = or(l.PongTimeout, 10*time.Second)
	l.WriteQueue = or(l.WriteQueue, 256)
	l.WriteQueueBytes = or(l.WriteQueueBytes, 4<<20)
	l.WriteTimeout = or(l.WriteTimeout, 5*time.Second)
	return l
}

func or[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Server accepts WebSocket connections. Close it with Close.
type Server struct {
	gateway *gateway.Gateway
	logger  *slog.Logger
	limits  atomic.Pointer[Limits]

	queued atomic.Int64 // bytes that wait for clients to read

	mu        sync.Mutex
	conns     map[*conn]struct{}
	refused   []*conn // of conns, the oldest first
	newcomers int     // since tidy ran
	tidy      *time.Timer
	closed    bool
	wg        sync.WaitGroup // conns
}

// A crowd of newcomers, as when all clients come back after a restart, leaves
// memory behind: the HTTP server makes 12 KB of buffers for each upgrade. The
// collector would come to it when as much again is needed, or in minutes.
const (
	crowd     = 256
	tidyAfter = 300 * time.Millisecond // without another newcomer
)

// maxQueued bounds the bytes that wait for all clients together. Beyond it one
// that has something waiting already is taken for a slow one.
const maxQueued = 256 << 20

// maxRefused bounds how many clients are being told at once why they are
// refused. Each can hold its socket for a while; with one more, the oldest is
// cut off.
const maxRefused = 64

// NewServer returns a server whose messages go to g; logger may be nil.
func NewServer(g *gateway.Gateway, limits Limits, logger *slog.Logger) *Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{gateway: g, logger: logger, conns: map[*conn]struct{}{}}
	s.tidy = time.AfterFunc(time.Hour, s.tidyUp)
	s.tidy.Stop()
	s.SetLimits(limits)
	return s
}

// tidyUp gives back what newcomers have left behind.
func (s *Server) tidyUp() {
	s.mu.Lock()
	s.newcomers = 0
	s.mu.Unlock()
	debug.FreeOSMemory()
}

// SetLimits changes the limits: of open connections too, from their next
// frame on.
func (s *Server) SetLimits(l Limits) {
	l = l.filled()
	s.limits.Store(&l)
}

// Upgrade turns the request into a connection and returns at once. refusal is
// asked when the connection is one that CloseAll reaches, so that nobody slips
// in while the token changes; what it returns is said to the client as its
// first message, and the connection is closed. Host and Origin must have been
// checked (gateway.Door).
func (s *Server) Upgrade(w http.ResponseWriter, r *http.Request, refusal func() *openclaw.Error) {
	h := &hijacker{ResponseWriter: w}
	accepted, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the Door has checked the Origin, more strictly
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		s.logger.Debug("upgrade failed", "err", err)
		return // Accept has answered
	}
	c := newConn(s, accepted, h.wire)
	switch how := s.admit(c, refusal); {
	case how == nil:
		// Done here, so that the connection's goroutine keeps its small stack.
		c.client = s.gateway.Connect(c)
		c.startPings()
		go c.serve()
	case how.why == nil: // the server is closed, and waits for no one any more
		c.cut()
		_ = accepted.CloseNow()
	default:
		c.Send(protocol.Encode(protocol.TypeError, "", protocol.NewError(how.why), time.Now()))
		c.Close(how.code, how.reason)
		go c.serve()
	}
}

// refusal is why a client is not let in.
type refusal struct {
	why *openclaw.Error // nil: nobody is
	closing
}

// admit counts the connection in, to be served or, with a refusal, told. The
// goroutine that does so calls forget.
func (s *Server) admit(c *conn, ask func() *openclaw.Error) *refusal {
	most := s.limits.Load().Connections
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &refusal{}
	}
	s.wg.Add(1)
	how := &refusal{ask(), closing{protocol.ClosePolicy, protocol.ReasonAuth}}
	if how.why == nil && len(s.conns)-len(s.refused) >= most {
		how.closing = closing{protocol.CloseTryAgain, protocol.ReasonBusy}
		how.why = &openclaw.Error{
			Code:       openclaw.CodeGatewayBusy,
			Message:    "the gateway has as many connections as gateway.max_connections allows; try again later",
			RetryAfter: 5 * time.Second,
		}
	}
	s.conns[c] = struct{}{}
	if s.newcomers++; s.newcomers >= crowd {
		s.tidy.Reset(tidyAfter)
	}
	if how.why == nil {
		return nil
	}
	if s.refused = append(s.refused, c); len(s.refused) > maxRefused {
		s.refused[len(s.refused)-1-maxRefused].cut() // those before it have been
	}
	return how
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.refused = slices.DeleteFunc(s.refused, func(r *conn) bool { return r == c })
	s.wg.Done()
}

// CloseAll closes every connection with the code, after what is queued for it,
// and does not wait. The server goes on accepting.
func (s *Server) CloseAll(code protocol.CloseCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close(code, reason)
	}
}

// Close closes every connection with 1001, lets no other in, and waits until
// all are gone; when ctx ends first they are cut.
func (s *Server) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.tidy.Stop()
	s.mu.Unlock()
	s.CloseAll(protocol.CloseGoingAway, protocol.ReasonShutdown)
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	s.mu.Lock()
	for c := range s.conns {
		c.cut()
	}
	s.mu.Unlock()
	<-done
}
