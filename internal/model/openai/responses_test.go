package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
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

// responding returns an adapter that speaks the Responses API to a body.
func responding(t testing.TB, body io.Reader) *Adapter {
	return adapter(t, bodies(func(*http.Request) *http.Response { return ok(body) }), Options{Name: "test", BaseURL: "http://127.0.0.1/v1/responses"})
}

func responses(t testing.TB) []string {
	files, err := filepath.Glob("testdata/responses/*.sse")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	return append(files, "testdata/responses/whole.json")
}

func TestResponses(t *testing.T) {
	for _, f := range responses(t) {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		t.Run(name, func(t *testing.T) {
			data := recording(t, "responses/"+filepath.Base(f))
			got := modeltest.Collect(t, responding(t, bytes.NewReader(data)).Stream(t.Context(), modeltest.Ask()))
			modeltest.Golden(t, filepath.Join("testdata/responses", name+".golden"), got.String(), *update)
			pieces := modeltest.Collect(t, responding(t, iotest.OneByteReader(bytes.NewReader(data))).Stream(t.Context(), modeltest.Ask()))
			if diff := cmp.Diff(got.String(), pieces.String()); diff != "" {
				t.Errorf("byte by byte (-whole +pieces):\n%s", diff)
			}
		})
	}
}

func TestResponsesSuite(t *testing.T) {
	modeltest.Run(t, modeltest.Suite{
		New: func(t *testing.T, url string, client *http.Client) openclaw.Model {
			a, err := New(Options{Name: "test", BaseURL: url + "/v1/responses", APIKey: "sk-secret-0123", Client: client})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		Text:     recording(t, "responses/text.sse"),
		Tools:    recording(t, "responses/tools.sse"),
		Failures: failures,
	})
}

// TestDialect: OpenAI's own reasoning models are asked by the Responses API,
// everything else by chat completions, and a base URL that names a dialect has
// the last word.
func TestDialect(t *testing.T) {
	for _, tt := range []struct{ base, model, want string }{
		{"", "gpt-5.1", "https://api.openai.com/v1/responses"},
		{"", "o3-pro", "https://api.openai.com/v1/responses"},
		{"https://eu.api.openai.com/v1", "gpt-5-codex", "https://eu.api.openai.com/v1/responses"},
		{"", "gpt-4.1", "https://api.openai.com/v1/chat/completions"},
		{"", "o1-mini", "https://api.openai.com/v1/chat/completions"},
		{"https://api.openai.com/v1/chat/completions", "gpt-5.1", "https://api.openai.com/v1/chat/completions"},
		{"https://openrouter.ai/api/v1", "openai/gpt-5.1", "https://openrouter.ai/api/v1/chat/completions"},
		{"https://openrouter.ai/api/v1/responses", "openai/gpt-5.1", "https://openrouter.ai/api/v1/responses"},
		{"https://x.openai.azure.com/openai/v1", "gpt-5.1", "https://x.openai.azure.com/openai/v1/chat/completions"},
		{"http://127.0.0.1:1/v1/responses?v=1", "llama", "http://127.0.0.1:1/v1/responses?v=1"},
	} {
		s := &server{}
		a := adapter(t, s, Options{BaseURL: tt.base})
		req := modeltest.Ask()
		req.Model = tt.model
		_, _ = modeltest.Gather(a.Stream(t.Context(), req))
		if s.url != tt.want {
			t.Errorf("%q %s: asked %s, want %s", tt.base, tt.model, s.url, tt.want)
		}
	}
}

// kept is a history in which this adapter's own answers are.
func kept() []openclaw.Message {
	text := openclaw.Part{Kind: openclaw.PartText, Text: "I look.", Provider: "test", Opaque: json.RawMessage(`{"phase":"commentary"}`)}
	return []openclaw.Message{
		{Role: openclaw.RoleUser, Parts: []openclaw.Part{
			{Kind: openclaw.PartText, Text: "Look <here>."},
			{Kind: openclaw.PartImage, Image: &openclaw.Image{MediaType: "image/png", Data: []byte("\x89PNG")}},
		}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
			thinking("Mine.", `{"type":"reasoning","summary":[{"type":"summary_text","text":"M\u0026m."}],"encrypted_content":"gAAA=="}`, "test"),
			thinking("Chat's.", `"reasoning_content"`, "test"), thinking("Another's.", `{"type":"reasoning","summary":[],"encrypted_content":"x"}`, "openai"),
			text, {Kind: openclaw.PartText, Text: "Wait."},
			call("call_1", "shell", `{"command":"ls"}`), call("call_2", "read_file", "{\n  \"path\": \"\\u003ca\\u003e &é\"}"),
		}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_1", "a\nb"), result("call_2", "")}},
		openclaw.Text(openclaw.RoleUser, "Thanks."),
	}
}

func TestResponsesRequest(t *testing.T) {
	half := 0.5
	s := &server{}
	a := adapter(t, s, Options{Name: "test", BaseURL: "http://127.0.0.1:8080/v1/responses", APIKey: "sk-1"})
	req := &openclaw.Request{
		Model: "gpt-5.1", System: "Be brief.", Messages: kept(), MaxTokens: 1000, Temperature: &half, Thinking: "high",
		Tools: []openclaw.ToolSpec{{Name: "shell", Description: "Runs.", Parameters: json.RawMessage(`{"type":"object","properties":{"command":{"type":"string"}}}`)}, {Name: "status"}},
	}
	_, _ = modeltest.Gather(a.Stream(t.Context(), req))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, s.asked[0], "", " "); err != nil {
		t.Fatal(err)
	}
	modeltest.Golden(t, "testdata/responses/request.json", pretty.String()+"\n", *update)
	var before []byte
	for n := range req.Messages {
		short := *req
		short.Messages = req.Messages[:n+1]
		_, _ = modeltest.Gather(a.Stream(t.Context(), &short))
		now := s.asked[len(s.asked)-1]
		if open := bytes.TrimSuffix(before, []byte("]}")); !bytes.HasPrefix(now, open) {
			t.Errorf("message %d:\n%s\ndoes not begin with\n%s", n, now, open)
		}
		before = now
	}
}

