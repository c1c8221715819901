package oracle

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
	"github.com/openclaw/openclaw-go/internal/model/openai"
)

// heard is what both sides make of a stream, in the words of the wire.
type heard struct {
	Text   string
	Calls  []heardCall
	Finish string
	Usage  [3]int // prompt, cached, completion
	Failed bool
}

type heardCall struct{ ID, Name, Args string }

// difference is a place where the SDK and the adapter differ on purpose.
type difference struct {
	why  string
	hide func(*heard) // blanks what differs; nil: nothing can be compared
}

func hideFinish(h *heard) { h.Finish = "" }
func hideUsage(h *heard)  { h.Usage = [3]int{} }

// apart lists the recordings with differences. What the adapter makes of them
// is in its golden files.
var apart = map[string]difference{
	"bare_tools":               {"the SDK needs ids, indexes and a finish_reason", nil},
	"cut":                      {"the SDK takes a stream without an end for a short answer", nil},
	"deepseek_reasoning_tools": {"the SDK does not know prompt_cache_hit_tokens", hideUsage},
	"gemini_tools":             {"the SDK takes calls without an index for one call", nil},
	"groq_text":                {"the SDK does not know x_groq and so no usage", hideUsage},
	"mistral_parts":            {"the SDK takes the JSON of a list of parts for the text", nil},
	"no_end":                   {"the SDK drops an event without its blank line", nil},
	"ollama_tools":             {"the SDK joins calls of the same index", nil},
	"openai_legacy_function":   {"the SDK does not accumulate function_call", nil},
	"openrouter_error":         {"the SDK keeps the text before an error, the adapter keeps no part of a failed answer", nil},
	"openrouter_tools":         {"the SDK forgets the finish_reason when a later event has null", hideFinish},
}

func TestOpenAI(t *testing.T) {
	files, err := filepath.Glob("../internal/model/openai/testdata/*.sse")
	if err != nil || len(files) < len(apart) {
		t.Fatal("the recordings are missing", err)
	}
	compared := 0
	seen := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			stream, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			url := modeltest.Play(t, stream).URL + "/v1"
			want, got := bySDK(t, url), byAdapter(t, url)
			if d, differs := apart[name]; differs {
				if cmp.Equal(want, got) {
					t.Errorf("the SDK and the adapter agree by now; delete the exception (%s)", d.why)
				}
				if d.hide == nil {
					return
				}
				d.hide(&want)
				d.hide(&got)
			}
			compared++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-SDK +adapter):\n%s", diff)
			}
		})
	}
	for name := range apart {
		if !seen[name] {
			t.Errorf("the exception %s names no recording", name)
		}
	}
	if compared < 10 {
		t.Errorf("only %d recordings were compared", compared)
	}
}

// TestOpenAIErrors: where an error comes inside of a stream, both notice.
func TestOpenAIErrors(t *testing.T) {
	for _, name := range []string{"lmstudio_error", "openrouter_error"} {
		stream, err := os.ReadFile("../internal/model/openai/testdata/" + name + ".sse")
		if err != nil {
			t.Fatal(err)
		}
		url := modeltest.Play(t, stream).URL + "/v1"
		if s, a := bySDK(t, url), byAdapter(t, url); !s.Failed || !a.Failed {
			t.Errorf("%s: the SDK failed: %v, the adapter: %v", name, s.Failed, a.Failed)
		}
	}
}

func bySDK(t *testing.T, url string) heard {
	t.Helper()
	client := sdk.NewClient(option.WithBaseURL(url), option.WithAPIKey("sk-test"), option.WithMaxRetries(0))
	stream := client.Chat.Completions.NewStreaming(t.Context(), sdk.ChatCompletionNewParams{
		Model: "m", Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage("Hello.")},
	})
	defer stream.Close()
	var acc sdk.ChatCompletionAccumulator
	accepted := true
	for stream.Next() {
		accepted = acc.AddChunk(stream.Current()) && accepted
	}
	h := heard{Failed: stream.Err() != nil || !accepted}
	if len(acc.Choices) == 0 {
		return h
	}
	c := acc.Choices[0]
	h.Text, h.Finish = c.Message.Content+c.Message.Refusal, c.FinishReason
	for _, call := range c.Message.ToolCalls {
		h.Calls = append(h.Calls, heardCall{call.ID, call.Function.Name, call.Function.Arguments})
	}
	h.Usage = [3]int{int(acc.Usage.PromptTokens), int(acc.Usage.PromptTokensDetails.CachedTokens), int(acc.Usage.CompletionTokens)}
	return h
}

