package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

// server is a Messages API on the loopback address that answers from a list.
type server struct {
	*httptest.Server
	bodies  []string
	headers []http.Header
}

// serve starts a server whose n-th answer is written by the n-th handler; the
// last one stays.
func serve(t *testing.T, answers ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/v1/messages" {
			t.Errorf("%s %s; want POST /v1/messages", r.Method, r.URL.Path)
		}
		s.bodies = append(s.bodies, string(body))
		s.headers = append(s.headers, r.Header.Clone())
		answers[min(len(s.bodies), len(answers))-1](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func sse(stream string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, stream)
	}
}

func refuse(status int, kind, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "error", "error": map[string]string{"type": kind, "message": message}})
	}
}

func (s *server) adapter(t *testing.T, opts Options) *Adapter {
	t.Helper()
	if opts.BaseURL == "" {
		opts.BaseURL = s.URL
	}
	if opts.Client == nil {
		opts.Client = s.Client()
	}
	if opts.APIKey == "" {
		opts.APIKey = "sk-ant-test-key"
	}
	a, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func recording(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "streams", name+".sse"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

var hello = &openclaw.Request{Model: "claude-opus-4-6", Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, "Hello")}}

// run collects what a call yields.
func run(t *testing.T, a *Adapter, req *openclaw.Request) (events []openclaw.ModelEvent, err error) {
	t.Helper()
	for ev, e := range a.Stream(t.Context(), req) {
		if e != nil {
			if err != nil {
				t.Fatal("the sequence went on after its error")
			}
			err = e
			continue
		}
		events = append(events, ev)
	}
	return events, err
}

// transcript writes events and error one per line.
func transcript(events []openclaw.ModelEvent, err error) string {
	var b strings.Builder
	for _, ev := range events {
		switch p := ev.Part; {
		case ev.Delta != "":
			fmt.Fprintf(&b, "delta %q\n", ev.Delta)
		case ev.Stop != "":
			fmt.Fprintf(&b, "stop %s model=%q input=%d output=%d cache_read=%d cache_write=%d\n", ev.Stop, ev.Model,
				ev.Usage.Input, ev.Usage.Output, ev.Usage.CacheRead, ev.Usage.CacheWrite)
		case p.Kind == openclaw.PartToolCall:
			fmt.Fprintf(&b, "call %s %s %s\n", p.Call.ID, p.Call.Tool, p.Call.Args)
		default:
			fmt.Fprintf(&b, "%s %q %s %s\n", p.Kind, p.Text, p.Opaque, p.Provider)
		}
	}
	var e *openclaw.Error
	if errors.As(err, &e) {
		fmt.Fprintf(&b, "error %s %v: %s\n", e.Code, e.Details, e.Message)
	} else if err != nil {
		fmt.Fprintf(&b, "error %v\n", err)
	}
	return b.String()
}
