package anthropic

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStreams(t *testing.T) {
	files, err := filepath.Glob("testdata/streams/*.sse")
	if err != nil || len(files) < 15 {
		t.Fatalf("recordings: %v, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		t.Run(name, func(t *testing.T) {
			s := serve(t, sse(recording(t, name)))
			events, err := run(t, s.adapter(t, Options{}), hello)
			golden(t, strings.TrimSuffix(file, ".sse")+".golden", transcript(events, err))
		})
	}
}

func TestMissingCallID(t *testing.T) {
	s := serve(t, sse(`data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"a"}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"b"}}

data: {"type":"message_stop"}

`))
	events, err := run(t, s.adapter(t, Options{}), hello)
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v; want two calls and a stop", len(events), err)
	}
	first, second := events[0].Part.Call.ID, events[1].Part.Call.ID
	if len(first) < 16 || first == second || wireName(first) != first {
		t.Errorf("ids %q and %q; want long, different and acceptable to the API", first, second)
	}
}

func TestHeaders(t *testing.T) {
	t.Setenv("ANTHROPIC_API_KEY", "sk-from-environment")
	t.Setenv("ANTHROPIC_AUTH_TOKEN", "token-from-environment")
	t.Setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1/from-environment")
	t.Setenv("ANTHROPIC_CUSTOM_HEADERS", "X-From: environment")
	t.Setenv("ANTHROPIC_PROFILE", "no-such-profile")
	s := serve(t, sse(recording(t, "text")))
	a := s.adapter(t, Options{BaseURL: s.URL + "/v1/", APIKey: "sk-mine", Headers: map[string]string{"Anthropic-Beta": "some-beta", "X-Extra": "1"}})
	if _, err := run(t, a, hello); err != nil {
		t.Fatal(err)
	}
	h := s.headers[0]
	got := map[string]string{}
	for _, name := range []string{"X-Api-Key", "Authorization", "Anthropic-Version", "Anthropic-Beta", "X-Extra", "X-From", "Content-Type", "Accept"} {
		got[name] = h.Get(name)
	}
	want := map[string]string{
		"X-Api-Key": "sk-mine", "Authorization": "", "Anthropic-Version": "2023-06-01", "Anthropic-Beta": "some-beta",
		"X-Extra": "1", "X-From": "", "Content-Type": "application/json", "Accept": "text/event-stream",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// An endpoint that needs no key does not get one from the environment.
func TestNoKeyFromTheEnvironment(t *testing.T) {
	t.Setenv("ANTHROPIC_API_KEY", "sk-from-environment")
	s := serve(t, sse(recording(t, "text")))
	a, err := New(Options{BaseURL: s.URL, Client: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, a, hello); err != nil {
		t.Fatal(err)
	}
	if key := s.headers[0].Get("X-Api-Key"); key != "" {
		t.Errorf("the key %q was sent", key)
	}
}

func TestNoKey(t *testing.T) {
	t.Setenv("ANTHROPIC_API_KEY", "sk-from-environment")
	a, err := New(Options{Client: &http.Client{Transport: forbidden{t}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t, a, hello)
	if e := openclaw.AsError(err); e.Code != openclaw.CodeModelUnavailable || !strings.Contains(e.Message, "set brain.api_key or ANTHROPIC_API_KEY") {
		t.Errorf("error %v", err)
	}
}

// forbidden is a transport that must not be used.
type forbidden struct{ t *testing.T }

func (f forbidden) RoundTrip(r *http.Request) (*http.Response, error) {
	f.t.Errorf("request to %s", r.URL)
	return nil, errors.New("forbidden")
}

func TestNoRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed, key and all")
	}))
	defer other.Close()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := run(t, s.adapter(t, Options{}), hello)
	if e := openclaw.AsError(err); e.Code != openclaw.CodeModelError || !strings.Contains(e.Message, "base URL") {
		t.Errorf("error %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, opts := range map[string]Options{
		"relative address": {BaseURL: "api.example.com/v1"},
		"other scheme":     {BaseURL: "file:///etc/passwd"},
		"no address":       {BaseURL: "http://%zz"},
		"negative timeout": {Timeout: -1},
	} {
		if _, err := New(opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestModels(t *testing.T) {
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := -1
	for n, m := range a.Models() {
		if m.ID == "claude-opus-4-6" {
			i = n
		}
	}
	if i < 0 || a.Models()[i].ContextWindow != 1_000_000 {
		t.Errorf("models %v; want claude-opus-4-6 among them with a window of a million", a.Models())
	}
	own := []openclaw.ModelInfo{{ID: "own", ContextWindow: 5}}
	if a, err = New(Options{Models: own}); err != nil || !cmp.Equal(a.Models(), own) {
		t.Errorf("models %v, %v; want those given", a.Models(), err)
	}
}

func FuzzStream(f *testing.F) {
	for _, name := range []string{"text", "tools", "thinking", "unknown", "sloppy_proxy", "interleaved", "error_overloaded", "ping"} {
		f.Add([]byte(recording(f, name)))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		a, err := New(Options{APIKey: "sk", Client: &http.Client{Transport: canned(stream)}})
		if err != nil {
			t.Fatal(err)
		}
		events, err := run(t, a, hello)
		var deltas, texts strings.Builder
		for i, ev := range events {
			if (ev.Stop != "") != (i == len(events)-1 && err == nil) {
				t.Fatalf("event %d of %d is %+v, error %v: a stop ends every good answer and nothing else", i, len(events), ev, err)
			}
			deltas.WriteString(ev.Delta)
			if p := ev.Part; p != nil && p.Kind == openclaw.PartText {
				texts.WriteString(p.Text)
			} else if p != nil && p.Kind == openclaw.PartToolCall && (!isObject(p.Call.Args) || p.Call.ID == "") {
				t.Fatalf("call %+v with arguments %s", p.Call, p.Call.Args)
			}
		}
		if err == nil && len(deltas.String()) != len(texts.String()) {
			t.Fatalf("deltas %q, parts %q", deltas.String(), texts.String())
		}
	})
}

// canned is a transport that answers with one stream.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: io.NopCloser(bytes.NewReader(c)), Request: r,
	}, nil
}
