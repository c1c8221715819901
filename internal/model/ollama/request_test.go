package ollama

import (
	"bytes"
	"context"
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

// server is an Ollama in memory.
type server struct {
	t      *testing.T
	tags   string            // the answer of /api/tags
	shown  map[string]string // those of /api/show, by model; a missing model is not found
	refuse func(body string) string
	asked  [][]byte // the bodies of /api/chat
	paths  []string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	s.paths = append(s.paths, r.URL.Path)
	switch r.URL.Path {
	case "/api/tags":
		return modeltest.OK(strings.NewReader(s.tags)), nil
	case "/api/show":
		var req struct{ Model string }
		if err := json.Unmarshal(body, &req); err != nil {
			s.t.Errorf("%v in %s", err, body)
		}
		if shown, ok := s.shown[req.Model]; ok {
			return modeltest.OK(strings.NewReader(shown)), nil
		}
		return modeltest.Refuse(http.StatusNotFound, `{"error":"model '`+req.Model+`' not found"}`), nil
	}
	s.asked = append(s.asked, body)
	if s.refuse != nil {
		if msg := s.refuse(string(body)); msg != "" {
			return modeltest.Refuse(http.StatusBadRequest, `{"error":"`+msg+`"}`), nil
		}
	}
	return modeltest.OK(strings.NewReader(`{"model":"m","message":{"content":"Hi"},"done":true,"done_reason":"stop"}` + "\n")), nil
}

func part(kind openclaw.PartKind, text, provider string) openclaw.Part {
	return openclaw.Part{Kind: kind, Text: text, Provider: provider}
}

func call(id, tool, args string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id, Tool: tool, Args: json.RawMessage(args), Session: "main"}}
}

func result(id, output string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: id, Output: output}}
}

// history is a conversation with all that a history can hold.
func history() []openclaw.Message {
	return []openclaw.Message{
		{Role: openclaw.RoleUser, Parts: []openclaw.Part{
			part(openclaw.PartText, "Look <here>.", ""),
			{Kind: openclaw.PartImage, Image: &openclaw.Image{MediaType: "image/png", Data: []byte("\x89PNG")}},
		}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
			part(openclaw.PartThinking, "Mine.", "test"), part(openclaw.PartThinking, "Another's.", "anthropic"),
			part(openclaw.PartText, "I look.", ""), call("call_1", "shell", `{"command":"ls"}`), call("call_2", "read_file", "{\n  \"path\": \"\\u003ca\\u003e &é\"}"),
		}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_1", "a\nb"), result("call_2", "")}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{part(openclaw.PartThinking, "No call.", "test"), part(openclaw.PartText, "Done.", "")}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{part(openclaw.PartThinking, "Only thoughts.", "anthropic")}},
		openclaw.Text(openclaw.RoleUser, "Thanks."),
	}
}

func TestRequestBytes(t *testing.T) {
	half := 0.5
	blind := strings.Replace(string(recording(t, "show_qwen3.json")), `"thinking"`, `"insert"`, 1)
	seeing := strings.Replace(string(recording(t, "show_qwen3.json")), `"tools"`, `"tools", "vision"`, 1)
	for name, shown := range map[string]string{"request_blind": blind, "request_seeing": seeing} {
		t.Run(name, func(t *testing.T) {
			s := &server{t: t, shown: map[string]string{"qwen3:8b": shown}}
			a := adapter(t, s, Options{Name: "test", BaseURL: "http://127.0.0.1:11434/v1/", KeepAlive: "30m"})
			req := &openclaw.Request{
				Model: "qwen3:8b", System: "Be brief.", Messages: history(), MaxTokens: 1000, Temperature: &half, Thinking: "medium",
				Tools: []openclaw.ToolSpec{{Name: "shell", Description: "Runs.", Parameters: json.RawMessage(`{"type":"object","properties":{"command":{"type":"string"}}}`)}, {Name: "status"}},
			}
			modeltest.Collect(t, a.Stream(t.Context(), req))
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, s.asked[0], "", " "); err != nil {
				t.Fatal(err)
			}
			modeltest.Golden(t, filepath.Join("testdata", name+".json"), pretty.String()+"\n", *update)
			if diff := cmp.Diff([]string{"/api/show", "/api/chat"}, s.paths); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPrefix: each turn's request begins with the bytes of the one before.
func TestPrefix(t *testing.T) {
	s := &server{t: t, shown: map[string]string{"m": `{}`}}
	a := adapter(t, s, Options{Name: "test"})
	all := history()
	var before []byte
	for n := range all {
		modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: "m", System: "S", Messages: all[:n+1]}))
		now := s.asked[len(s.asked)-1]
		if open := bytes.TrimSuffix(before, []byte("]}")); !bytes.HasPrefix(now, open) {
			t.Errorf("message %d:\n%s\ndoes not begin with\n%s", n, now, open)
		}
		before = now
	}
}

