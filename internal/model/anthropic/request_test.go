package anthropic

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

var someTools = []openclaw.ToolSpec{
	{Name: "read_file", Description: "Reads a file.", Parameters: json.RawMessage(`{"type":"object","required":["path"],"properties":{"path":{"type":"string"},"limit":{"type":"integer"}},"additionalProperties":false}`)},
	{Name: "shell", Parameters: json.RawMessage(`{"type":"object","properties":{"command":{"type":"string","description":"<b> & co"}}}`)},
}

func call(id, tool, args string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id, Tool: tool, Args: json.RawMessage(args), Session: "main"}}
}

func result(id, output string, exit int) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: id, Output: output, ExitCode: exit}}
}

func thought(provider, text, opaque string) openclaw.Part {
	return openclaw.Part{Kind: openclaw.PartThinking, Text: text, Opaque: json.RawMessage(opaque), Provider: provider}
}

func text(s string) openclaw.Part { return openclaw.Part{Kind: openclaw.PartText, Text: s} }

func said(role openclaw.Role, parts ...openclaw.Part) openclaw.Message {
	return openclaw.Message{Role: role, Parts: parts}
}

// toolTurn is a turn with thinking and two calls in parallel.
var toolTurn = []openclaw.Message{
	said(openclaw.RoleUser, text("What is in my home?")),
	said(openclaw.RoleAssistant,
		thought("anthropic", "Two calls.", `{"signature":"c2ln"}`),
		thought("anthropic", "", `{"redacted":"aGlk"}`),
		text("I'll look."),
		call("toolu_1", "shell", `{"command":"ls ~"}`),
		call("toolu_2", "read_file", `{"path":"notes <1>.txt","limit":10}`)),
	said(openclaw.RoleTool, result("toolu_1", "a.txt\n", 0), result("toolu_2", "no such file", 1)),
}

func temperature(t float64) *float64 { return &t }

// sent returns the body of the request that req becomes.
func sent(t *testing.T, opts Options, req *openclaw.Request) string {
	t.Helper()
	s := serve(t, sse(recording(t, "text")))
	if _, err := run(t, s.adapter(t, opts), req); err != nil {
		t.Fatal(err)
	}
	return s.bodies[0]
}

func TestRequests(t *testing.T) {
	user := []openclaw.Message{openclaw.Text(openclaw.RoleUser, "Hi")}
	for name, req := range map[string]*openclaw.Request{
		"plain": {Model: "claude-opus-4-6", System: "Be brief.", Messages: user, MaxTokens: 4096, Temperature: temperature(0.7), Thinking: "off"},
		"tools": {Model: "claude-opus-4-6", System: "Be brief.", Messages: toolTurn, Tools: someTools, MaxTokens: 4096, Temperature: temperature(0.7)},
		"thinking_budget": {
			Model: "claude-sonnet-4-5", System: "Be brief.", Messages: toolTurn, Tools: someTools,
			MaxTokens: 4096, Temperature: temperature(0.7), Thinking: "high",
		},
		"thinking_adaptive": {Model: "claude-opus-4-8", Messages: user, MaxTokens: 4096, Temperature: temperature(0.7), Thinking: "medium"},
		"picture": {Model: "claude-opus-4-6", Messages: []openclaw.Message{said(openclaw.RoleUser, text("What is this?"),
			openclaw.Part{Kind: openclaw.PartImage, Image: &openclaw.Image{MediaType: "image/png", Data: []byte("\x89PNG")}})}},
		"no_tools_any_more": {Model: "claude-opus-4-6", Messages: toolTurn},
		"merged": {Model: "claude-haiku-4-5", Messages: []openclaw.Message{
			said(openclaw.RoleUser, text("One"), text(" \n"), text("")),
			said(openclaw.RoleAssistant, text("")),
			said(openclaw.RoleUser, text("Two")),
			said(openclaw.RoleAssistant, text("Three"), thought("openai", "not ours", `{"signature":"x"}`)),
			said(openclaw.RoleAssistant, call("functions.shell:0", "odd.name", `not json`)),
			said(openclaw.RoleTool, result("functions.shell:0", " \n", 2)),
			said(openclaw.RoleTool, result("toolu_2", "", 0)),
			said(openclaw.RoleUser, text("Four")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "requests", name+".json"), sent(t, Options{}, req)+"\n")
		})
	}
}

// wire is what the tests look at in a request.
type wire struct {
	MaxTokens    int             `json:"max_tokens"`
	Temperature  *float64        `json:"temperature"`
	Thinking     json.RawMessage `json:"thinking"`
	OutputConfig json.RawMessage `json:"output_config"`
	System       json.RawMessage `json:"system"`
	Tools        json.RawMessage `json:"tools"`
	Messages     json.RawMessage `json:"messages"`
}

func parse(t *testing.T, body string) (w wire) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return w
}

