package modeltest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Bodies is an http.RoundTripper that answers in memory with what it returns;
// nil is a connection that is refused.
type Bodies func(*http.Request) *http.Response

// RoundTrip implements http.RoundTripper.
func (f Bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := f(r); resp != nil {
		resp.Request = r
		return resp, nil
	}
	return nil, errors.New("connection refused")
}

// OK is a response that accepts and carries body.
func OK(body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body)}
}

// Refuse is a response that refuses with a JSON body.
func Refuse(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// Slow is a body whose pieces come after a delay each, and then its end or,
// where it is open, nothing. A read is ended by the request's context as
// net/http does it.
type Slow struct {
	Ctx    context.Context
	Delay  time.Duration
	Pieces []string
	Open   bool
}

// Read implements io.Reader.
func (s *Slow) Read(p []byte) (int, error) {
	wait := time.After(s.Delay)
	if len(s.Pieces) == 0 && s.Open {
		wait = nil
	}
	select {
	case <-s.Ctx.Done():
		return 0, s.Ctx.Err()
	case <-wait:
	}
	if len(s.Pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.Pieces[0])
	s.Pieces = s.Pieces[1:]
	return n, nil
}
