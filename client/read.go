package client

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// read is the reading goroutine: it ends with the connection.
func (c *Client) read() {
	defer close(c.done)
	for {
		_, data, err := c.socket.Read(c.life)
		if err == nil {
			var m protocol.Message
			if m, err = protocol.DecodeMessage(data); err == nil {
				c.dispatch(m)
				continue
			}
		}
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		_ = c.socket.CloseNow() // it may be closed already
		return
	}
}

// dispatch hands a message to the request it belongs to, or to Notify.
func (c *Client) dispatch(m protocol.Message) {
	if m.ID != "" && m.Type.Completes() {
		if waiting := c.find(m.ID); waiting != nil {
			select {
			case waiting.reply <- m:
			default: // a second reply; the first one counts
			}
			return
		}
	}
	if !m.Type.Completes() {
		var about struct {
			RequestID string        `json:"request_id"`
			Kind      openclaw.Kind `json:"kind"`
		}
		ours := m.Into(&about) == nil && (m.Type != protocol.TypeEvent || progresses(about.Kind))
		if waiting := c.find(about.RequestID); ours && waiting != nil && waiting.progress != nil {
			waiting.progress(m)
			return
		}
	}
	if m.Type == protocol.TypeError && m.ID == "" {
		c.mu.Lock()
		errors.As(replyError(m), &c.refusal)
		c.mu.Unlock()
	}
	c.notify(m)
}

// progresses says whether events of this kind are for whoever began the
// request.
func progresses(k openclaw.Kind) bool {
	return k == openclaw.KindDelta || k == openclaw.KindApprovalRequested || k == openclaw.KindApprovalResolved
}

func (c *Client) find(id string) *Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending[id]
}

// replyError returns the error that an error message reports, else nil.
func replyError(m protocol.Message) error {
	if m.Type != protocol.TypeError {
		return nil
	}
	var e protocol.Error
	if err := m.Into(&e); err != nil {
		return err
	}
	return &openclaw.Error{
		Code: e.Code, Message: e.Message, Details: e.Details,
		RetryAfter: time.Duration(e.RetryAfterMS) * time.Millisecond,
	}
}

// ended says why the connection ended: in the gateway's words if it gave a
// reason.
func (c *Client) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var closed websocket.CloseError
	switch {
	case c.refusal != nil:
		return c.refusal
	case errors.As(c.err, &closed) && protocol.CloseCode(closed.Code) == protocol.CloseGoingAway:
		return &openclaw.Error{Code: openclaw.CodeShuttingDown, Message: "the gateway has shut down; connect again when it is back"}
	case errors.As(c.err, &closed):
		return fmt.Errorf("the gateway closed the connection: %d %s", closed.Code, closed.Reason)
	case c.err == nil, errors.Is(c.err, io.EOF):
		return errors.New("the connection to the gateway ended")
	}
	return fmt.Errorf("the connection to the gateway ended: %w", c.err)
}
