package openai

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

var update = flag.Bool("update", false, "write the golden files")

// bodies is an http.RoundTripper that answers with what it returns, in
// memory.
type bodies func(*http.Request) *http.Response

func (f bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := f(r); resp != nil {
		resp.Request = r
		return resp, nil
	}
	return nil, errors.New("connection refused")
}

func ok(body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body)}
}

// adapter returns one that speaks to rt and numbers the ids it makes.
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
	return a
}

func streaming(t testing.TB, body io.Reader) *Adapter {
	return adapter(t, bodies(func(*http.Request) *http.Response { return ok(body) }), Options{Name: "test"})
}

func recording(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, f := range append(files, "testdata/whole.json") {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		t.Run(name, func(t *testing.T) {
			data := recording(t, filepath.Base(f))
			got := modeltest.Collect(t, streaming(t, bytes.NewReader(data)).Stream(t.Context(), modeltest.Ask()))
			modeltest.Golden(t, filepath.Join("testdata", name+".golden"), got.String(), *update)
			pieces := modeltest.Collect(t, streaming(t, iotest.OneByteReader(bytes.NewReader(data))).Stream(t.Context(), modeltest.Ask()))
			if diff := cmp.Diff(got.String(), pieces.String()); diff != "" {
				t.Errorf("byte by byte (-whole +pieces):\n%s", diff)
			}
		})
	}
}

