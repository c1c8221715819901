package google

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

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.asked, s.header, s.url = append(s.asked, body), r.Header, r.URL.String()
	if s.refuse != nil {
		if msg := s.refuse(string(body)); msg != "" {
			return modeltest.Refuse(http.StatusBadRequest, `{"error":{"code":400,"message":"`+msg+`","status":"INVALID_ARGUMENT"}}`), nil
		}
	}
	return modeltest.OK(strings.NewReader(`data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}` + "\n\n")), nil
}

func call(id, tool, args, opaque string) openclaw.Part {
	p := openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id, Tool: tool, Args: json.RawMessage(args), Session: "main"}}
	if opaque != "" {
		p.Opaque, p.Provider = json.RawMessage(opaque), "test"
	}
	return p
}

func result(id, output string, code int) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: id, Output: output, ExitCode: code}}
}

func keptPart(kind openclaw.PartKind, text, opaque, provider string) openclaw.Part {
	p := openclaw.Part{Kind: kind, Text: text, Provider: provider}
	if opaque != "" {
		p.Opaque = json.RawMessage(opaque)
	}
	return p
}

// history is a conversation with all that a history can hold.
func history() []openclaw.Message {
	foreign := call("call_3", "shell", `{}`, "")
	foreign.Provider, foreign.Opaque = "anthropic", json.RawMessage(`{"signature":"theirs"}`)
	return []openclaw.Message{
		{Role: openclaw.RoleUser, Parts: []openclaw.Part{
			{Kind: openclaw.PartText, Text: "Look <here> & \"there\"\x00\xff."},
			{Kind: openclaw.PartImage, Image: &openclaw.Image{MediaType: "image/png", Data: []byte("\x89PNG")}},
		}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
			keptPart(openclaw.PartThinking, "Mine, signed.", `{"signature":"dGhvdWdodA=="}`, "test"),
			keptPart(openclaw.PartThinking, "Mine, unsigned.", "", "test"),
			keptPart(openclaw.PartThinking, "Another's.", `{"signature":"eA=="}`, "anthropic"),
			keptPart(openclaw.PartThinking, "", `{"signature":"YWxvbmU=","apart":true}`, "test"),
			keptPart(openclaw.PartText, "I look.", "", ""),
			call("call_1", "shell", `{"command":"ls"}`, `{"signature":"Zmlyc3Q="}`),
			call("made_9", "read_file", "{\n  \"path\": \"\\u003ca\\u003e &é\"}", `{"id":"f2"}`),
		}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_1", "a\nb", 0), result("made_9", "no such file", 1)}},
		openclaw.Text(openclaw.RoleUser, "And?"),
		openclaw.Text(openclaw.RoleUser, "[cancelled]"),
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{foreign, call("call_4", "unnamed", `{"invalid_arguments":"{oops"}`, "")}},
		{Role: openclaw.RoleTool, Parts: []openclaw.Part{result("call_3", "", 0), result("call_4", "no such tool", 1), result("lost", "?", 0)}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{
			keptPart(openclaw.PartText, "One.", "", ""), keptPart(openclaw.PartText, " Two.", `{"signature":"dHdv"}`, "test"),
			keptPart(openclaw.PartText, "Three.", `{"signature":"ZW5k","apart":true}`, "test"),
		}},
		{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{keptPart(openclaw.PartThinking, "Only thoughts.", "", "anthropic")}},
		openclaw.Text(openclaw.RoleUser, "Thanks."),
	}
}