// finishes are the wire's words for the reasons, and what they become where
// the model refused in words.
var finishes = map[openclaw.StopReason]string{
	openclaw.StopEnd: "stop", openclaw.StopToolCall: "tool_calls", openclaw.StopLength: "length", openclaw.StopFilter: "content_filter",
}

func byAdapter(t *testing.T, url string) heard {
	t.Helper()
	m, err := openai.New(openai.Options{Name: "test", BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	a := modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask()))
	h := heard{Text: a.Text(), Finish: finishes[a.Stop], Failed: a.Err != nil}
	if strings.HasPrefix(h.Text, "I'm sorry") && a.Stop == openclaw.StopFilter {
		h.Finish = "stop" // the wire says so of a refusal
	}
	for _, c := range a.Calls() {
		h.Calls = append(h.Calls, heardCall{c.ID, c.Tool, written(t, c.Args)})
	}
	h.Usage = [3]int{a.Usage.Input, a.Usage.CacheRead, a.Usage.Output}
	return h
}

// written returns what the model wrote for arguments.
func written(t *testing.T, args json.RawMessage) string {
	t.Helper()
	var invalid map[string]json.RawMessage
	if err := json.Unmarshal(args, &invalid); err != nil {
		t.Fatal(err)
	}
	if raw, ok := invalid[openclaw.InvalidArguments]; ok {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if len(invalid) == 0 {
		return ""
	}
	return string(args)
}

// TestOpenAIReadsRequests: the SDK's own types understand the requests the
// adapter sends, and nothing of them is unknown to the API.
func TestOpenAIReadsRequests(t *testing.T) {
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, r.ContentLength)
		for n := 0; n < len(buf); {
			k, err := r.Body.Read(buf[n:])
			if n += k; err != nil {
				break
			}
		}
		body = buf
		w.WriteHeader(http.StatusTeapot)
	}))
	defer srv.Close()
	m, err := openai.New(openai.Options{BaseURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	half := 0.5
	modeltest.Collect(t, m.Stream(t.Context(), &openclaw.Request{
		Model: "gpt-5", System: "Be brief.", MaxTokens: 10, Temperature: &half, Thinking: "low",
		Tools: []openclaw.ToolSpec{{Name: "shell", Description: "Runs.", Parameters: json.RawMessage(`{"type":"object"}`)}},
		Messages: []openclaw.Message{
			openclaw.Text(openclaw.RoleUser, "Hello."),
			{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "a", Tool: "shell", Args: json.RawMessage(`{"command":"ls"}`)}}}},
			{Role: openclaw.RoleTool, Parts: []openclaw.Part{{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: "a", Output: "a.txt"}}}},
		},
	}))
	var params sdk.ChatCompletionNewParams
	if err := json.Unmarshal(body, &params); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if len(params.Messages) != 4 || params.Messages[0].OfSystem == nil || params.Messages[1].OfUser == nil ||
		params.Messages[2].OfAssistant == nil || params.Messages[3].OfTool == nil {
		t.Fatalf("the SDK reads other messages in %s", body)
	}
	call := params.Messages[2].OfAssistant.ToolCalls[0].OfFunction
	if call == nil || call.ID != "a" || call.Function.Arguments != `{"command":"ls"}` || params.Messages[3].OfTool.ToolCallID != "a" {
		t.Errorf("the SDK reads another call in %s", body)
	}
	if params.MaxCompletionTokens.Value+params.MaxTokens.Value != 10+2048 || // room for the reasoning
		params.ReasoningEffort != "low" || params.Tools[0].OfFunction.Function.Name != "shell" {
		t.Errorf("the SDK reads other options in %s", body)
	}
}
