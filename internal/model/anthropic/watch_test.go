package anthropic

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// slow is a transport whose answer comes in pieces, each after a pause.
type slow struct {
	header time.Duration
	pieces []string
	pauses []time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.header):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Request: r,
		Body: &slowBody{slow: s, ctx: r.Context()},
	}, nil
}

type slowBody struct {
	slow
	ctx context.Context
	n   int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.n >= len(b.pieces) {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pauses[b.n]):
	case <-b.ctx.Done():
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n := copy(p, b.pieces[b.n])
	b.n++
	return n, nil
}

func (b *slowBody) Close() error { return nil }

func TestTimeouts(t *testing.T) {
	const event = "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n"
	const end = "data: {\"type\":\"message_stop\"}\n\n"
	const s = time.Second
	for _, tc := range []struct {
		name      string
		transport slow
		timeout   time.Duration
		deadline  time.Duration
		busy      time.Duration // how long the caller takes over each event
		takes     time.Duration
		kind      string // of the error; "": none; "ctx": the context's own
	}{
		{"patient", slow{110 * s, []string{event, event, end}, []time.Duration{5 * s, 59 * s, 59 * s}}, 0, 0, 0, 233 * s, ""},
		{"no header", slow{time.Hour, nil, nil}, 0, 0, 0, 120 * s, "timeout"},
		{"no first byte", slow{s, []string{event}, []time.Duration{time.Hour}}, 0, 0, 0, 120 * s, "timeout"},
		{"own timeout", slow{time.Hour, nil, nil}, 5 * s, 0, 0, 5 * s, "timeout"},
		{"idle", slow{0, []string{event, end}, []time.Duration{0, time.Hour}}, 0, 0, 0, 60 * s, "timeout"},
		{"busy caller", slow{0, []string{event, event, end}, []time.Duration{0, 0, 0}}, 0, 0, 90 * s, 4 * 90 * s, ""},
		{"deadline", slow{time.Hour, nil, nil}, 0, 3 * s, 0, 3 * s, "ctx"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, err := New(Options{APIKey: "sk", Timeout: tc.timeout, Client: &http.Client{Transport: tc.transport}})
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tc.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.deadline)
					defer cancel()
				}
				begin := time.Now()
				for _, e := range a.Stream(ctx, hello) {
					err = e
					time.Sleep(tc.busy)
				}
				kind := ""
				if err == context.DeadlineExceeded { //nolint:errorlint // ctx's own error, not one wrapping it
					kind = "ctx"
				} else if err != nil {
					e := openclaw.AsError(err)
					kind, _ = e.Details["kind"].(string)
					if e.Code != openclaw.CodeModelUnavailable {
						t.Errorf("code %s", e.Code)
					}
				}
				if took := time.Since(begin); kind != tc.kind || took != tc.takes {
					t.Errorf("%v after %v; want %q after %v", err, took, tc.kind, tc.takes)
				}
			})
		})
	}
}
