package openai

import (
	"context"
	"errors"
	"io"
	"time"
)

var (
	errSilent  = errors.New("the endpoint was silent for too long")
	errRunaway = errors.New("the stream is larger than any answer")
)

// watch ends a request whose endpoint stays silent. It counts only the time
// spent waiting for the endpoint: a slow reader of the events is no failure of
// the endpoint. It belongs to the goroutine of one Stream call.
type watch struct {
	parent context.Context // the caller's
	ctx    context.Context // the request's
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration // of the next wait
	begun  bool          // a byte of the answer has come
	total  int64
}

// newWatch starts the wait for the first byte.
func newWatch(parent context.Context, first time.Duration) *watch {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watch{parent: parent, ctx: ctx, cancel: cancel, limit: first}
	w.timer = time.AfterFunc(first, func() { cancel(errSilent) })
	return w
}

// restart begins the wait for the first byte anew, for another request.
func (w *watch) restart(first time.Duration) {
	w.begun, w.limit = false, first
	w.timer.Reset(first)
}

// stop releases the timer and the request.
func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// silent says whether the watch itself ended the request.
func (w *watch) silent() bool {
	return w.parent.Err() == nil && errors.Is(context.Cause(w.ctx), errSilent)
}

// watched is a body whose reads are watched and whose size is bounded.
type watched struct {
	w    *watch
	body io.Reader
}

func (r watched) Read(p []byte) (int, error) {
	w := r.w
	if w.begun {
		w.timer.Reset(w.limit)
	}
	n, err := r.body.Read(p)
	if n > 0 || w.begun {
		w.timer.Stop()
	}
	if n > 0 && !w.begun {
		w.begun, w.limit = true, idleTimeout
	}
	if w.total += int64(n); w.total > maxStream {
		return n, errRunaway
	}
	return n, err
}