func TestAdapts(t *testing.T) {
	tests := []struct{ name, message, refuse, want string }{
		{"thinking", `\"m\" does not support thinking`, `"think"`, ""},
		{"levels", `invalid think value: \"low\"`, `"think":"low"`, `"think":true`},
		{"tools", `m does not support tools`, `"tools"`, ""},
		{"images", `this model is missing data required for image input`, `"images"`, "You cannot see it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{t: t, shown: map[string]string{"gpt-oss:20b": `{}`}}
			s.refuse = func(body string) string {
				if strings.Contains(body, tt.refuse) {
					return tt.message
				}
				return ""
			}
			a := adapter(t, s, Options{Name: "test"})
			req := &openclaw.Request{Model: "gpt-oss:20b", Messages: history(), Thinking: "low", Tools: []openclaw.ToolSpec{{Name: "shell"}}}
			for range 2 {
				if got := modeltest.Collect(t, a.Stream(t.Context(), req)); got.Err != nil {
					t.Fatal(got.Err)
				}
			}
			if last := string(s.asked[len(s.asked)-1]); len(s.asked) != 3 || !strings.Contains(last, tt.want) {
				t.Errorf("asked %d times, last\n%s", len(s.asked), last)
			}
		})
	}
}

func TestThinkValue(t *testing.T) {
	for _, tt := range []struct{ model, level, want string }{
		{"qwen3:8b", "", ""}, {"qwen3:8b", "off", "false"}, {"qwen3:8b", "high", "true"},
		{"gpt-oss:20b", "off", `"low"`}, {"gpt-oss:20b", "high", `"high"`}, {"gpt-oss:20b", "", ""},
	} {
		if got := thinkValue(&openclaw.Request{Model: tt.model, Thinking: tt.level}, quirks{}); string(got) != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.model, tt.level, got, tt.want)
		}
	}
}

