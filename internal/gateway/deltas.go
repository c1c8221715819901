package gateway

import (
	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// deltas joins the text that a client is behind with. A model can write faster
// than a client reads; a frame for each of its words would fill the client's
// queue and have it closed, where the same text in a few frames does no harm.
// It belongs to the session's goroutine. The zero value holds nothing.
type deltas struct {
	held openclaw.Event
	text []byte
}

// send shows the delta, or holds it until the client has caught up or
// something else is to be shown. It never blocks.
func (h *deltas) send(conn Conn, d *session.Delivery, b openclaw.Delta) {
	behind := conn.Behind()
	if len(h.text) == 0 && !behind {
		conn.Send(d.Frame(encodeEvent))
		return
	}
	h.held, h.text = d.Event, append(h.text, b.Text...)
	if !behind {
		h.flush(conn)
	}
}

// flush shows what is held.
func (h *deltas) flush(conn Conn) {
	if len(h.text) == 0 {
		return
	}
	h.held.Body = openclaw.Delta{Text: string(h.text)}
	conn.Send(encodeEvent(h.held))
	*h = deltas{}
}