func TestSuite(t *testing.T) {
	modeltest.Run(t, modeltest.Suite{
		New: func(t *testing.T, url string, client *http.Client) openclaw.Model {
			a, err := New(Options{Name: "test", BaseURL: url + "/v1", APIKey: "sk-secret-0123", Client: client})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		Text:     recording(t, "openai_text.sse"),
		Tools:    recording(t, "openai_tools.sse"),
		Failures: failures,
	})
}

// TestCallPieces covers how the copies of the API cut tool calls up.
func TestCallPieces(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string // of tool_calls
		want   []string // id name args
	}{
		{"index 0 for all, other ids", []string{
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`,
			`{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":"}}`,
			`{"index":0,"function":{"arguments":"2}"}}`,
		}, []string{`a f {"x":1}`, `b f {"x":2}`}},
		{"no index, ids repeated", []string{
			`{"id":"a","function":{"name":"f","arguments":""}},{"id":"b","function":{"name":"g","arguments":""}}`,
			`{"id":"b","function":{"arguments":"{\"y\":"}}`,
			`{"id":"a","function":{"arguments":"{\"x\":1}"}}`,
			`{"id":"b","function":{"arguments":"2}"}}`,
		}, []string{`a f {"x":1}`, `b g {"y":2}`}},
		{"no index, id once", []string{
			`{"id":"a","function":{"name":"f"}}`, `{"function":{"arguments":"{\"x\""}}`, `{"function":{"arguments":":1}"}}`,
			`{"id":"b","function":{"name":"f"}}`, `{"function":{"arguments":"{}"}}`,
		}, []string{`a f {"x":1}`, `b f {}`}},
		{"another id for each piece", []string{
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}`,
			`{"index":0,"id":"b","function":{"arguments":"}"}}`,
		}, []string{`a f {}`}},
		{"the id comes late", []string{
			`{"index":0,"function":{"name":"f","arguments":"{"}}`, `{"index":0,"id":"a","function":{"arguments":"}"}}`,
		}, []string{`a f {}`}},
		{"the name comes late", []string{
			`{"id":"a","function":{"arguments":""}}`, `{"id":"a","function":{"name":"f"}}`, `{"id":"a","function":{"arguments":"{}"}}`,
		}, []string{`a f {}`}},
		{"the name repeated", []string{
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`, `{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}`,
		}, []string{`a f {"x":1}`}},
		{"one id for two indexes", []string{
			`{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`, `{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}`,
		}, []string{`a f {}`, `made_1 g {}`}},
		{"no ids at all", []string{
			`{"index":0,"function":{"name":"f","arguments":"{}"}}`, `{"index":0,"function":{"name":"f","arguments":"{}"}}`,
		}, []string{`made_1 f {}`, `made_2 f {}`}},
		{"an id of an earlier turn", []string{`{"index":0,"id":"used","function":{"name":"f","arguments":"{}"}}`}, []string{`made_1 f {}`}},
		{"high index first", []string{
			`{"index":7,"id":"b","function":{"name":"g","arguments":"{}"}}`, `{"index":2,"id":"a","function":{"name":"f","arguments":"{}"}}`,
		}, []string{`b g {}`, `a f {}`}},
		{"nulls", []string{
			`{"index":null,"id":"a","type":null,"function":{"name":"f","arguments":null}}`, `{"index":null,"id":null,"function":{"name":null,"arguments":"{}"}}`, `{"function":null}`, `null`,
		}, []string{`a f {}`}},
		{"arguments null", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"null"}}`}, []string{`a f {}`}},
		{"arguments an array", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"[1]"}}`}, []string{`a f {"invalid_arguments":"[1]"}`}},
		{"arguments with a duplicate", []string{`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1,\"x\":2}"}}`}, []string{`a f {"invalid_arguments":"{\"x\":1,\"x\":2}"}`}},
		{"no name", []string{`{"index":0,"id":"a","function":{"arguments":"{}"}}`}, []string{`a unnamed {}`}},
	}
	req := modeltest.Ask()
	req.Messages = append(req.Messages, openclaw.Message{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
		{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "used", Tool: "f", Args: []byte("{}")}}}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			for _, p := range tt.pieces {
				fmt.Fprintf(&b, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[%s]}}]}\n\n", p)
			}
			b.WriteString("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n")
			a := modeltest.Collect(t, streaming(t, strings.NewReader(b.String())).Stream(t.Context(), req))
			var got []string
			for _, c := range a.Calls() {
				got = append(got, fmt.Sprintf("%s %s %s", c.ID, c.Tool, c.Args))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || a.Stop != openclaw.StopToolCall {
				t.Errorf("stop %s (-want +got):\n%s", a.Stop, diff)
			}
		})
	}
}

func TestStreamEnds(t *testing.T) {
	const hello = `data: {"choices":[{"delta":{"content":"Hello"}}]}` + "\n\n"
	finish := func(reason string) string {
		return hello + `data: {"choices":[{"delta":{},"finish_reason":` + reason + `}]}` + "\n\n"
	}
	tests := []struct {
		name, body string
		stop       openclaw.StopReason
		kind       string // of the error
	}{
		{"stop", finish(`"stop"`), openclaw.StopEnd, ""},
		{"unknown reason", finish(`"eos"`), openclaw.StopEnd, ""},
		{"tool_calls without a call", finish(`"tool_calls"`), openclaw.StopEnd, ""},
		{"upper case", finish(`"LENGTH"`), openclaw.StopLength, ""},
		{"end mark only", hello + "data: [DONE]\n\n", openclaw.StopEnd, ""},
		{"end mark and more", finish(`"stop"`) + "data: [DONE]\n\ndata: {\"error\":\"late\"}\n\n", openclaw.StopEnd, ""},
		{"null reason, no mark", finish(`null`), "", openclaw.FailureCutStream},
		{"mark without anything", "data: [DONE]\n\n", "", openclaw.FailureCutStream},
		{"nothing", "", "", openclaw.FailureCutStream},
		{"comments only", ": ping\n\n: ping\n\n", "", openclaw.FailureCutStream},
		{"broken JSON", hello + "data: {\"choices\":[{\"del\n\n" + finish(`"stop"`), "", openclaw.FailureCutStream},
		{"out of resources", finish(`"insufficient_system_resource"`), "", openclaw.FailureOverloaded},
		{"error without details", hello + "data: {\"error\":\"boom\"}\n\n", "", openclaw.FailureOverloaded},
		{"error of a status", hello + `data: {"error":{"message":"slow down","code":"429"}}` + "\n\n", "", openclaw.FailureRateLimited},
		{"error without a wrapper", `data: {"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}` + "\n\n", "", openclaw.FailureOverflow},
		{"error by event name", "event: error\ndata: {\"message\":\"invalid_request: no\"}\n\n", "", openclaw.FailureBadRequest},
		{"open call at the mark", `data: {"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}}]}` + "\n\ndata: [DONE]\n\n", "", openclaw.FailureCutStream},
		{"web page", "<!doctype html><html>", "", openclaw.FailureBadRequest},
		{"another document", `{"data":[]}`, "", openclaw.FailureBadRequest},
		{"document with an error", `{"error":{"message":"overloaded","code":529}}`, "", openclaw.FailureOverloaded},
		{"list of errors", `[{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED"}}]`, "", openclaw.FailureRateLimited},
		{"byte order mark", "\xEF\xBB\xBF" + finish(`"stop"`), openclaw.StopEnd, ""},
		{"bare carriage returns", strings.ReplaceAll(finish(`"stop"`), "\n", "\r"), openclaw.StopEnd, ""},
		{"a second choice", hello + `data: {"choices":[{"index":1,"delta":{"content":"Other"}},{"index":0,"finish_reason":"stop"}]}` + "\n\n", openclaw.StopEnd, ""},
		{"calls without end", "data: {\"choices\":[{\"delta\":{\"tool_calls\":[" + strings.Repeat(`{"function":{"name":"f","arguments":"{}"}},`, endpoint.MaxCalls+1) + "{}]}}]}\n\n", "", openclaw.FailureBadRequest},
		{"one event too large", hello + "data: " + strings.Repeat("x", endpoint.MaxEvent+1), "", openclaw.FailureBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := modeltest.Collect(t, streaming(t, strings.NewReader(tt.body)).Stream(t.Context(), modeltest.Ask()))
			if a.Stop != tt.stop || a.Kind() != tt.kind {
				t.Errorf("got\n%s\nwant stop %q, error kind %q", a, tt.stop, tt.kind)
			}
			if tt.stop != "" && a.Text() != "Hello" {
				t.Errorf("the text is %q", a.Text())
			}
		})
	}
}