func tools() []openclaw.ToolSpec {
	return []openclaw.ToolSpec{
		{Name: "read_file", Description: "Reads a file.", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string","minLength":1}},"required":["path"],"additionalProperties":false}`)},
		{Name: "status", Parameters: json.RawMessage(`{"type":"object"}`)},
	}
}

func TestRequestBytes(t *testing.T) {
	half := 0.5
	tests := []struct {
		name, model, thinking string
	}{
		{"request", "gemini-3.8-flash", "high"},
		{"request_25", "models/gemini-2.5-pro", "off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{}
			a := adapter(t, s, Options{Name: "test", BaseURL: "http://127.0.0.1:8080/?x=1", APIKey: "AIza-1", Headers: map[string]string{"X-Title": "OpenClaw", "User-Agent": "mine"}})
			req := &openclaw.Request{Model: tt.model, System: "Be brief.", Messages: history(), MaxTokens: 1000, Temperature: &half, Thinking: tt.thinking, Tools: tools()}
			modeltest.Collect(t, a.Stream(t.Context(), req))
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, s.asked[0], "", " "); err != nil {
				t.Fatal(err)
			}
			modeltest.Golden(t, filepath.Join("testdata", tt.name+".json"), pretty.String()+"\n", *update)
			want := "http://127.0.0.1:8080/v1beta/models/" + strings.TrimPrefix(tt.model, "models/") + ":streamGenerateContent?x=1&alt=sse"
			if s.url != want {
				t.Errorf("asked %s, want %s", s.url, want)
			}
			headers := http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "User-Agent": {"mine"}, "X-Title": {"OpenClaw"}, "X-Goog-Api-Key": {"AIza-1"}}
			if diff := cmp.Diff(headers, s.header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPrefix: each turn's request begins with the bytes of the one before, and
// a history that went through the log's JSON is the same as one in memory.
func TestPrefix(t *testing.T) {
	s := &server{}
	a := adapter(t, s, Options{Name: "test"})
	all := history()
	var before []byte
	for n := range all {
		req := &openclaw.Request{Model: "gemini-3.8-flash", System: "S", Tools: tools(), Messages: all[:n+1]}
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
		now, fromLog := s.asked[len(s.asked)-2], s.asked[len(s.asked)-1]
		if n > 0 && !bytes.Equal(now, fromLog) { // the log's JSON has no broken characters, as the first message has
			if !bytes.Equal(bytes.ReplaceAll(now, []byte("\xff"), []byte("\uFFFD")), fromLog) {
				t.Errorf("message %d: from the log\n%s\nin memory\n%s", n, fromLog, now)
			}
		}
		if open := bytes.TrimSuffix(before, []byte("]}]}")); !bytes.HasPrefix(now, open) {
			t.Errorf("message %d:\n%s\ndoes not begin with\n%s", n, now, open)
		}
		before = now
	}
}

// TestAdapts: what the endpoint refuses by name is left out, and that is
// remembered, except for a signature, which is another's next time.
func TestAdapts(t *testing.T) {
	tests := []struct {
		name, message string
		refuse        string // what must not be in a request
		want          string // what must be in it instead
		asked         int    // requests for two calls
	}{
		{"thinking", "Thinking is not enabled for this model.", "thinkingConfig", "", 3},
		{"system", "Developer instruction is not enabled for models/gemma-3-27b-it", "systemInstruction", `"contents":[{"role":"user","parts":[{"text":"Be brief."},{"text":"Look`, 3},
		{"signature", "Corrupted thought signature.", "Zmlyc3Q=", unsignedCall, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{}
			s.refuse = func(body string) string {
				if strings.Contains(body, tt.refuse) {
					return tt.message
				}
				return ""
			}
			a := adapter(t, s, Options{Name: "test"})
			req := &openclaw.Request{Model: "gemini-3.8-flash", System: "Be brief.", Messages: history(), Thinking: "low"}
			for range 2 {
				if got := modeltest.Collect(t, a.Stream(t.Context(), req)); got.Err != nil {
					t.Fatal(got.Err)
				}
			}
			if last := string(s.asked[len(s.asked)-1]); len(s.asked) != tt.asked || !strings.Contains(last, tt.want) {
				t.Errorf("asked %d times, last\n%s", len(s.asked), last)
			}
		})
	}
	s := &server{refuse: func(string) string { return "thinking, signature, system instruction: all wrong" }}
	got := modeltest.Collect(t, adapter(t, s, Options{}).Stream(t.Context(), ask()))
	if openclaw.CodeOf(got.Err) != modelError || len(s.asked) > 4 {
		t.Errorf("asked %d times and got\n%s", len(s.asked), got)
	}
}

func TestThinking(t *testing.T) {
	tests := []struct {
		model, level, config string
		room                 int
	}{
		{"gemini-2.0-flash", "high", `null`, 0},
		{"gemma-3-27b-it", "high", `null`, 0},
		{"gemini-2.5-flash", "", `null`, 8192},
		{"gemini-2.5-flash", "off", `{"thinkingBudget":0}`, 0},
		{"gemini-2.5-flash-lite", "low", `{"includeThoughts":true,"thinkingBudget":2048}`, 2048},
		{"models/gemini-2.5-pro", "off", `{"thinkingBudget":128}`, 128},
		{"gemini-2.5-pro", "high", `{"includeThoughts":true,"thinkingBudget":24576}`, 24576},
		{"gemini-3-pro-preview", "medium", `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, 24576},
		{"gemini-3.1-pro-preview", "medium", `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`, 8192},
		{"gemini-3.1-pro-preview", "off", `{"thinkingLevel":"LOW"}`, 2048},
		{"gemini-3.8-flash", "off", `{"thinkingLevel":"MINIMAL"}`, 128},
		{"gemini-flash-latest", "low", `{"includeThoughts":true,"thinkingLevel":"LOW"}`, 2048},
	}
	for _, tt := range tests {
		s := &server{}
		a := adapter(t, s, Options{})
		modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: tt.model, Thinking: tt.level, MaxTokens: 100, Messages: modeltest.Ask().Messages}))
		var got struct {
			Config struct {
				Max      int             `json:"maxOutputTokens"`
				Thinking json.RawMessage `json:"thinkingConfig"`
			} `json:"generationConfig"`
		}
		if err := json.Unmarshal(s.asked[0], &got); err != nil {
			t.Fatal(err)
		}
		if config := string(got.Config.Thinking); config != tt.config && (config != "" || tt.config != "null") || got.Config.Max != 100+tt.room {
			t.Errorf("%s %q: got %s and %d tokens, want %s and %d", tt.model, tt.level, config, got.Config.Max, tt.config, 100+tt.room)
		}
	}
}

func TestLongestAnswer(t *testing.T) {
	s := &server{}
	a := adapter(t, s, Options{Models: []openclaw.ModelInfo{{ID: "gemini-3.8-flash", MaxTokens: 1000}}})
	modeltest.Collect(t, a.Stream(t.Context(), &openclaw.Request{Model: "gemini-3.8-flash", Thinking: "high", MaxTokens: 900, Messages: modeltest.Ask().Messages}))
	if !strings.Contains(string(s.asked[0]), `"maxOutputTokens":1000,`) {
		t.Errorf("asked %s", s.asked[0])
	}
}
