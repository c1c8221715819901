// Package client speaks the gateway's protocol from a program: it connects,
// sends requests, matches replies to them and hands on what happens meanwhile.
//
// One Client is one connection; it does not reconnect. A program that wants
// every event across connections subscribes again with the last sequence
// number it has seen.
package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// DefaultURL is where a gateway listens that is not told otherwise.
const DefaultURL = "ws://127.0.0.1:18789"

// ErrNotRunning says that nothing listens at the address.
var ErrNotRunning = errors.New("no gateway is running there")

// Options say how to connect. The zero value connects to DefaultURL without a
// token.
type Options struct {
	URL   string // ws:// or wss://
	Token string // sent as a header, so that it stands in no log of addresses
	// Notify gets every message that answers no request: events of
	// subscriptions, heartbeats by the clock, errors about the connection. It
	// is called on the reading goroutine, in order, and must not block.
	Notify func(protocol.Message)
	// MaxMessage bounds a message from the gateway, in bytes; default 64 MiB.
	MaxMessage int64
}

// Client is a connection to a gateway. It is safe for concurrent use. Close it
// with Close.
type Client struct {
	socket *websocket.Conn
	notify func(protocol.Message)
	life   context.Context
	cut    context.CancelFunc
	done   chan struct{} // closed when the reading goroutine has ended
	lastID atomic.Int64

	mu      sync.Mutex
	pending map[string]*Request
	refusal *openclaw.Error // an error about the connection, not about a request
	err     error           // why the connection ended
}

// Request is a request under way.
type Request struct {
	ID string // names it in cancel

	client   *Client
	progress func(protocol.Message)
	reply    chan protocol.Message
}

// Dial connects. It fails with an error that wraps ErrNotRunning when nothing
// listens. That a token is wrong is said in answer to the first request.
func Dial(ctx context.Context, o Options) (*Client, error) {
	address, err := address(o.URL)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	if o.Token != "" {
		header.Set("Authorization", "Bearer "+o.Token)
	}
	socket, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPHeader: header, HTTPClient: &http.Client{Transport: &http.Transport{}},
	})
	if err != nil {
		return nil, dialError(err, response)
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = 64 << 20
	}
	socket.SetReadLimit(o.MaxMessage)
	c := &Client{
		socket: socket, notify: o.Notify, pending: map[string]*Request{}, done: make(chan struct{}),
	}
	if c.notify == nil {
		c.notify = func(protocol.Message) {}
	}
	c.life, c.cut = context.WithCancel(context.Background())
	go c.read()
	return c, nil
}

// address checks the URL.
func address(raw string) (string, error) {
	if raw == "" {
		return DefaultURL, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" && u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("the gateway's URL must look like %s", DefaultURL)
	}
	return raw, nil
}

// dialError says what a failed handshake means, without the address, which may
// hold a token.
func dialError(err error, response *http.Response) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w (connection refused)", ErrNotRunning)
	case response == nil:
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return fmt.Errorf("cannot connect: %w", err)
	case response.StatusCode == http.StatusTooManyRequests:
		wait, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return &openclaw.Error{
			Code: openclaw.CodeRateLimited, RetryAfter: time.Duration(wait) * time.Second,
			Message: fmt.Sprintf("the gateway takes nothing from this address for %d s: too many wrong tokens", wait),
		}
	case response.StatusCode == http.StatusForbidden:
		return &openclaw.Error{
			Code: openclaw.CodeAuthInvalid, Message: "the gateway refuses this host name; connect by IP address or add the name to gateway.allowed_hosts",
		}
	}
	return fmt.Errorf("this is no OpenClaw gateway: it answered the handshake with HTTP %d", response.StatusCode)
}

// Close ends the connection and waits until it has ended.
func (c *Client) Close() error {
	_ = c.socket.Close(websocket.StatusNormalClosure, "") // the other side may be gone
	c.cut()
	<-c.done
	return nil
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Begin sends a request. progress, which may be nil, gets its tool calls, tool
// results, approvals and deltas, in order; it is called on the reading goroutine and must
// not block. The caller calls Wait once.
func (c *Client) Begin(t protocol.Type, payload any, progress func(protocol.Message)) *Request {
	r := &Request{
		ID: "c" + strconv.FormatInt(c.lastID.Add(1), 10), client: c,
		progress: progress, reply: make(chan protocol.Message, 1),
	}
	c.mu.Lock()
	c.pending[r.ID] = r
	c.mu.Unlock()
	// Only the connection's own end may break off a write: a cancelled context
	// in the middle of one would cut the connection. A failed write ends the
	// reading, too, and Wait says why.
	if err := c.socket.Write(c.life, websocket.MessageText, protocol.Encode(t, r.ID, payload, time.Now())); err != nil {
		_ = c.socket.CloseNow()
	}
	return r
}

// Wait blocks until the reply has come, ctx has ended or the connection has.
// An error reply is returned as *openclaw.Error beside the message.
func (r *Request) Wait(ctx context.Context) (protocol.Message, error) {
	defer func() {
		r.client.mu.Lock()
		delete(r.client.pending, r.ID)
		r.client.mu.Unlock()
	}()
	select {
	case m := <-r.reply:
		return m, replyError(m)
	case <-ctx.Done():
		return protocol.Message{}, context.Cause(ctx)
	case <-r.client.done:
	}
	select { // the reply may have come together with the end
	case m := <-r.reply:
		return m, replyError(m)
	default:
		return protocol.Message{}, r.client.ended()
	}
}

// Call is Begin and Wait.
func (c *Client) Call(ctx context.Context, t protocol.Type, payload any, progress func(protocol.Message)) (protocol.Message, error) {
	return c.Begin(t, payload, progress).Wait(ctx)
}

// Ask is Call for a request that runs no tools, its reply decoded.
func Ask[Reply any](ctx context.Context, c *Client, t protocol.Type, payload any) (Reply, error) {
	var reply Reply
	m, err := c.Call(ctx, t, payload, nil)
	if err == nil {
		err = m.Into(&reply)
	}
	return reply, err
}

// Chat sends a message to the agent and blocks until it has answered; see Call
// for progress.
func (c *Client) Chat(ctx context.Context, chat protocol.Chat, progress func(protocol.Message)) (protocol.Response, error) {
	var response protocol.Response
	m, err := c.Call(ctx, protocol.TypeChat, chat, progress)
	if err == nil {
		err = m.Into(&response)
	}
	return response, err
}

// Cancel stops the turns of a session and returns how many there were.
func (c *Client) Cancel(ctx context.Context, session string) (int, error) {
	ok, err := Ask[protocol.OK](ctx, c, protocol.TypeCancel, protocol.Cancel{Session: session})
	if err != nil || ok.Cancelled == nil {
		return 0, err
	}
	return *ok.Cancelled, nil
}