// TestResponsesRefusedFields: what the endpoint refuses by name is left out,
// and remembered unless it was one answer's own.
func TestResponsesRefusedFields(t *testing.T) {
	temp := 0.1
	tests := []struct {
		name, model, message string
		refuse               string // what must not be in a request
		asked                int    // requests for two calls
	}{
		{"summary", "gpt-5.1", "Your organization must be verified to generate reasoning summaries.", `"summary":"auto"`, 3},
		{"reasoning", "gpt-5.1", "Unsupported parameter: 'reasoning.effort' is not supported with this model.", `"reasoning":{`, 3},
		{"keeps nothing", "gpt-5.1", "Encrypted content is not supported with this model.", `"include"`, 3},
		{"not its own", "gpt-5.1", "The encrypted content gAAA could not be verified.", `"encrypted_content":"gAAA`, 4},
		{"temperature", "llama", "Unsupported parameter: 'temperature'", `"temperature"`, 3},
		{"images", "llama", "Invalid type: image_url is only supported by certain models.", `"input_image"`, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{refuse: func(body string) string {
				if strings.Contains(body, tt.refuse) {
					return tt.message
				}
				return ""
			}}
			a := adapter(t, s, Options{Name: "test", BaseURL: "http://127.0.0.1/v1/responses"})
			req := &openclaw.Request{Model: tt.model, Messages: kept(), Thinking: "low", Temperature: &temp}
			for range 2 {
				_, _ = modeltest.Gather(a.Stream(t.Context(), req))
			}
			if last := string(s.asked[len(s.asked)-1]); len(s.asked) != tt.asked || strings.Contains(last, tt.refuse) {
				t.Errorf("asked %d times, last\n%s", len(s.asked), last)
			}
		})
	}
}

func TestResponsesSilence(t *testing.T) {
	text := string(recording(t, "responses/cut.sse"))
	tests := []struct {
		name  string
		delay time.Duration
		kind  string
		after time.Duration
	}{
		{"no first byte", 5 * time.Minute, openclaw.FailureTimeout, endpoint.DefaultTimeout},
		{"silent in the middle", time.Second, openclaw.FailureTimeout, time.Second + endpoint.IdleTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := adapter(t, bodies(func(r *http.Request) *http.Response {
					return ok(&modeltest.Slow{Ctx: r.Context(), Delay: tt.delay, Pieces: []string{text}, Open: true})
				}), Options{BaseURL: "http://127.0.0.1/v1/responses"})
				start := time.Now()
				a := modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask()))
				// A piece larger than the reader's buffer takes two reads.
				if took := time.Since(start); a.Kind() != tt.kind || took < tt.after || took > tt.after+5*time.Second {
					t.Errorf("after %s:\n%s", took, a)
				}
			})
		})
	}
}

func FuzzResponses(f *testing.F) {
	for _, file := range responses(f) {
		f.Add(recording(f, "responses/"+filepath.Base(file)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, breach := modeltest.Gather(responding(t, bytes.NewReader(data)).Stream(t.Context(), modeltest.Ask()))
		if breach != nil {
			t.Fatalf("%v\n%s", breach, whole)
		}
		pieces, _ := modeltest.Gather(responding(t, iotest.HalfReader(bytes.NewReader(data))).Stream(t.Context(), modeltest.Ask()))
		if diff := cmp.Diff(whole.String(), pieces.String()); diff != "" {
			t.Errorf("in pieces (-whole +pieces):\n%s", diff)
		}
	})
}