// Each generation of models takes another combination of these and refuses the
// others.
func TestThinkingByModel(t *testing.T) {
	const enabled, adaptive = `{"budget_tokens":8192,"type":"enabled"}`, `{"type":"adaptive"}`
	const effort = `{"effort":"medium"}`
	for _, tc := range []struct {
		model, thinking         string
		wantThinking, wantEffot string
		maxTokens               int
		temperature             bool
	}{
		{"claude-3-5-haiku-20241022", "medium", "", "", 1000, true},
		{"claude-3-7-sonnet-20250219", "medium", enabled, "", 9192, false},
		{"claude-opus-4-1-20250805", "off", "", "", 1000, true},
		{"claude-sonnet-4-20250514", "medium", enabled, "", 9192, false},
		{"claude-haiku-4-5-20251001", "medium", enabled, "", 9192, false},
		{"claude-opus-4-6", "medium", adaptive, effort, 9192, false},
		{"claude-opus-4-6", "off", "", "", 1000, true},
		{"anthropic/claude-opus-4.6", "medium", adaptive, effort, 9192, false},
		{"us.anthropic.claude-opus-4-7-v1:0", "off", "", "", 1000, false},
		{"claude-opus-4-8", "medium", adaptive, effort, 9192, false},
		{"claude-opus-5", "off", `{"type":"disabled"}`, "", 1000, false},
		{"claude-opus-5", "", "", "", 9192, false},
		{"claude-haiku-5-5", "off", `{"type":"disabled"}`, "", 1000, false},
		{"claude-sonnet-5-5", "off", `{"type":"between_tools"}`, "", 1000, false},
		{"claude-opus-5-5", "off", "", "", 9192, false},
		{"claude-fable-5-1", "medium", adaptive, effort, 9192, false},
		{"claude-next", "off", "", "", 9192, false},
		{"glm-4.6", "medium", enabled, "", 9192, false},
		{"glm-4.6", "off", "", "", 1000, true},
	} {
		t.Run(tc.model+" "+tc.thinking, func(t *testing.T) {
			w := parse(t, sent(t, Options{}, &openclaw.Request{
				Model: tc.model, Messages: hello.Messages, MaxTokens: 1000, Temperature: temperature(0.7), Thinking: tc.thinking,
			}))
			if string(w.Thinking) != tc.wantThinking || string(w.OutputConfig) != tc.wantEffot {
				t.Errorf("thinking %s, output_config %s; want %s, %s", w.Thinking, w.OutputConfig, tc.wantThinking, tc.wantEffot)
			}
			if w.MaxTokens != tc.maxTokens || (w.Temperature != nil) != tc.temperature {
				t.Errorf("max_tokens %d, temperature %v; want %d, %v", w.MaxTokens, w.Temperature, tc.maxTokens, tc.temperature)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name             string
		req              openclaw.Request
		limit            int
		max, wantThought int
	}{
		{"default", openclaw.Request{}, 0, 8192, 0},
		{"default with thinking", openclaw.Request{Thinking: "high"}, 0, 8192 + 24576, 24576},
		{"more than the model writes", openclaw.Request{MaxTokens: 500_000}, 64_000, 64_000, 0},
		{"thinking takes at most half", openclaw.Request{MaxTokens: 60_000, Thinking: "high"}, 20_000, 20_000, 10_000},
		{"no room to think", openclaw.Request{MaxTokens: 900, Thinking: "low"}, 1000, 1000, 0},
	} {
		p := &plan{req: &tc.req, traits: traits{mode: modeBudget, maxTokens: tc.limit}}
		if gotMax, got := p.limits(); gotMax != tc.max || got != tc.wantThought {
			t.Errorf("%s: %d tokens, %d of them thinking; want %d, %d", tc.name, gotMax, got, tc.max, tc.wantThought)
		}
	}
}

// An answer that another provider began cannot be continued with a budget.
func TestNoBudgetInTheMiddleOfAnAnswer(t *testing.T) {
	messages := []openclaw.Message{
		said(openclaw.RoleUser, text("Go")),
		said(openclaw.RoleAssistant, thought("openai", "elsewhere", `{}`), call("c1", "shell", `{}`)),
		said(openclaw.RoleTool, result("c1", "ok", 0)),
	}
	w := parse(t, sent(t, Options{}, &openclaw.Request{Model: "claude-sonnet-4-5", Messages: messages, Thinking: "low"}))
	if w.Thinking != nil {
		t.Errorf("thinking %s; want none", w.Thinking)
	}
}

// Three turns: what was sent before is sent again, byte for byte, apart from
// the cache marks, of which there are never more than four.
func TestPrefixIsStable(t *testing.T) {
	history := append([]openclaw.Message{}, toolTurn...)
	turns := [][]openclaw.Message{
		history[:1:1],
		history,
		append(history[:len(history):len(history)],
			said(openclaw.RoleAssistant, text("There is a.txt.")),
			said(openclaw.RoleUser, text("Thanks"))),
	}
	const mark = `"cache_control":{"type":"ephemeral"}`
	var before wire
	for i, messages := range turns {
		body := sent(t, Options{}, &openclaw.Request{Model: "claude-opus-4-6", System: "Be brief.", Tools: someTools, Messages: messages})
		if n := strings.Count(body, mark); n < 3 || n > 4 {
			t.Errorf("turn %d has %d cache marks; want 3 or 4:\n%s", i+1, n, body)
		}
		w := parse(t, strings.NewReplacer(","+mark, "", mark+",", "").Replace(body))
		if i > 0 {
			if prefix := strings.TrimSuffix(string(before.Messages), "]"); !strings.HasPrefix(string(w.Messages), prefix) {
				t.Errorf("turn %d does not begin as the one before:\n%s\n%s", i+1, prefix, w.Messages)
			}
			if diff := cmp.Diff(string(before.System)+string(before.Tools), string(w.System)+string(w.Tools)); diff != "" {
				t.Errorf("turn %d: system or tools changed:\n%s", i+1, diff)
			}
		}
		before = w
	}
}

// The API's refusal of a parameter corrects the request, and what is so of the
// model is known at the next call.
func TestAdjust(t *testing.T) {
	long := append([]openclaw.Message{}, toolTurn...)
	for _, tc := range []struct {
		name, model, thinking, refusal string
		messages                       []openclaw.Message
		fixed                          func(w wire) bool
		remembered                     bool
	}{
		{
			"temperature", "some-model", "", "`temperature` is deprecated for this model.", hello.Messages,
			func(w wire) bool { return w.Temperature == nil }, true,
		},
		{
			"budget", "some-model", "low", `"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`, hello.Messages,
			func(w wire) bool {
				return string(w.Thinking) == `{"type":"adaptive"}` && string(w.OutputConfig) == `{"effort":"low"}`
			}, true,
		},
		{
			"adaptive", "claude-next", "low", "adaptive thinking is not supported on this model", hello.Messages,
			func(w wire) bool { return strings.Contains(string(w.Thinking), "budget_tokens") }, true,
		},
		{
			"disabled", "claude-opus-5", "off", `"thinking.type.disabled" is not supported for this model.`, hello.Messages,
			func(w wire) bool { return w.Thinking == nil }, true,
		},
		{
			"effort", "claude-opus-4-6", "low", "This model does not support the effort parameter.", hello.Messages,
			func(w wire) bool { return w.OutputConfig == nil && w.Thinking != nil }, true,
		},
		{
			"signature", "claude-opus-5-5", "low", "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.", long,
			func(w wire) bool { return !strings.Contains(string(w.Messages), "thinking") }, false,
		},
		{
			"modified", "claude-sonnet-4-5", "low", "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.", long,
			func(w wire) bool { return !strings.Contains(string(w.Messages), "thinking") && w.Thinking == nil }, false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, refuse(400, "invalid_request_error", tc.refusal), sse(recording(t, "text")))
			a := s.adapter(t, Options{})
			req := &openclaw.Request{Model: tc.model, Messages: tc.messages, Temperature: temperature(0.7), Thinking: tc.thinking}
			for range 2 {
				if _, err := run(t, a, req); err != nil {
					t.Fatal(err)
				}
			}
			if tc.fixed(parse(t, s.bodies[0])) || !tc.fixed(parse(t, s.bodies[1])) {
				t.Errorf("first %s\nthen %s", s.bodies[0], s.bodies[1])
			}
			if tc.fixed(parse(t, s.bodies[2])) != tc.remembered {
				t.Errorf("next call %s; want remembered: %v", s.bodies[2], tc.remembered)
			}
		})
	}
}

// A server that refuses whatever it gets is not asked forever.
func TestAdjustEnds(t *testing.T) {
	s := serve(t, refuse(400, "invalid_request_error", "temperature, effort, thinking.type.enabled, adaptive thinking is not supported, signature of thinking"))
	_, err := run(t, s.adapter(t, Options{}), &openclaw.Request{Model: "claude-opus-4-6", Messages: hello.Messages, Temperature: temperature(0.5), Thinking: "low"})
	if openclaw.CodeOf(err) != openclaw.CodeModelError || len(s.bodies) < 2 || len(s.bodies) > 1+maxTries {
		t.Errorf("%d requests, then %v", len(s.bodies), err)
	}
}

func TestWireName(t *testing.T) {
	for in, want := range map[string]string{"toolu_01-A": "toolu_01-A", "functions.shell:0": "functions_shell_0", "": "unnamed", "täöl": "t__l"} {
		if got := wireName(in); got != want {
			t.Errorf("wireName(%q) = %q; want %q", in, got, want)
		}
	}
}
