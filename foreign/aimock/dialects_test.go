package aimock

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/google"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
	"github.com/openclaw/openclaw-go/internal/model/ollama"
	"github.com/openclaw/openclaw-go/internal/model/openai"
)

const mockKey = "sk-mock-0123456789"

// dialect is one more API that aimock speaks.
type dialect struct {
	name string
	open func(url string, timeout time.Duration) (openclaw.Model, error)
	// silent are the things that the mock does not say in this dialect as the
	// API does: what an answer cost, why it stopped, what the model thought.
	// The recordings beside the adapters have them.
	silent []string
}

var dialects = []dialect{
	{name: "responses", silent: []string{"be filtered", "deltas"}, open: func(url string, timeout time.Duration) (openclaw.Model, error) {
		return openai.New(openai.Options{BaseURL: url + "/v1/responses", APIKey: mockKey, Timeout: timeout})
	}},
	{name: "gemini", open: func(url string, timeout time.Duration) (openclaw.Model, error) {
		return google.New(google.Options{BaseURL: url, APIKey: mockKey, Timeout: timeout})
	}},
	{name: "ollama", silent: []string{"usage", "be filtered", "run out of room", "think first"}, open: func(url string, timeout time.Duration) (openclaw.Model, error) {
		return ollama.New(ollama.Options{BaseURL: url, APIKey: mockKey, Timeout: timeout})
	}},
}

func TestDialects(t *testing.T) {
	url := serve(t)
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			model, err := d.open(url, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("text", func(t *testing.T) {
				a := modeltest.Collect(t, model.Stream(t.Context(), ask("greet me")))
				if a.Err != nil || a.Text() != "Hello from a mock nobody here wrote: äöü 🎈." || a.Stop != openclaw.StopEnd || len(a.Deltas) < 5 {
					t.Errorf("got\n%s", a)
				}
				if want := (openclaw.Usage{Input: 11, Output: 7}); !slices.Contains(d.silent, "usage") && a.Usage != want {
					t.Errorf("usage %+v, want %+v", a.Usage, want)
				}
			})
			t.Run("tool turn", func(t *testing.T) { foreignToolTurn(t, model) })
			t.Run("endings", func(t *testing.T) { endings(t, d, model) })
			t.Run("refusals", func(t *testing.T) { refusals(t, model) })
			t.Run("cut streams", func(t *testing.T) {
				if !slices.Contains(d.silent, "deltas") { // before the cut
					cutStreams(t, model)
					return
				}
				if a := modeltest.Collect(t, model.Stream(t.Context(), ask("break off"))); a.Kind() != openclaw.FailureCutStream {
					t.Errorf("got\n%s", a)
				}
			})
			t.Run("no first byte", func(t *testing.T) {
				hasty, err := d.open(url, 100*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				if a := modeltest.Collect(t, hasty.Stream(t.Context(), ask("never begin"))); a.Kind() != openclaw.FailureTimeout {
					t.Errorf("got\n%s", a)
				}
			})
		})
	}
}

// foreignToolTurn is toolTurn for APIs in which the mock cannot keep the ids of
// its calls: it gives its last answer to a request that holds the result.
func foreignToolTurn(t *testing.T, model openclaw.Model) {
	req := ask("list my files", "read_file", "shell")
	a := modeltest.Collect(t, model.Stream(t.Context(), req))
	calls := a.Calls()
	if len(calls) != 2 || calls[0].Tool != "shell" || calls[1].Tool != "read_file" || string(calls[1].Args) != `{"path":"notes.md"}` || a.Stop != openclaw.StopToolCall {
		t.Fatalf("got\n%s", a)
	}
	results := openclaw.Message{Role: openclaw.RoleTool}
	for i, output := range []string{"a.txt\nnotes.md", "remember the milk"} {
		results.Parts = append(results.Parts, openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: calls[i].ID, Output: output}})
	}
	req.Messages = append(req.Messages, openclaw.Message{Role: openclaw.RoleAssistant, Parts: a.Parts}, results)
	if a = modeltest.Collect(t, model.Stream(t.Context(), req)); !strings.HasPrefix(a.Text(), "You have a.txt and notes.md") || a.Stop != openclaw.StopEnd {
		t.Errorf("got\n%s", a)
	}
}

func endings(t *testing.T, d dialect, model openclaw.Model) {
	tests := []struct {
		say  string
		stop openclaw.StopReason
		kind openclaw.PartKind // of a part that must be there
	}{
		{"say and do", openclaw.StopToolCall, openclaw.PartToolCall},
		{"think first", openclaw.StopEnd, openclaw.PartThinking},
		{"run out of room", openclaw.StopLength, openclaw.PartText},
		{"be filtered", openclaw.StopFilter, openclaw.PartText},
		{"take your time", openclaw.StopEnd, openclaw.PartText},
	}
	for _, tt := range tests {
		if slices.Contains(d.silent, tt.say) {
			continue
		}
		t.Run(tt.say, func(t *testing.T) {
			req := ask(tt.say, "shell")
			if tt.say == "think first" {
				req.Model = map[string]string{"gemini": "gemini-2.5-flash"}[d.name]
				if req.Model == "" {
					req.Model = "gpt-5" // the mock gives thinking to models that think
				}
			}
			a := modeltest.Collect(t, model.Stream(t.Context(), req))
			if a.Stop != tt.stop || !slices.ContainsFunc(a.Parts, func(p openclaw.Part) bool { return p.Kind == tt.kind }) {
				t.Errorf("want stop %s and a part of kind %s, got\n%s", tt.stop, tt.kind, a)
			}
		})
	}
}
