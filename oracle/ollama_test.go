package oracle

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
	"github.com/openclaw/openclaw-go/internal/model/ollama"
)

// ollamaHeard is what both sides make of a stream of /api/chat.
type ollamaHeard struct {
	Text, Thinking string
	Calls          []heardCall
	Stop           openclaw.StopReason
	Usage          [2]int // read, written
	Failed         bool
}

// ollamaApart lists the recordings in which the official client and the
// adapter differ on purpose.
var ollamaApart = map[string]string{
	"call_not_read": "the adapter shows the model what it wrote",
	"cut":           "the client takes a stream without an end for a short answer",
	"halves":        "the client takes halves of a character for broken ones",
	"odd":           "the client refuses arguments that are no object, and an empty line",
	"tools_older":   "the adapter makes the ids that are missing",
}

func TestOllama(t *testing.T) {
	files, err := filepath.Glob("../internal/model/ollama/testdata/*.ndjson")
	if err != nil || len(files) < len(ollamaApart) {
		t.Fatal("the recordings are missing", err)
	}
	compared := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ndjson")
		t.Run(name, func(t *testing.T) {
			stream, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			base := modeltest.Play(t, stream).URL
			want, got := ollamaByClient(t, base), ollamaByAdapter(t, base)
			same := cmp.Equal(want, got) || want.Failed && got.Failed
			if ollamaApart[name] != "" {
				if same {
					t.Errorf("the client and the adapter agree by now; delete the exception (%s)", ollamaApart[name])
				}
				return
			}
			compared++
			if !same {
				t.Errorf("(-client +adapter):\n%s", cmp.Diff(want, got))
			}
		})
	}
	if compared < 9 {
		t.Errorf("only %d recordings were compared", compared)
	}
}

func ollamaByClient(t *testing.T, base string) (h ollamaHeard) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(u, http.DefaultClient)
	req := &api.ChatRequest{Model: "m", Messages: []api.Message{{Role: "user", Content: "Hello."}}}
	err = client.Chat(t.Context(), req, func(r api.ChatResponse) error {
		h.Text += r.Message.Content
		h.Thinking += r.Message.Thinking
		for _, c := range r.Message.ToolCalls {
			h.Calls = append(h.Calls, heardCall{c.ID, c.Function.Name, c.Function.Arguments.String()})
		}
		if r.Done {
			h.Usage = [2]int{r.PromptEvalCount, r.EvalCount}
			h.Stop = openclaw.StopEnd
			if r.DoneReason == "length" {
				h.Stop = openclaw.StopLength
			} else if len(h.Calls) > 0 {
				h.Stop = openclaw.StopToolCall
			}
		}
		return nil
	})
	h.Failed = err != nil
	return h
}

func ollamaByAdapter(t *testing.T, base string) (h ollamaHeard) {
	t.Helper()
	m, err := ollama.New(ollama.Options{Name: "test", BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	req := modeltest.Ask()
	req.Tools = []openclaw.ToolSpec{{Name: "shell"}}
	a := modeltest.Collect(t, m.Stream(t.Context(), req))
	h = ollamaHeard{Text: a.Text(), Stop: a.Stop, Failed: a.Err != nil, Usage: [2]int{a.Usage.Input, a.Usage.Output}}
	for _, p := range a.Parts {
		if p.Kind == openclaw.PartThinking {
			h.Thinking += p.Text
		}
	}
	for _, c := range a.Calls() {
		h.Calls = append(h.Calls, heardCall{c.ID, c.Tool, string(c.Args)})
	}
	return h
}

// TestOllamaReadsRequests: the official types understand the requests the
// adapter sends.
func TestOllamaReadsRequests(t *testing.T) {
	var sent api.ChatRequest
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/show" {
			_ = json.NewEncoder(w).Encode(api.ShowResponse{ModelInfo: map[string]any{"qwen3.context_length": 40960}})
			return
		}
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&sent); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	defer srv.Close()
	m, err := ollama.New(ollama.Options{Name: "test", BaseURL: srv.URL, KeepAlive: "30m"})
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Collect(t, m.Stream(context.Background(), &openclaw.Request{
		Model: "qwen3:8b", System: "Be brief.", MaxTokens: 10, Thinking: "off",
		Tools: []openclaw.ToolSpec{{Name: "shell", Parameters: json.RawMessage(`{"type":"object","properties":{"command":{"type":"string"}}}`)}},
		Messages: []openclaw.Message{
			{Role: openclaw.RoleUser, Parts: []openclaw.Part{{Kind: openclaw.PartText, Text: "Hello."}, {Kind: openclaw.PartImage, Image: &openclaw.Image{MediaType: "image/png", Data: []byte("x")}}}},
			{Role: openclaw.RoleAssistant, Parts: []openclaw.Part{{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "a", Tool: "shell", Args: json.RawMessage(`{"command":"ls"}`)}}}},
			{Role: openclaw.RoleTool, Parts: []openclaw.Part{{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: "a", Output: "a.txt"}}}},
		},
	}))
	if len(sent.Messages) != 4 || string(sent.Messages[1].Images[0]) != "x" || sent.Messages[3].ToolName != "shell" || sent.Messages[3].ToolCallID != "a" {
		t.Fatalf("the client reads other messages: %+v", sent.Messages)
	}
	if c := sent.Messages[2].ToolCalls[0]; c.ID != "a" || c.Function.Arguments.String() != `{"command":"ls"}` {
		t.Errorf("the client reads another call: %+v", c)
	}
	if sent.Think == nil || sent.Think.Bool() || *sent.Truncate || *sent.Shift || sent.KeepAlive == nil || sent.KeepAlive.Minutes() != 30 ||
		sent.Options["num_ctx"] != 8192.0 || sent.Options["num_predict"] != 10.0 || sent.Tools[0].Function.Name != "shell" {
		t.Errorf("the client reads other options: %+v", sent)
	}
}
