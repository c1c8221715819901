package anthropic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"

	openclaw "github.com/openclaw/openclaw-go"
)

// reply is an answer being received.
type reply struct {
	adapter *Adapter
	ctx     context.Context // the caller's
	watch   *watch
	body    io.ReadCloser
	events  ssestream.Decoder
	answer  answer
}

// open sends the request and waits for the beginning of the answer. The caller
// closes the reply.
func (a *Adapter) open(ctx context.Context, p *plan) (*reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reply{adapter: a, ctx: ctx, watch: newWatch(ctx, a.timeout, a.limit), answer: answer{asked: p.req.Model, provider: a.name}}
	var resp *http.Response
	err := a.client.Post(r.watch.ctx, "v1/messages", a.params(p), &resp,
		option.WithJSONSet("stream", true), option.WithMiddleware(r.watch.middleware))
	switch {
	case err != nil:
		err = r.fault(err, p.req.Model)
	case resp == nil || resp.Body == nil:
		err = a.unreachable(errors.New("the HTTP client returned no response"))
	case resp.StatusCode != http.StatusOK || !isEvents(resp.Header):
		err = a.notTheAPI(resp)
	default:
		r.body, r.events = resp.Body, ssestream.NewDecoder(resp)
		return r, nil
	}
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // the failure is already known
	}
	r.watch.stop()
	return nil, err
}

// close releases the connection. The deferred call after a complete answer
// finds nothing left to do.
func (r *reply) close() {
	_ = r.body.Close() // nothing is read any more
	r.watch.stop()
}

// read emits the answer as it arrives and returns after its last event.
func (r *reply) read(emit func(openclaw.ModelEvent) bool) error {
	for r.events.Next() {
		ev := r.events.Event()
		data := bytes.TrimSpace(ev.Data)
		if len(data) == 0 || data[0] != '{' {
			continue // a comment, a keep-alive or another dialect's end mark
		}
		done, err := r.answer.take(ev.Type, data, emit)
		if err != nil {
			return r.eventFault(err)
		}
		if done {
			r.watch.drain(r.body)
			return nil
		}
	}
	if err := r.events.Err(); err != nil {
		return r.fault(err, r.answer.asked)
	}
	return r.adapter.cutStream(io.ErrUnexpectedEOF)
}

func (r *reply) eventFault(err error) error {
	var said *apiFault
	switch {
	case errors.Is(err, errStopped):
		return err
	case errors.As(err, &said):
		return r.adapter.refused(said.status(), said.Type, said.Message, nil, r.answer.asked)
	}
	return r.adapter.cutStream(err)
}
