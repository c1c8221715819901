package ollama

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

var update = flag.Bool("update", false, "write the golden files")

// adapter returns one that speaks to rt, numbers the ids it makes and has
// asked about the test model already.
func adapter(t testing.TB, rt http.RoundTripper, o Options) *Adapter {
	t.Helper()
	if rt != nil {
		o.Client = &http.Client{Transport: rt}
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	a.newID = func() string {
		made++
		return fmt.Sprintf("made_%d", made)
	}
	a.known["test-model"] = &traits{asked: true}
	return a
}

func streaming(t testing.TB, body io.Reader) *Adapter {
	return adapter(t, modeltest.Bodies(func(*http.Request) *http.Response { return modeltest.OK(body) }), Options{Name: "test"})
}

// ask offers a tool: a call that cannot be read goes back to a model that has
// some.
func ask() *openclaw.Request {
	req := modeltest.Ask()
	req.Tools = []openclaw.ToolSpec{{Name: "shell"}}
	return req
}

func recording(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func recordings(t testing.TB) []string {
	files, err := filepath.Glob("testdata/*.ndjson")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	return files
}

func TestRecordings(t *testing.T) {
	for _, f := range recordings(t) {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		t.Run(name, func(t *testing.T) {
			data := recording(t, filepath.Base(f))
			got := modeltest.Collect(t, streaming(t, bytes.NewReader(data)).Stream(t.Context(), ask()))
			modeltest.Golden(t, filepath.Join("testdata", name+".golden"), got.String(), *update)
			pieces := modeltest.Collect(t, streaming(t, iotest.OneByteReader(bytes.NewReader(data))).Stream(t.Context(), ask()))
			if diff := cmp.Diff(got.String(), pieces.String()); diff != "" {
				t.Errorf("byte by byte (-whole +pieces):\n%s", diff)
			}
		})
	}
}

func TestSuite(t *testing.T) {
	modeltest.Run(t, modeltest.Suite{
		New: func(t *testing.T, url string, client *http.Client) openclaw.Model {
			a, err := New(Options{Name: "test", BaseURL: url + "/v1", APIKey: "secret-0123", Client: client})
			if err != nil {
				t.Fatal(err)
			}
			a.known["test-model"] = &traits{asked: true}
			return a
		},
		Text:     recording(t, "text.ndjson"),
		Tools:    recording(t, "tools.ndjson"),
		Lines:    true,
		Failures: failures,
	})
}

const (
	unavailable = openclaw.CodeModelUnavailable
	overflow    = openclaw.CodeContextOverflow
	notFound    = openclaw.CodeModelNotFound
	modelError  = openclaw.CodeModelError
)

// failures are refusals in the server's own words.
var failures = []modeltest.Failure{
	{Name: "model", Status: 404, Body: `{"error":"model 'test-model' not found"}`, Code: notFound, Kind: openclaw.FailureBadRequest, Says: "ollama pull"},
	{Name: "older model", Status: 404, Body: `{"error":"model \"test-model\" not found, try pulling it first"}`, Code: notFound, Kind: openclaw.FailureBadRequest},
	{Name: "no chat", Status: 400, Body: `{"error":"\"test-model\" does not support chat"}`, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "does not support chat"},
	{Name: "context", Status: 400, Body: `{"error":"the input length exceeds the context length"}`, Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "busy", Status: 503, Body: `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, Code: unavailable, Kind: openclaw.FailureOverloaded, Says: "server busy"},
	{Name: "memory", Status: 500, Body: `{"error":"model requires more system memory (9.1 GiB) than is available (5.0 GiB)"}`, Code: unavailable, Kind: openclaw.FailureOverloaded, Says: "more system memory"},
	{Name: "cloud key", Status: 401, Body: `{"error":"unauthorized","signin_url":"https://ollama.com/connect?x=1"}`, Code: unavailable, Kind: openclaw.FailureAuth, Says: "providers.test.api_key"},
	{Name: "cloud limit", Status: 429, Header: map[string]string{"Retry-After": "20"}, Body: `{"error":"you've reached your hourly usage limit"}`, Code: unavailable, Kind: openclaw.FailureRateLimited, RetryAfter: 20 * time.Second},
	{Name: "gateway timeout", Status: 504, Code: unavailable, Kind: openclaw.FailureTimeout},
	{Name: "redirect", Status: 302, Header: map[string]string{"Location": "http://127.0.0.1:1/x"}, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "base_url"},
}

func TestStreamEnds(t *testing.T) {
	tests := []struct{ name, body, kind string }{
		{"nothing", "", openclaw.FailureCutStream},
		{"web page", "<!doctype html>", openclaw.FailureBadRequest},
		{"no JSON", "data: {}\n", openclaw.FailureCutStream},
		{"a line too large", `{"message":{"content":"` + strings.Repeat("x", endpoint.MaxEvent), openclaw.FailureBadRequest},
		{"calls without end", strings.Repeat(`{"message":{"tool_calls":[{"function":{"name":"f"}}]}}`+"\n", endpoint.MaxCalls+1), openclaw.FailureBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := modeltest.Collect(t, streaming(t, strings.NewReader(tt.body)).Stream(t.Context(), ask()))
			if a.Kind() != tt.kind {
				t.Errorf("want an error of kind %q, got\n%s", tt.kind, a)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	const text = `{"message":{"content":"Hello"}}` + "\n"
	tests := []struct {
		name   string
		delay  time.Duration
		pieces []string
		kind   string
		after  time.Duration
	}{
		{"no first byte", 10 * time.Minute, []string{text}, openclaw.FailureTimeout, DefaultTimeout},
		{"slow to load", 4 * time.Minute, []string{text + `{"done":true}` + "\n"}, "", 4*time.Minute + endpoint.DrainTimeout},
		{"silent in the middle", time.Second, []string{text}, openclaw.FailureTimeout, time.Second + endpoint.IdleTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := adapter(t, modeltest.Bodies(func(r *http.Request) *http.Response {
					return modeltest.OK(&modeltest.Slow{Ctx: r.Context(), Delay: tt.delay, Pieces: tt.pieces, Open: true})
				}), Options{})
				start := time.Now()
				a := modeltest.Collect(t, m.Stream(t.Context(), ask()))
				if a.Kind() != tt.kind || (a.Stop != "") != (tt.kind == "") {
					t.Errorf("want an error of kind %q, got\n%s", tt.kind, a)
				}
				if took := time.Since(start); took != tt.after {
					t.Errorf("it took %s, want %s", took, tt.after)
				}
			})
		})
	}
}

func FuzzStream(f *testing.F) {
	for _, file := range recordings(f) {
		f.Add(recording(f, filepath.Base(file)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, breach := modeltest.Gather(streaming(t, bytes.NewReader(data)).Stream(t.Context(), ask()))
		if breach != nil {
			t.Fatalf("%v\n%s", breach, whole)
		}
		pieces, _ := modeltest.Gather(streaming(t, iotest.HalfReader(bytes.NewReader(data))).Stream(t.Context(), ask()))
		if diff := cmp.Diff(whole.String(), pieces.String()); diff != "" {
			t.Errorf("in pieces (-whole +pieces):\n%s", diff)
		}
	})
}
