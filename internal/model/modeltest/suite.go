package modeltest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
)

// Suite is what Run needs to know of an adapter.
type Suite struct {
	// New returns a model that sends its requests to the server at url through
	// client.
	New func(t *testing.T, url string, client *http.Client) openclaw.Model
	// Text is a recorded stream of server-sent events with a text in at least
	// two deltas, and Tools one with tool calls. Each of the calls has an id.
	Text, Tools []byte
	// Lines says that an event is a line of the streams, and no server-sent
	// event.
	Lines bool
	// Failures are answers other than a stream, and what they mean.
	Failures []Failure
}

// Failure is a refusal of an endpoint.
type Failure struct {
	Name   string
	Status int
	Header map[string]string
	Body   string

	Code       openclaw.Code
	Kind       string // Details["kind"]
	RetryAfter time.Duration
	Says       string // what the message must contain
}

// patience bounds what must happen soon; nothing waits for it to pass unless
// the test fails.
const patience = 10 * time.Second

// Run runs the tests every adapter has to pass, as subtests of t.
func Run(t *testing.T, s Suite) {
	t.Run("answers", s.answers)
	t.Run("any pieces", s.pieces)
	t.Run("cut anywhere", s.cut)
	t.Run("break releases", s.breaks)
	t.Run("cancel", s.cancels)
	t.Run("deadline", s.deadline)
	t.Run("concurrent", s.concurrent)
	for _, f := range s.Failures {
		t.Run("failure "+f.Name, func(t *testing.T) { s.failure(t, f) })
	}
}

// Ask is the request the suite sends.
func Ask() *openclaw.Request {
	return &openclaw.Request{Model: "test-model", System: "Be brief.", Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, "Hello.")}}
}

// Play starts a server that answers each request with the recorded stream.
func Play(t testing.TB, stream []byte) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = w.Write(stream)
	})
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Client().CloseIdleConnections()
		srv.Close()
	})
	return srv
}

// model starts a server with h and returns a model that asks it; when the test
// ends, no goroutine of either may be left.
func (s Suite) model(t *testing.T, h http.HandlerFunc) openclaw.Model {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if err := goleak.Find(before); err != nil {
			t.Errorf("goroutines are left: %v", err)
		}
	})
	srv := serve(t, h)
	return s.New(t, srv.URL, srv.Client())
}

func (s Suite) play(t *testing.T, stream []byte) openclaw.Model {
	return s.model(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = w.Write(stream)
	})
}

func (s Suite) answers(t *testing.T) {
	a := Collect(t, s.play(t, s.Text).Stream(t.Context(), Ask()))
	if a.Err != nil || a.Stop != openclaw.StopEnd || len(a.Deltas) < 2 {
		t.Errorf("the text answer is:\n%s", a)
	}
	a = Collect(t, s.play(t, s.Tools).Stream(t.Context(), Ask()))
	if a.Err != nil || a.Stop != openclaw.StopToolCall || len(a.Calls()) == 0 {
		t.Errorf("the tool answer is:\n%s", a)
	}
}

// pieces: the same bytes mean the same, however the network and the server's
// line ends cut them up.
func (s Suite) pieces(t *testing.T) {
	want := Collect(t, s.play(t, s.Tools).Stream(t.Context(), Ask()))
	crlf := bytes.ReplaceAll(bytes.ReplaceAll(s.Tools, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	for name, stream := range map[string][]byte{"lf": s.Tools, "crlf": crlf} {
		m := s.model(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range stream {
				_, _ = w.Write(stream[i : i+1])
				if i%7 == 0 {
					w.(http.Flusher).Flush()
				}
			}
		})
		got := Collect(t, m.Stream(t.Context(), Ask()))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s in pieces (-whole +pieces):\n%s", name, diff)
		}
	}
}

// cut: a stream that ends early is never taken for a shorter answer.
func (s Suite) cut(t *testing.T) {
	for _, stream := range [][]byte{s.Text, s.Tools} {
		stream = bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n"))
		length := 0
		m := s.model(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write(stream[:length])
		})
		length = len(stream)
		whole := Collect(t, m.Stream(t.Context(), Ask()))
		for _, length = range s.cuts(stream) {
			got := Collect(t, m.Stream(t.Context(), Ask()))
			switch {
			case got.Err == nil && cmp.Equal(got.Parts, whole.Parts) && got.Stop == whole.Stop:
			case got.Err == nil:
				t.Errorf("cut after %d bytes passes for\n%s", length, got)
			case got.Kind() != "cut_stream" || openclaw.CodeOf(got.Err) != openclaw.CodeModelUnavailable:
				t.Errorf("cut after %d bytes gives %s, want MODEL_UNAVAILABLE of kind cut_stream", length, describe(got.Err))
			}
		}
	}
}

