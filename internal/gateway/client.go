package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/time/rate"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// Conn is the sending side of a client's connection.
type Conn interface {
	// Send queues a frame and never blocks. A client that does not read is
	// closed; nothing is reported here.
	Send(frame []byte)
	// SendWait queues a frame when there is room, and blocks until then. It
	// fails when the connection is closed.
	SendWait(frame []byte) error
	// Behind says whether the client has left so much unread that what can be
	// joined should be.
	Behind() bool
	// Close sends what is queued and then closes the connection. It does not
	// wait.
	Close(code protocol.CloseCode, reason string)
}

// Client is one connected client. Receive is called by one goroutine.
type Client struct {
	gateway *Gateway
	conn    Conn
	life    context.Context // ends with the connection
	end     context.CancelFunc
	rate    *rate.Limiter
	over    overrun
	page    chan struct{} // holds one while a page of history is read and sent

	mu            sync.Mutex
	inFlight      map[string]*request
	subscriptions map[string]*subscription
	unfollow      func() // ends following the approvals of every session; nil: it does not
}

// Connect registers a client; the caller calls Close when the connection has
// ended.
func (g *Gateway) Connect(conn Conn) *Client {
	l := g.limits.Load()
	c := &Client{
		gateway: g, conn: conn,
		rate:     rate.NewLimiter(rate.Limit(l.MessagesPerSecond), l.Burst),
		page:     make(chan struct{}, 1),
		inFlight: map[string]*request{},
	}
	c.life, c.end = context.WithCancel(context.Background())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[c] = struct{}{}
	return c
}

// Close forgets the client. Its turns go on: a closed tab must not kill work.
func (c *Client) Close() {
	c.end()
	c.gateway.mu.Lock()
	delete(c.gateway.clients, c)
	c.gateway.mu.Unlock()
	c.unsubscribeAll()
	c.unfollowApprovals()
}

// request is a message that waits for its one answer.
type request struct {
	client  *Client
	id      string
	message protocol.Request
	answer  sync.Once

	// Of a request that is a turn:
	session  string
	stream   bool
	approves bool // it can answer the turn's questions
	deltas   deltas
	hint     string // what its sender should know
}

// Receive handles one frame. It does not block on a turn, a store or another
// client. frame may be reused when Receive has returned. early says that the
// client sends faster than it may: the caller should read slower.
func (c *Client) Receive(frame []byte) (early bool) {
	limits := c.gateway.limits.Load()
	message, problem := protocol.Decode(frame, limits.Depth)
	r := &request{client: c, id: message.ID, message: message}
	if r.id == "" && message.Object {
		r.id = ulid.Make().String()
	}
	if limited := c.limit(limits); limited != nil {
		problem, early = limited, true
	}
	if problem == nil {
		problem = c.begin(r, limits)
	}
	if problem != nil {
		c.send(protocol.TypeError, idOf(r, problem), protocol.NewError(problem))
		return early
	}
	r.handle()
	return false
}

// idOf returns the id of an error reply: none where the id belongs to another
// request that goes on.
func idOf(r *request, problem *openclaw.Error) string {
	if problem.Code == openclaw.CodeDuplicateID {
		return ""
	}
	return r.id
}

// begin registers the request as in flight.
func (c *Client) begin(r *request, limits *Limits) *openclaw.Error {
	if _, known := routes[r.message.Type]; !known {
		return protocol.UnknownType(r.message.Type)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight[r.id] != nil {
		return &openclaw.Error{
			Code:    openclaw.CodeDuplicateID,
			Message: "a request with this id is still in flight on this connection; use another id",
			Details: map[string]any{"id": r.id},
		}
	}
	if len(c.inFlight) >= limits.InFlight {
		return &openclaw.Error{
			Code:       openclaw.CodeRateLimited,
			Message:    fmt.Sprintf("%d requests of this connection wait for an answer; send the next when one has come", limits.InFlight),
			RetryAfter: time.Second,
		}
	}
	c.inFlight[r.id] = r
	return nil
}

// handle runs the request's route.
func (r *request) handle() {
	route, g := routes[r.message.Type], r.client.gateway
	if g.Draining() && !route.serves {
		r.fail(shuttingDown())
		return
	}
	if !route.slow {
		r.run(route)
		return
	}
	if !g.spawn(route.serves, func() { r.run(route) }) {
		r.fail(shuttingDown())
	}
}

func shuttingDown() *openclaw.Error {
	return &openclaw.Error{
		Code: openclaw.CodeShuttingDown, Message: "the gateway is shutting down; send the request again when it is back",
	}
}

// run calls the handler; a panic in it ends this request and nothing else.
func (r *request) run(route route) {
	defer func() {
		if p := recover(); p != nil {
			r.fail(fmt.Errorf("panic in %s: %v\n%s", r.message.Type, p, debug.Stack()))
		}
	}()
	if err := route.handle(r); err != nil {
		r.fail(err)
	}
}

// reply completes the request. Only the first reply counts; it says whether
// this was the one.
func (r *request) reply(t protocol.Type, payload any) (first bool) {
	r.answer.Do(func() {
		r.release()
		r.client.send(t, r.id, payload)
		first = true
	})
	return first
}

// replyWhenRoom is reply for an answer that is large: it waits until the client
// has read what came before.
func (r *request) replyWhenRoom(t protocol.Type, payload any) {
	r.answer.Do(func() {
		r.release()
		// If it fails, nobody is left to be told.
		_ = r.client.conn.SendWait(protocol.Encode(t, r.id, payload, r.client.gateway.config.Now()))
	})
}

// release makes the id free again, before the client can know of the answer.
func (r *request) release() {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	delete(r.client.inFlight, r.id)
}

// fail completes the request with an error; see reply for what it returns.
func (r *request) fail(err error) (first bool) {
	e := openclaw.AsError(err)
	first = r.reply(protocol.TypeError, protocol.NewError(e))
	gone := r.client.life.Err() != nil && errors.Is(err, context.Canceled) // the client left, and its request with it
	if first && e.Code == openclaw.CodeInternal && !gone {
		r.client.gateway.config.Logger.Error("request failed", "type", r.message.Type, "err", err)
	}
	return first
}

func (c *Client) send(t protocol.Type, id string, payload any) {
	c.conn.Send(protocol.Encode(t, id, payload, c.gateway.config.Now()))
}

// overrun remembers how long a client has been over its rate.
type overrun struct{ first, last time.Time }

// patience is how long a client may go on sending over its rate.
const patience = 10 * time.Second

// limit applies the message rate. A client that keeps on is closed.
func (c *Client) limit(limits *Limits) *openclaw.Error {
	now := c.gateway.config.Now()
	if want := rate.Limit(limits.MessagesPerSecond); c.rate.Limit() != want || c.rate.Burst() != limits.Burst {
		c.rate.SetLimitAt(now, want)
		c.rate.SetBurstAt(now, limits.Burst)
	}
	if c.rate.AllowN(now, 1) {
		return nil
	}
	if now.Sub(c.over.last) > time.Second {
		c.over.first = now
	}
	c.over.last = now
	if now.Sub(c.over.first) >= patience {
		c.conn.Close(protocol.ClosePolicy, protocol.ReasonRate)
	}
	return &openclaw.Error{
		Code:       openclaw.CodeRateLimited,
		Message:    fmt.Sprintf("more than %g messages a second; slow down", limits.MessagesPerSecond),
		RetryAfter: time.Duration(float64(time.Second) / limits.MessagesPerSecond),
	}
}
