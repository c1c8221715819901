package openai

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

// slow is a body whose pieces come after a delay each, and then its end or,
// where it is open, nothing. A read is ended by the request's context as
// net/http does it.
type slow struct {
	ctx    context.Context
	delay  time.Duration
	pieces []string
	open   bool

	ended, closed bool
}

func (s *slow) Read(p []byte) (int, error) {
	wait := time.After(s.delay)
	if len(s.pieces) == 0 && s.open {
		wait = nil
	}
	select {
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	case <-wait:
	}
	if len(s.pieces) == 0 {
		s.ended = true
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func (s *slow) Close() error {
	s.closed = true
	return nil
}

func TestSilence(t *testing.T) {
	const (
		text = `data: {"choices":[{"delta":{"content":"Hello"}}]}` + "\n\n"
		end  = `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	)
	tests := []struct {
		name   string
		delay  time.Duration
		pieces []string
		reader time.Duration // how long the caller takes for each event
		kind   string
		after  time.Duration
	}{
		{"no first byte", 5 * time.Minute, []string{text}, 0, openclaw.FailureTimeout, endpoint.DefaultTimeout},
		{"slow first byte", time.Minute + 59*time.Second, []string{text + end + "data: [DONE]\n\n"}, 0, "", 0},
		{"keep-alive is a sign of life", 50 * time.Second, []string{": wait\n\n", ": wait\n\n", ": wait\n\n", text + end + "data: [DONE]\n\n"}, 0, "", 0},
		{"silent in the middle", time.Second, []string{text}, 0, openclaw.FailureTimeout, time.Second + endpoint.IdleTimeout},
		{"open after the end", time.Second, []string{text, end}, 0, "", 2*time.Second + endpoint.GraceTimeout},
		{"slow caller", time.Second, []string{text, text, end, "data: [DONE]\n\n"}, 10 * time.Minute, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := adapter(t, bodies(func(r *http.Request) *http.Response {
					return ok(&slow{ctx: r.Context(), delay: tt.delay, pieces: tt.pieces, open: true})
				}), Options{})
				start := time.Now()
				var last error
				stops := 0
				for ev, err := range m.Stream(t.Context(), modeltest.Ask()) {
					time.Sleep(tt.reader)
					last = err
					if ev.Stop != "" {
						stops++
					}
				}
				kind := modeltest.Answer{Err: last}.Kind()
				if kind != tt.kind || (stops == 1) != (tt.kind == "") {
					t.Errorf("got %v and %d stops, want an error of kind %q", last, stops, tt.kind)
				}
				if took := time.Since(start); tt.after != 0 && took != tt.after {
					t.Errorf("it took %s, want %s", took, tt.after)
				}
			})
		})
	}
}

func TestNetworkErrors(t *testing.T) {
	reset := io.MultiReader(bytes.NewReader(recording(t, "cut.sse")), iotest.ErrReader(errors.New("connection reset by peer")))
	tests := []struct {
		name string
		rt   bodies
		kind string
	}{
		{"no connection", func(*http.Request) *http.Response { return nil }, openclaw.FailureNetwork},
		{"reset", func(*http.Request) *http.Response { return ok(reset) }, openclaw.FailureCutStream},
		{"reset before the first byte", func(*http.Request) *http.Response { return ok(iotest.ErrReader(io.ErrUnexpectedEOF)) }, openclaw.FailureCutStream},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := adapter(t, tt.rt, Options{BaseURL: "http://user:hunter2@127.0.0.1:1/v1?token=hunter2"})
			a := modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask()))
			if a.Kind() != tt.kind || openclaw.CodeOf(a.Err) != openclaw.CodeModelUnavailable {
				t.Errorf("got %s, want kind %s", a, tt.kind)
			}
			if strings.Contains(a.Err.Error(), "hunter2") {
				t.Errorf("the error tells a secret: %v", a.Err)
			}
		})
	}
}

// TestBodyIsDone: what remains of the body after the end mark is read, so that
// the connection can be used again, but not waited for; and the body is closed
// whatever happened.
func TestBodyIsDone(t *testing.T) {
	const (
		text = `data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}` + "\n\n"
		done = "data: [DONE]\n\n"
	)
	tests := []struct {
		name  string
		body  slow
		ended bool
		took  time.Duration
	}{
		{"the end comes apart", slow{pieces: []string{text + done, ": bye\n\n"}, delay: endpoint.DrainTimeout / 2}, true, 3 * endpoint.DrainTimeout / 2},
		{"no end comes", slow{pieces: []string{text + done}, open: true}, false, endpoint.DrainTimeout},
		{"an error", slow{pieces: []string{"data: {\"error\":\"x\"}\n\n"}, open: true}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := adapter(t, bodies(func(r *http.Request) *http.Response {
					tt.body.ctx = r.Context()
					resp := ok(nil)
					resp.Body = &tt.body
					return resp
				}), Options{})
				start := time.Now()
				modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask()))
				if took := time.Since(start); tt.body.ended != tt.ended || !tt.body.closed || took != tt.took {
					t.Errorf("read to the end: %v, closed: %v, after %s", tt.body.ended, tt.body.closed, took)
				}
			})
		})
	}
}

// TestPatienceAfterRefusal: the request that goes out again without a refused
// field may take as long as the first.
func TestPatienceAfterRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		m := adapter(t, bodies(func(r *http.Request) *http.Response {
			if asked++; asked == 1 {
				resp := ok(strings.NewReader(`{"error":{"message":"unknown field stream_options"}}`))
				resp.StatusCode = http.StatusBadRequest
				return resp
			}
			return ok(&slow{ctx: r.Context(), delay: endpoint.DefaultTimeout - time.Second, pieces: []string{
				`data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"}})
		}), Options{})
		if a := modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask())); a.Err != nil || asked != 2 {
			t.Errorf("after %d requests:\n%s", asked, a)
		}
	})
}
