package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

// server answers requests in memory and keeps their bodies.
type server struct {
	asked  [][]byte
	header http.Header
	url    string
	refuse func(body string) string // the message of a 400, "" to accept
}

func (e *server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	e.asked, e.header, e.url = append(e.asked, body), r.Header, r.URL.String()
	if e.refuse != nil {
		if msg := e.refuse(string(body)); msg != "" {
			resp := ok(strings.NewReader(`{"error":{"message":"` + msg + `","type":"invalid_request_error"}}`))
			resp.StatusCode = http.StatusBadRequest
			return resp, nil
		}
	}
	return ok(strings.NewReader("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\n")), nil
}

func call(id, tool, args string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id, Tool: tool, Args: json.RawMessage(args), Session: "main"}}
}

func result(id, output string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: id, Output: output, ExitCode: 1}}
}

func thinking(text, opaque, provider string) openclaw.Part {
	p := openclaw.Part{Kind: openclaw.PartThinking, Text: text, Provider: provider}
	if opaque != "" {
		p.Opaque = json.RawMessage(opaque)
	}
	return p
}

// history is a conversation with all that a history can hold.
func history() []openclaw.Message {
	signed := call("call_2", "read_file", "{\n  \"path\": \"\\u003ca\\u003e &é\"}")
	signed.Provider, signed.Opaque = "test", json.RawMessage(`{"google":{"thought_signature":"Ej=="}}`)
	foreign := call("call_3", "shell", `{}`)
	foreign.Provider, foreign.Opaque = "anthropic", json.RawMessage(`{"x":1}`)
	return []openclaw.Message{
		openclaw.Text(openclaw.RoleUser, "Look <here> & \"there\"\x00\xff."),
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
			thinking("Mine, wanted back.", `"reasoning_content"`, "test"),
			thinking("Mine, not wanted.", "", "test"),
			thinking("Another's.", `"reasoning_content"`, "anthropic"),
			{Kind: openclaw.PartText, Text: "I look."},
			call("call_1", "shell", `{"command":"ls"}`), signed, foreign,
		}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_1", "a\nb"), result("call_2", ""), result("call_3", "no")}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{call("call_4", "shell", `{"invalid_arguments":"{oops"}`)}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_4", "arguments must be a JSON object")}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{thinking("Only thoughts.", "", "anthropic")}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{{Kind: openclaw.PartText, Text: "Part one."}, {Kind: openclaw.PartText, Text: "Part two."}}},
		openclaw.Text(openclaw.RoleUser, ""),
	}
}

