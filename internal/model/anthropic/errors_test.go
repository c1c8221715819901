package anthropic

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

func TestErrors(t *testing.T) {
	const invalid = "invalid_request_error"
	raw := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	endless := func(status int, kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			raw(status, kind, "")(w, r)
			junk := make([]byte, 64<<10)
			for n := 0; n < 2*maxStream && r.Context().Err() == nil; n += len(junk) {
				if _, err := w.Write(junk); err != nil {
					return
				}
			}
		}
	}
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		code   openclaw.Code
		kind   string
		status int
		says   string // part of the message
	}{
		{"no key", refuse(401, "authentication_error", "invalid x-api-key"), openclaw.CodeModelUnavailable, "auth", 401, "set brain.api_key or ANTHROPIC_API_KEY"},
		{"not allowed", refuse(403, "permission_error", "no access"), openclaw.CodeModelUnavailable, "auth", 403, "refused the key"},
		{"not paid", refuse(402, "billing_error", "pay"), openclaw.CodeModelUnavailable, "auth", 402, "check its plan"},
		{"no credit", refuse(400, invalid, "Your credit balance is too low to access the Anthropic API."), openclaw.CodeModelUnavailable, "auth", 400, "credit balance"},
		{"no model", refuse(404, "not_found_error", "model: claude-opus-4-6"), openclaw.CodeModelNotFound, "bad_request", 404, `"claude-opus-4-6"`},
		{"wrong path", raw(404, "text/html", "<h1>404</h1>"), openclaw.CodeModelNotFound, "bad_request", 404, "base URL"},
		{"too large", refuse(413, "request_too_large", "Request exceeds the maximum size"), openclaw.CodeContextOverflow, "context_overflow", 413, "this long"},
		{"too long", refuse(400, invalid, "prompt is too long: 210000 tokens > 200000 maximum"), openclaw.CodeContextOverflow, "context_overflow", 400, "this long"},
		{"too long with answer", refuse(400, invalid, "input length and `max_tokens` exceed context limit: 1 + 2 > 2"), openclaw.CodeContextOverflow, "context_overflow", 400, "this long"},
		{"limited", refuse(429, "rate_limit_error", "slow down"), openclaw.CodeModelUnavailable, "rate_limited", 429, "later"},
		{"broken", refuse(500, "api_error", "Internal server error"), openclaw.CodeModelUnavailable, "overloaded", 500, "later"},
		{"bad gateway", raw(502, "text/html", "<html>"), openclaw.CodeModelUnavailable, "overloaded", 502, "later"},
		{"overloaded", refuse(529, "overloaded_error", "Overloaded"), openclaw.CodeModelUnavailable, "overloaded", 529, "later"},
		{"slow", refuse(504, "timeout_error", "timeout"), openclaw.CodeModelUnavailable, "timeout", 504, "try again"},
		{"request timeout", refuse(408, "", ""), openclaw.CodeModelUnavailable, "timeout", 408, "try again"},
		{"filtered", refuse(400, invalid, "Output blocked by content filtering policy"), openclaw.CodeModelError, "content_filter", 400, "rephrase"},
		{"bad request", refuse(400, invalid, "messages.0.content:\n  Input should\x00 be a list"), openclaw.CodeModelError, "bad_request", 400, "refused the request: messages.0.content:   Input should be a list"},
		{"flat message", raw(422, "application/json", `{"message":"no such field"}`), openclaw.CodeModelError, "bad_request", 422, "no such field"},
		{"plain text error", raw(400, "application/json", `{"error":"model busy","detail":"x"}`), openclaw.CodeModelError, "bad_request", 400, "model busy"},
		{"detail", raw(400, "application/json", `{"detail":"missing body"}`), openclaw.CodeModelError, "bad_request", 400, "missing body"},
		{"not the API", raw(200, "text/html", "<h1>Log in</h1>"), openclaw.CodeModelError, "bad_request", 200, "base URL"},
		{"no stream", raw(200, "application/json", `{"type":"message"}`), openclaw.CodeModelError, "bad_request", 200, "base URL"},
		{"endless error", endless(500, "text/plain"), openclaw.CodeModelUnavailable, "overloaded", 500, "later"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.answer)
			events, err := run(t, s.adapter(t, Options{}), hello)
			var e *openclaw.Error
			if !errors.As(err, &e) || len(events) > 0 {
				t.Fatalf("%v, %v; want an error only", events, err)
			}
			if e.Code != tc.code || !strings.Contains(e.Message, tc.says) {
				t.Errorf("%s %q; want %s …%s…", e.Code, e.Message, tc.code, tc.says)
			}
			if diff := cmp.Diff(map[string]any{"kind": tc.kind, "status": tc.status}, e.Details); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
			if len(s.bodies) != 1 {
				t.Errorf("%d requests; want no retry", len(s.bodies))
			}
		})
	}
}

