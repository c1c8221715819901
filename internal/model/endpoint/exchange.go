package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var (
	errSilent  = errors.New("the endpoint was silent for too long")
	errRunaway = errors.New("the stream is larger than any answer")
)

// Exchange is one question and its answer; where the question has to be put
// again in other words, it holds both tries. It counts only the time spent
// waiting for the endpoint: a slow reader of the answer is no failure of the
// endpoint. It belongs to the goroutine of one Stream call.
type Exchange struct {
	end    *Endpoint
	parent context.Context // the caller's
	ctx    context.Context // the request's
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration // of the next wait
	begun  bool          // a byte of the answer has come
	total  int64
}

// newExchange starts the wait for the first byte.
func newExchange(e *Endpoint, parent context.Context) *Exchange {
	ctx, cancel := context.WithCancelCause(parent)
	x := &Exchange{end: e, parent: parent, ctx: ctx, cancel: cancel, limit: e.timeout}
	x.timer = time.AfterFunc(e.timeout, func() { cancel(errSilent) })
	return x
}

// End releases the timer and the request.
func (x *Exchange) End() {
	x.timer.Stop()
	x.cancel(context.Canceled)
}

// Cancelled returns the error of the caller's own context, nil while it lasts.
func (x *Exchange) Cancelled() error { return x.parent.Err() }

// Silent says whether the exchange was ended because the endpoint was silent.
func (x *Exchange) Silent() bool {
	return x.parent.Err() == nil && errors.Is(context.Cause(x.ctx), errSilent)
}

// Within bounds each of the waits that follow.
func (x *Exchange) Within(limit time.Duration) { x.limit = limit }

// Post sends payload and returns the response, whatever its status. The caller
// closes the body. The error is an *openclaw.Error or the caller's context's.
// Sending again gives the endpoint all its time again.
func (x *Exchange) Post(url string, payload []byte) (*http.Response, error) {
	return x.send(http.MethodPost, url, bytes.NewReader(payload))
}

// Get is Post for a question without a body.
func (x *Exchange) Get(url string) (*http.Response, error) {
	return x.send(http.MethodGet, url, http.NoBody)
}

func (x *Exchange) send(method, url string, body io.Reader) (*http.Response, error) {
	x.begun, x.limit = false, x.end.timeout
	x.timer.Reset(x.limit)
	req, err := http.NewRequestWithContext(x.ctx, method, url, body)
	if err != nil {
		return nil, x.Broken(err)
	}
	req.Header = x.end.header.Clone()
	resp, err := x.end.client.Do(req)
	if err != nil {
		return nil, x.Broken(err)
	}
	resp.Body = watched{x, resp.Body}
	return resp, nil
}

// Refusal reads the body of a response that refuses, and closes it.
func (x *Exchange) Refusal(resp *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	resp.Body.Close()
	if err != nil && x.ctx.Err() != nil {
		return nil, x.Broken(err)
	}
	return text, nil
}

// Drain reads the rest of a body, which is next to nothing, so that the
// connection can be used again; a server that keeps it open is not waited for.
func (x *Exchange) Drain(body io.Reader) {
	x.limit = DrainTimeout
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxErrorBody))
}

// watched is a body whose reads are watched and whose size is bounded.
type watched struct {
	x *Exchange
	io.ReadCloser
}

// Read implements io.Reader.
func (r watched) Read(p []byte) (int, error) {
	x := r.x
	if x.begun {
		x.timer.Reset(x.limit)
	}
	n, err := r.ReadCloser.Read(p)
	if n > 0 || x.begun {
		x.timer.Stop()
	}
	if n > 0 && !x.begun {
		x.begun, x.limit = true, IdleTimeout
	}
	if x.total += int64(n); x.total > maxStream {
		return n, errRunaway
	}
	return n, err
}