func TestRequestBytes(t *testing.T) {
	half := 0.5
	e := &server{}
	a := adapter(t, e, Options{Name: "test", BaseURL: "http://127.0.0.1:8080/v1/?api-version=1", APIKey: "sk-1", Headers: map[string]string{"X-Title": "OpenClaw", "User-Agent": "mine"}})
	req := &openclaw.Request{
		Model: "openai/gpt-oss-20b", System: "Be brief.", Messages: history(), MaxTokens: 1000, Temperature: &half, Thinking: "high",
		Tools: []openclaw.ToolSpec{
			{Name: "read_file", Description: "Reads a file.", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}`)},
			{Name: "status"},
		},
	}
	modeltest.Collect(t, a.Stream(t.Context(), req))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.asked[0], "", " "); err != nil {
		t.Fatal(err)
	}
	modeltest.Golden(t, filepath.Join("testdata", "request.json"), pretty.String()+"\n", *update)
	if want := "http://127.0.0.1:8080/v1/chat/completions?api-version=1"; e.url != want {
		t.Errorf("asked %s, want %s", e.url, want)
	}
	want := http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "User-Agent": {"mine"}, "X-Title": {"OpenClaw"}, "Authorization": {"Bearer sk-1"}}
	if diff := cmp.Diff(want, e.header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestPrefix: each turn's request begins with the bytes of the one before, and
// a history that went through the log's JSON is the same as one in memory.
func TestPrefix(t *testing.T) {
	e := &server{}
	a := adapter(t, e, Options{Name: "test"})
	all := history()
	for n := range all {
		req := &openclaw.Request{Model: "m", System: "S", Tools: []openclaw.ToolSpec{{Name: "shell"}}, Messages: all[:n+1]}
		modeltest.Collect(t, a.Stream(t.Context(), req))
		logged, err := json.Marshal(all[:n+1])
		if err != nil {
			t.Fatal(err)
		}
		again := *req
		again.Messages = nil
		if err := json.Unmarshal(logged, &again.Messages); err != nil {
			t.Fatal(err)
		}
		modeltest.Collect(t, a.Stream(t.Context(), &again))
	}
	const tail = "]}"
	for i := 0; i < len(e.asked); i += 2 {
		// The broken character of the first message is replaced on both ways.
		if !bytes.Equal(e.asked[i], e.asked[i+1]) {
			t.Errorf("turn %d: in memory %s\nfrom the log %s", i/2, e.asked[i], e.asked[i+1])
		}
		if i == 0 {
			continue
		}
		before := bytes.TrimSuffix(e.asked[i-2], []byte(tail))
		if !bytes.HasPrefix(e.asked[i], before) {
			t.Errorf("turn %d does not begin with the turn before:\n%s\n%s", i/2, before, e.asked[i])
		}
	}
}

// TestRefusedFields: a field the endpoint refuses by name is left out, at once
// and from then on.
func TestRefusedFields(t *testing.T) {
	temp := 0.1
	refuse := func(pairs ...string) func(string) string {
		return func(body string) string {
			for i := 0; i < len(pairs); i += 2 {
				if strings.Contains(body, `"`+pairs[i]+`"`) {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	tests := []struct {
		name, model string
		base        string
		refuse      func(string) string
		attempts    int
		fields      []string // in the request that is accepted
	}{
		{"copy", "llama", "http://127.0.0.1/v1", nil, 1, []string{"stream_options", "max_tokens", "temperature"}},
		{"openai", "gpt-4.1", "", nil, 1, []string{"stream_options", "max_completion_tokens", "temperature"}},
		{"azure", "mine", "https://x.openai.azure.com/openai/v1", nil, 1, []string{"stream_options", "max_completion_tokens", "temperature"}},
		{"reasoning model elsewhere", "openai/o3-mini", "http://127.0.0.1/v1", nil, 1, []string{"stream_options", "max_completion_tokens", "temperature", "reasoning_effort"}},
		{"newer name wanted", "llama", "http://127.0.0.1/v1",
			refuse("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
			2, []string{"stream_options", "max_completion_tokens", "temperature"}},
		{"older name wanted", "gpt-5", "http://127.0.0.1/v1",
			refuse("max_completion_tokens", "Unrecognized request argument supplied: max_completion_tokens"),
			2, []string{"stream_options", "max_tokens", "temperature", "reasoning_effort"}},
		{"nothing optional", "gpt-5", "https://api.openai.com/v1/chat/completions",
			refuse("stream_options", "Extra inputs are not permitted: stream_options", "temperature", "Unsupported value: 'temperature' does not support 0.1 with this model.",
				"reasoning_effort", "Function tools with reasoning_effort are not supported for this model", "max_completion_tokens", "unknown field max_completion_tokens"),
			5, []string{"max_tokens"}},
		{"neither name", "llama", "http://127.0.0.1/v1",
			refuse("max_tokens", "unknown field max_tokens", "max_completion_tokens", "unknown field max_completion_tokens"), 2, nil},
		{"too large is no refusal of the name", "llama", "http://127.0.0.1/v1",
			refuse("max_tokens", "max_tokens is too large: 10. This model supports at most 5 completion tokens"), 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &server{refuse: tt.refuse}
			a := adapter(t, e, Options{Name: "test", BaseURL: tt.base})
			req := &openclaw.Request{Model: tt.model, MaxTokens: 10, Temperature: &temp, Thinking: "low", Messages: modeltest.Ask().Messages}
			answer := modeltest.Collect(t, a.Stream(t.Context(), req))
			if len(e.asked) != tt.attempts || (answer.Err == nil) != (tt.fields != nil) {
				t.Fatalf("%d attempts, then %s", len(e.asked), answer)
			}
			if tt.fields == nil {
				return
			}
			modeltest.Collect(t, a.Stream(t.Context(), req))
			if len(e.asked) != tt.attempts+1 {
				t.Errorf("the refusal was forgotten: %d requests", len(e.asked))
			}
			var body map[string]any
			if err := json.Unmarshal(e.asked[len(e.asked)-1], &body); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range []string{"stream_options", "max_tokens", "max_completion_tokens", "temperature", "reasoning_effort"} {
				if _, ok := body[f]; ok {
					got = append(got, f)
				}
			}
			if diff := cmp.Diff(tt.fields, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEffort(t *testing.T) {
	tests := []struct{ model, thinking, want string }{
		{"gpt-5", "", ""}, {"gpt-5", "low", "low"}, {"gpt-5-mini", "off", "minimal"}, {"gpt-5.1", "off", "none"},
		{"gpt-5.1-codex", "off", "low"}, {"gpt-5-chat-latest", "high", ""}, {"gpt-5-pro", "off", ""},
		{"openai/o3-mini:floor", "medium", "medium"}, {"o4-mini", "off", "low"}, {"o1-mini", "high", ""},
		{"gpt-4.1", "high", ""}, {"gpt-4o", "off", ""}, {"llama3.1", "high", ""},
		{"openai/gpt-oss-20b", "off", "low"}, {"google/gemini-2.5-flash", "off", "none"}, {"gemini-2.5-pro", "off", "low"},
		{"gpt-5", "extreme", ""},
	}
	for _, tt := range tests {
		if got := effort(tt.model, tt.thinking); got != tt.want {
			t.Errorf("effort(%q, %q) = %q, want %q", tt.model, tt.thinking, got, tt.want)
		}
	}
}

func TestRedirectCarriesNoKey(t *testing.T) {
	asked := 0
	a := adapter(t, bodies(func(r *http.Request) *http.Response {
		asked++
		resp := ok(strings.NewReader(""))
		resp.StatusCode, resp.Header = http.StatusTemporaryRedirect, http.Header{"Location": {"http://evil.example/"}}
		return resp
	}), Options{APIKey: "sk-1"})
	answer := modeltest.Collect(t, a.Stream(t.Context(), modeltest.Ask()))
	if asked != 1 || openclaw.CodeOf(answer.Err) != openclaw.CodeModelError {
		t.Errorf("%d requests, then %v", asked, answer.Err)
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		o     Options
		fails string
	}{
		{Options{}, ""},
		{Options{BaseURL: "https://host/v1/chat/completions"}, ""},
		{Options{BaseURL: "localhost:8080/v1"}, "must begin with http"},
		{Options{BaseURL: "ftp://host"}, "must begin with http"},
		{Options{BaseURL: "http://"}, "must begin with http"},
		{Options{BaseURL: "http://u:hunter2@ho st"}, "cannot be read"},
		{Options{APIKey: "sk-1\n"}, "the API key"},
		{Options{Headers: map[string]string{"X Y": "1"}}, "the header"},
		{Options{Headers: map[string]string{"X": "hunter2\r\n"}}, "the header"},
		{Options{Timeout: -1}, "negative"},
	}
	for _, tt := range tests {
		a, err := New(tt.o)
		if tt.fails == "" {
			if err != nil || !strings.HasSuffix(a.chat, "/v1/chat/completions") {
				t.Errorf("%+v: %v", tt.o, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: got %v, want %q", tt.o, err, tt.fails)
		}
	}
}

func TestModelsAreCopied(t *testing.T) {
	given := []openclaw.ModelInfo{{ID: "a", ContextWindow: 1}}
	a := adapter(t, nil, Options{Models: given})
	given[0].ID = "changed"
	a.Models()[0].ID = "changed"
	if got := a.Models(); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("got %+v", got)
	}
}

func FuzzReport(f *testing.F) {
	for _, fail := range failures {
		f.Add([]byte(fail.Body), fail.Status)
	}
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		a := adapter(t, nil, Options{APIKey: "sk-secret-0123"})
		e := a.end.Refused(&http.Response{StatusCode: status}, body, "m")
		if strings.Contains(e.Error(), "sk-secret-0123") || len([]rune(e.Message)) > 500 || !json.Valid(mustJSON(t, e.Details)) {
			t.Errorf("%q", e.Error())
		}
	})
}

func mustJSON(t *testing.T, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