func TestErrorsKeepSecrets(t *testing.T) {
	const key, token = "sk-ant-very-secret", "bearer-very-secret"
	s := serve(t, refuse(400, "invalid_request_error", "bad: "+key+" and "+token+" "+strings.Repeat("long ", 200)))
	_, err := run(t, s.adapter(t, Options{Name: "mine", APIKey: key, Headers: map[string]string{"Authorization": "Bearer " + token}}), hello)
	e := openclaw.AsError(err)
	if strings.Contains(e.Error(), "secret") || strings.Count(e.Message, "***") != 2 {
		t.Errorf("%q holds a secret", e.Error())
	}
	if len(e.Message) > 400 {
		t.Errorf("the message has %d bytes", len(e.Message))
	}
	if !strings.Contains(e.Message, `provider "mine"`) {
		t.Errorf("%q does not name the provider", e.Message)
	}
}

func TestUnreachable(t *testing.T) {
	s := serve(t, sse(""))
	a := s.adapter(t, Options{BaseURL: strings.Replace(s.URL, "http://", "http://user:password@", 1)})
	s.Close()
	_, err := run(t, a, hello)
	e := openclaw.AsError(err)
	if e.Code != openclaw.CodeModelUnavailable || e.Details["kind"] != "network" || strings.Contains(e.Error(), "password") {
		t.Errorf("%s %v %v", e.Code, e.Details, e)
	}
}

func TestCutConnection(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, recording(t, "cut"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	events, err := run(t, s.adapter(t, Options{}), hello)
	e := openclaw.AsError(err)
	if len(events) != 1 || e.Code != openclaw.CodeModelUnavailable || e.Details["kind"] != "cut_stream" {
		t.Errorf("%d events, %v %v", len(events), e, e.Details)
	}
}

func TestRunawayStream(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		line := []byte("data: " + strings.Repeat("x", 1<<20) + "\n")
		for r.Context().Err() == nil {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	})
	a := s.adapter(t, Options{})
	a.limit = 3 << 20
	_, err := run(t, a, hello)
	if e := openclaw.AsError(err); e.Code != openclaw.CodeModelError || !strings.Contains(e.Message, "without end") {
		t.Errorf("%v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		header, value string
		want          time.Duration
	}{
		{"Retry-After", "30", 30 * time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After", "Sun, 01 Nov 2026 12:01:00 GMT", time.Minute},
		{"Retry-After", "Sun, 01 Nov 2026 11:00:00 GMT", 0},
		{"Retry-After", "-5", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "1e300", 24 * time.Hour},
		{"Retry-After", "", 0},
	} {
		if got := retryAfter(http.Header{tc.header: {tc.value}}, now); got != tc.want {
			t.Errorf("%s: %s gives %v; want %v", tc.header, tc.value, got, tc.want)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		refuse(429, "rate_limit_error", "slow down")(w, r)
	})
	_, err := run(t, s.adapter(t, Options{}), hello)
	if e := openclaw.AsError(err); e.RetryAfter != 7*time.Second {
		t.Errorf("RetryAfter %v; want 7s", e.RetryAfter)
	}
}

func TestCancelledBeforehand(t *testing.T) {
	s := serve(t, sse(""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.adapter(t, Options{}).Stream(ctx, hello) {
		if err != context.Canceled { //nolint:errorlint // ctx's own error, not one wrapping it
			t.Errorf("error %v; want the context's own", err)
		}
	}
	if len(s.bodies) != 0 {
		t.Errorf("%d requests; want none", len(s.bodies))
	}
}

// whole is a transport that notes how the body of its answer was left.
type whole struct {
	io.Reader
	atEnd, closed bool
}

func (b *whole) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: b, Request: r}, nil
}

func (b *whole) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.atEnd = b.atEnd || errors.Is(err, io.EOF)
	return n, err
}

func (b *whole) Close() error {
	b.closed = true
	return nil
}

// A finished answer is read to its end and closed: net/http gives the
// connection to the next call only then.
func TestConnectionIsLeftForTheNextCall(t *testing.T) {
	body := &whole{Reader: strings.NewReader(recording(t, "text"))}
	a, err := New(Options{APIKey: "sk", Client: &http.Client{Transport: body}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, a, hello); err != nil {
		t.Fatal(err)
	}
	if !body.atEnd || !body.closed {
		t.Errorf("read to the end: %v, closed: %v; want both", body.atEnd, body.closed)
	}
}