// TestWindow: the context grows with the conversation, by doubling, up to what
// the model, its Modelfile or the configuration allows, and does not shrink.
func TestWindow(t *testing.T) {
	const long = 60_000 // bytes, 20,000 tokens at the most
	tests := []struct {
		name, shown string
		configured  int
		want        [3]int // for a short, a long and again a short conversation
		info        int
	}{
		{"made for more", `{"model_info":{"llama.context_length":131072}}`, 0, [3]int{8192, 32768, 32768}, 32768},
		{"made for less", `{"model_info":{"llama.context_length":4096}}`, 0, [3]int{4096, 4096, 4096}, 4096},
		{"Modelfile", `{"model_info":{"llama.context_length":131072},"parameters":"num_ctx 16384\nstop \"x\""}`, 0, [3]int{8192, 16384, 16384}, 16384},
		{"configured", `{"model_info":{"llama.context_length":131072}}`, 131072, [3]int{8192, 32768, 32768}, 131072},
		{"configured small", `{"model_info":{"llama.context_length":131072}}`, 6000, [3]int{6000, 6000, 6000}, 6000},
		{"nothing known", `{}`, 0, [3]int{8192, 8192, 8192}, 8192},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{t: t, tags: `{"models":[{"name":"m"}]}`, shown: map[string]string{"m": tt.shown}}
			o := Options{Name: "test"}
			if tt.configured > 0 {
				o.Models = []openclaw.ModelInfo{{ID: "m", ContextWindow: tt.configured}}
			}
			a := adapter(t, s, o)
			for _, text := range []string{"Hi", strings.Repeat("x", long), "Hi"} {
				modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: "m", MaxTokens: 100, Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, text)}}))
			}
			var got [3]int
			for i, body := range s.asked {
				var sent struct {
					Options struct {
						Window int `json:"num_ctx"`
					}
				}
				if err := json.Unmarshal(body, &sent); err != nil {
					t.Fatal(err)
				}
				got[i] = sent.Options.Window
			}
			if got != tt.want {
				t.Errorf("num_ctx %v, want %v", got, tt.want)
			}
			if _, err := a.Discover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if infos := a.Models(); len(infos) != 1 || infos[0].ContextWindow != tt.info {
				t.Errorf("it lists %+v, want a context of %d", infos, tt.info)
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	qwen := string(recording(t, "show_qwen3.json"))
	s := &server{t: t, tags: string(recording(t, "tags.json")), shown: map[string]string{"gemma3:4b": `{"capabilities":["completion","vision"]}`, "qwen3:8b": qwen}}
	a := adapter(t, s, Options{Name: "test"})
	if got := a.Preferred(); got != Newest {
		t.Errorf("before asking, it prefers %q", got)
	}
	got := modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: Newest, Messages: modeltest.Ask().Messages}))
	if got.Model != "m" || !strings.Contains(string(s.asked[0]), `"model":"qwen3:8b"`) {
		t.Errorf("asked %s and got\n%s", s.asked[0], got)
	}
	if n, err := a.Discover(t.Context()); n != 2 || err != nil {
		t.Errorf("it has %d models, %v", n, err)
	}
	want := []openclaw.ModelInfo{{ID: "gemma3:4b", ContextWindow: smallestWindow}, {ID: "qwen3:8b", ContextWindow: 32768}}
	if diff := cmp.Diff(want, a.Models()); diff != "" || a.Preferred() != "gemma3:4b" {
		t.Errorf("prefers %s, lists (-want +got):\n%s", a.Preferred(), diff)
	}
	s.paths = nil
	got = modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: "absent", Messages: modeltest.Ask().Messages}))
	if openclaw.CodeOf(got.Err) != notFound || len(s.paths) != 1 {
		t.Errorf("a model that is not there: asked %v and got\n%s", s.paths, got)
	}
}

func TestDiscoveryFails(t *testing.T) {
	empty := adapter(t, &server{t: t, tags: `{"models":[]}`}, Options{Name: "test"})
	got := modeltest.Collect(t, empty.Stream(t.Context(), &openclaw.Request{Model: Newest}))
	if openclaw.CodeOf(got.Err) != notFound || !strings.Contains(got.Err.Error(), "ollama pull") {
		t.Errorf("without models:\n%s", got)
	}
	for name, rt := range map[string]modeltest.Bodies{
		"nobody there": func(*http.Request) *http.Response { return nil },
		"another program": func(*http.Request) *http.Response {
			return modeltest.OK(strings.NewReader("<html>"))
		},
		"refusal": func(*http.Request) *http.Response { return modeltest.Refuse(401, `{"error":"no"}`) },
	} {
		if n, err := adapter(t, rt, Options{}).Discover(t.Context()); err == nil || n != 0 {
			t.Errorf("%s: %d models, %v", name, n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := adapter(t, &server{t: t}, Options{}).Discover(ctx); err == nil {
		t.Error("it answered although its context had ended")
	}
}

func TestBaseURL(t *testing.T) {
	for given, want := range map[string]string{
		"": "http://127.0.0.1:11434/api/chat", "http://h:1": "http://h:1/api/chat", "http://h:1/": "http://h:1/api/chat",
		"http://h:1/v1": "http://h:1/api/chat", "http://h/ollama/api/": "http://h/ollama/api/chat", "http://h/api/chat": "http://h/api/chat",
	} {
		a, err := New(Options{BaseURL: given})
		if err != nil || a.end.At("/api/chat", "") != want {
			t.Errorf("%q: %v, want %s", given, err, want)
		}
	}
	for _, wrong := range []string{"127.0.0.1:11434", "ftp://h", "http://u:hunter2@ho st"} {
		if _, err := New(Options{BaseURL: wrong}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