// cuts returns the ends of all events, and a place inside each.
func (s Suite) cuts(stream []byte) []int {
	end := "\n\n"
	if s.Lines {
		end = "\n"
	}
	var at []int
	for pos := 0; ; {
		n := bytes.Index(stream[pos:], []byte(end))
		if n < 0 {
			return at
		}
		at = append(at, pos+n/2, pos+n+len(end))
		pos += n + len(end)
	}
}

// stalling answers with half of the text stream and then waits for the client
// to go, which it reports.
func (s Suite) stalling(t *testing.T) (m openclaw.Model, gone <-chan struct{}) {
	ch := make(chan struct{}, 1)
	half := bytes.LastIndex(s.Text[:len(s.Text)*2/3], []byte("\n"))
	return s.model(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(append(bytes.Clone(s.Text[:half]), "\n\n"...))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		ch <- struct{}{}
	}), ch
}

func (s Suite) breaks(t *testing.T) {
	m, gone := s.stalling(t)
	deltas := 0
	for ev, err := range m.Stream(t.Context(), Ask()) {
		if err != nil || ev.Delta == "" {
			t.Fatalf("got %+v, %v; want a delta", ev, err)
		}
		deltas++
		break
	}
	if deltas != 1 {
		t.Error("no delta came before the stream stalled")
	}
	awaitGone(t, gone)
}

func (s Suite) cancels(t *testing.T) {
	m, gone := s.stalling(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for ev, err := range m.Stream(ctx, Ask()) {
		last = err
		if ev.Delta != "" {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) || openclaw.CodeOf(last) != openclaw.CodeInternal {
		t.Errorf("got %v, want the context's own error", last)
	}
	awaitGone(t, gone)
}

// deadline gives more time where a busy machine has not come to the answer when
// the deadline passes, since the server may then never have heard of it.
func (s Suite) deadline(t *testing.T) {
	for wait := 50 * time.Millisecond; wait < patience; wait *= 4 {
		m, gone := s.stalling(t)
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		a := Collect(t, m.Stream(ctx, Ask()))
		cancel()
		if a.Err != context.DeadlineExceeded { //nolint:errorlint // as it is, not wrapped
			t.Errorf("got %v, want the context's own error", a.Err)
		}
		if len(a.Deltas) > 0 {
			awaitGone(t, gone)
			return
		}
	}
	t.Error("no delta came before any deadline")
}

func awaitGone(t *testing.T, gone <-chan struct{}) {
	t.Helper()
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the connection is still open")
	}
}

func (s Suite) concurrent(t *testing.T) {
	m := s.play(t, s.Tools)
	want := Collect(t, m.Stream(t.Context(), Ask()))
	const n = 8
	answers := make(chan Answer, n)
	for range n {
		go func() {
			a, breach := Gather(m.Stream(t.Context(), Ask()))
			a.Err = errors.Join(a.Err, breach)
			answers <- a
		}()
	}
	for range n {
		if diff := cmp.Diff(want, <-answers); diff != "" {
			t.Errorf("at the same time as others (-alone +together):\n%s", diff)
		}
	}
}

func (s Suite) failure(t *testing.T, f Failure) {
	m := s.model(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for k, v := range f.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
	})
	a := Collect(t, m.Stream(t.Context(), Ask()))
	var e *openclaw.Error
	if !errors.As(a.Err, &e) {
		t.Fatalf("got %s, want an error", a)
	}
	if e.Code != f.Code || a.Kind() != f.Kind || e.RetryAfter != f.RetryAfter {
		t.Errorf("got %s %s, retry after %s; want %s %s, %s", e.Code, a.Kind(), e.RetryAfter, f.Code, f.Kind, f.RetryAfter)
	}
	if status, _ := e.Details["status"].(int); f.Status != http.StatusOK && status != f.Status {
		t.Errorf("the details say status %d, want %d", status, f.Status)
	}
	if !strings.Contains(e.Message, f.Says) {
		t.Errorf("the message %q does not say %q", e.Message, f.Says)
	}
}
