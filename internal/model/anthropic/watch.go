package anthropic

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bounds on what an endpoint may send.
const (
	maxErrorBody = 64 << 10
	maxStream    = 64 << 20
	drainTime    = 20 * time.Millisecond
	drainBytes   = 4 << 10
)

var (
	errSilent   = errors.New("no byte arrived in time")
	errTooLarge = errors.New("the answer is larger than an answer can be")
)

// watch ends a call that has gone silent. Its timer runs only while the
// adapter waits for the endpoint, never while the caller is busy.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  int // of the answer, in bytes
}

func newWatch(ctx context.Context, first time.Duration, limit int) *watch {
	ctx, cancel := context.WithCancelCause(ctx)
	return &watch{ctx: ctx, cancel: cancel, limit: limit, timer: time.AfterFunc(first, func() { cancel(errSilent) })}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// middleware puts every response body, that of an error too, under the watch:
// the SDK reads the bodies of errors whole.
func (w *watch) middleware(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	resp, err := next(req)
	if err == nil && resp != nil && resp.Body != nil {
		b := &body{watch: w, rc: resp.Body, left: w.limit}
		resp.Body = b
		if resp.StatusCode >= http.StatusBadRequest {
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(b, maxErrorBody), b}
		}
	}
	return resp, err
}

// body is a response body that ends the call when it is silent or endless.
type body struct {
	watch   *watch
	rc      io.ReadCloser
	left    int
	started bool
	ended   bool
}

// blankLine ends the last event for the SDK's splitter, which drops an event
// that only the end of the stream ends.
const blankLine = "\n\n"

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if b.started {
		b.watch.timer.Reset(idleTimeout)
	}
	n, err := b.rc.Read(p)
	b.left -= n
	if n > 0 {
		b.started = true
		b.watch.timer.Stop()
	}
	if errors.Is(err, io.EOF) && !b.ended && len(p)-n >= len(blankLine) {
		b.ended = true
		return n + copy(p[n:], blankLine), nil
	}
	if n > 0 && errors.Is(err, io.EOF) && !b.ended {
		return n, nil // no room for the blank line yet
	}
	return n, err
}

func (b *body) Close() error { return b.rc.Close() }

// drain reads to the end of a finished stream, so that the connection can
// serve the next call, but waits for that no longer than a new one would cost.
func (w *watch) drain(r io.Reader) {
	w.timer.Stop()
	timer := time.AfterFunc(drainTime, func() { w.cancel(nil) })
	defer timer.Stop()
	var rest [drainBytes]byte
	for n := 0; n < len(rest); {
		m, err := r.Read(rest[n:])
		if n += m; err != nil {
			return
		}
	}
}

// isEvents says whether a response holds an event stream; servers that name
// no type get the benefit of the doubt.
func isEvents(header http.Header) bool {
	kind := header.Get("Content-Type")
	return kind == "" || strings.HasPrefix(strings.ToLower(kind), "text/event-stream")
}
