package google

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
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	return append(files, "testdata/whole.json")
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
			a, err := New(Options{Name: "test", BaseURL: url, APIKey: "AIza-secret-0123", Client: client})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		Text:     recording(t, "text.sse"),
		Tools:    recording(t, "tools_ids.sse"),
		Failures: failures,
	})
}

func TestStreamEnds(t *testing.T) {
	const hello = `data: {"candidates":[{"content":{"parts":[{"text":"Hello"}]}}]}` + "\n\n"
	finish := func(reason string) string {
		return hello + `data: {"candidates":[{"finishReason":"` + reason + `"}]}` + "\n\n"
	}
	tests := []struct {
		name, body string
		stop       openclaw.StopReason
		kind       string // of the error
	}{
		{"stop", finish("STOP"), openclaw.StopEnd, ""},
		{"a reason not known", finish("CONTINUATION"), openclaw.StopEnd, ""},
		{"other after a text", finish("OTHER"), openclaw.StopEnd, ""},
		{"unspecified", finish("FINISH_REASON_UNSPECIFIED"), "", openclaw.FailureCutStream},
		{"an end mark is none", hello + "data: [DONE]\n\n", "", openclaw.FailureCutStream},
		{"nothing", "", "", openclaw.FailureCutStream},
		{"too many calls", finish("TOO_MANY_TOOL_CALLS"), "", openclaw.FailureBadRequest},
		{"web page", "<!doctype html><html>", "", openclaw.FailureBadRequest},
		{"another document", `{"data":[]}`, "", openclaw.FailureBadRequest},
		{"list of errors", `[{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED"}}]`, "", openclaw.FailureRateLimited},
		{"half a list", `[{"candidates":`, "", openclaw.FailureCutStream},
		{"calls without end", "data: {\"candidates\":[{\"content\":{\"parts\":[" + strings.Repeat(`{"functionCall":{"name":"f"}},`, endpoint.MaxCalls+1) + "{}]}}]}\n\n", "", openclaw.FailureBadRequest},
		{"one event too large", hello + "data: " + strings.Repeat("x", endpoint.MaxEvent+1), "", openclaw.FailureBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := modeltest.Collect(t, streaming(t, strings.NewReader(tt.body)).Stream(t.Context(), ask()))
			if a.Stop != tt.stop || a.Kind() != tt.kind {
				t.Errorf("got\n%s\nwant stop %q, error kind %q", a, tt.stop, tt.kind)
			}
			if tt.stop != "" && a.Text() != "Hello" {
				t.Errorf("the text is %q", a.Text())
			}
		})
	}
}

func TestSilence(t *testing.T) {
	const (
		text = `data: {"candidates":[{"content":{"parts":[{"text":"Hello"}]}}]}` + "\n\n"
		end  = `data: {"candidates":[{"finishReason":"STOP"}]}` + "\n\n"
	)
	tests := []struct {
		name   string
		delay  time.Duration
		pieces []string
		kind   string
		after  time.Duration
	}{
		{"no first byte", 5 * time.Minute, []string{text}, openclaw.FailureTimeout, endpoint.DefaultTimeout},
		{"slow first byte", time.Minute + 59*time.Second, []string{text + end}, "", time.Minute + 59*time.Second + endpoint.GraceTimeout},
		{"silent in the middle", time.Second, []string{text}, openclaw.FailureTimeout, time.Second + endpoint.IdleTimeout},
		{"open after the end", time.Second, []string{text, end}, "", 2*time.Second + endpoint.GraceTimeout},
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