// TestRunaway: an answer without end is ended, however it is framed.
func TestRunaway(t *testing.T) {
	event := []byte(`data: {"choices":[{"delta":{"content":"` + strings.Repeat("x", 1<<16) + `"}}]}` + "\n\n")
	endless := io.MultiReader(slicesOf(event, 2*endpoint.MaxAnswer>>16)...)
	a := modeltest.Collect(t, streaming(t, endless).Stream(t.Context(), modeltest.Ask()))
	if openclaw.CodeOf(a.Err) != openclaw.CodeModelError || len(a.Deltas) > endpoint.MaxAnswer>>16 {
		t.Errorf("after %d deltas: %v", len(a.Deltas), a.Err)
	}
}

func slicesOf(event []byte, n int) []io.Reader {
	var out []io.Reader
	for range n {
		out = append(out, bytes.NewReader(event))
	}
	return out
}

func FuzzStream(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.sse")
	for _, file := range append(files, "testdata/whole.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d\",\"tool_calls\":[{\"index\":-1e9}]}}]}\n\ndata: [DONE]\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, breach := modeltest.Gather(streaming(t, bytes.NewReader(data)).Stream(t.Context(), modeltest.Ask()))
		if breach != nil {
			t.Fatalf("%v\n%s", breach, whole)
		}
		pieces, _ := modeltest.Gather(streaming(t, iotest.HalfReader(bytes.NewReader(data))).Stream(t.Context(), modeltest.Ask()))
		if diff := cmp.Diff(whole.String(), pieces.String()); diff != "" {
			t.Errorf("in pieces (-whole +pieces):\n%s", diff)
		}
	})
}
