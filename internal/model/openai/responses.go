package openai

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// The Responses API is OpenAI's newer one: some models are served there only,
// and only there a model gets its own reasoning back. The conversation is sent
// whole each time and nothing is stored at the server, as with chat
// completions; the reasoning comes encrypted and goes back unread.

// wireResponses is the body of a request. The input comes last: it is what
// grows, so a later turn's body begins with the bytes of the one before.
type wireResponses struct {
	Model        string             `json:"model"`
	Stream       bool               `json:"stream"`
	Store        bool               `json:"store"`
	Include      []string           `json:"include,omitempty"`
	MaxTokens    int                `json:"max_output_tokens,omitzero"`
	Temperature  *float64           `json:"temperature,omitzero"`
	Reasoning    *wireReasoning     `json:"reasoning,omitzero"`
	Instructions string             `json:"instructions,omitzero"`
	Tools        []wireResponseTool `json:"tools,omitempty"`
	Input        []any              `json:"input"`
}

type wireReasoning struct {
	Effort  string `json:"effort,omitzero"`
	Summary string `json:"summary,omitzero"`
}

type wireResponseTool struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      bool           `json:"strict"`
}

type wireItem struct {
	Type    string        `json:"type"`
	Role    string        `json:"role"`
	Content []wireContent `json:"content"`
	Phase   string        `json:"phase,omitzero"`
}

type wireContent struct {
	Type  string `json:"type"`
	Text  string `json:"text,omitzero"`
	Image string `json:"image_url,omitzero"`
}

type wireItemCall struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON within JSON, as the API has it
}

type wireItemResult struct {
	Type   string `json:"type"`
	CallID string `json:"call_id"`
	Output string `json:"output"`
}

// wireItemReasoning is an answer's reasoning as it is kept and sent back.
type wireItemReasoning struct {
	Type      string         `json:"type"`
	Summary   jsontext.Value `json:"summary"`
	Encrypted string         `json:"encrypted_content"`
}

// opaqueText is what a text keeps: whether it was said on the way or at the
// end.
type opaqueText struct {
	Phase string `json:"phase"`
}

const encryptedReasoning = "reasoning.encrypted_content"

// wireResponses translates req into the words of the Responses API, leaving
// out what the endpoint is known to refuse.
func (a *Adapter) wireResponses(req *openclaw.Request, q quirks) *wireResponses {
	out := &wireResponses{Model: req.Model, Stream: true, Instructions: req.System, Input: []any{}}
	if reasons := openAIReasoning(family(req.Model)); reasons && !q.noEncrypted {
		out.Include = []string{encryptedReasoning}
	}
	if !q.noEffort {
		out.Reasoning = reasoningOf(req, q)
	}
	if req.MaxTokens > 0 {
		out.MaxTokens = max(a.limit(req), leastAnswer)
	}
	if !q.noTemperature && !openAIReasoning(family(req.Model)) {
		out.Temperature = req.Temperature
	}
	for _, t := range req.Tools {
		tool := wireResponseTool{Type: "function", Name: t.Name, Description: t.Description, Parameters: jsontext.Value(t.Parameters)}
		if len(tool.Parameters) == 0 {
			tool.Parameters = jsontext.Value(emptySchema)
		}
		out.Tools = append(out.Tools, tool)
	}
	for _, m := range req.Messages {
		out.Input = a.appendItems(out.Input, m, q)
	}
	return out
}

// leastAnswer is the API's own least for max_output_tokens.
const leastAnswer = 16

func reasoningOf(req *openclaw.Request, q quirks) *wireReasoning {
	r := wireReasoning{Effort: effort(req.Model, req.Thinking)}
	if thinks := req.Thinking != "" && req.Thinking != "off"; thinks && r.Effort != "" && !q.noSummary {
		r.Summary = "auto"
	}
	if r == (wireReasoning{}) {
		return nil
	}
	return &r
}

// appendItems appends the items of m: each call and each result is one, and so
// is each run of texts and pictures.
func (a *Adapter) appendItems(out []any, m openclaw.Message, q quirks) []any {
	var msg *wireItem
	for _, p := range m.Parts {
		switch {
		case p.Kind == openclaw.PartText || p.Kind == openclaw.PartImage && p.Image != nil:
			phase := a.phase(p)
			if msg == nil || msg.Phase != phase {
				msg = &wireItem{Type: "message", Role: string(m.Role), Phase: phase}
				out = append(out, msg)
			}
			msg.Content = append(msg.Content, a.contentPart(m.Role, p, q))
			continue
		case p.Kind == openclaw.PartThinking:
			if item, ok := a.reasoningItem(p); ok && !q.noEncrypted && !q.forgetful {
				out = append(out, item)
			}
		case p.Kind == openclaw.PartToolCall && p.Call != nil:
			out = append(out, wireItemCall{Type: "function_call", CallID: p.Call.ID, Name: p.Call.Tool, Arguments: string(loose.StableArgs(p.Call.Args))})
		case p.Kind == openclaw.PartToolResult && p.Result != nil:
			out = append(out, wireItemResult{Type: "function_call_output", CallID: p.Result.CallID, Output: p.Result.Output})
		}
		msg = nil
	}
	return out
}

func (a *Adapter) contentPart(role openclaw.Role, p openclaw.Part, q quirks) wireContent {
	switch {
	case p.Kind == openclaw.PartImage && !q.noImages:
		return wireContent{Type: "input_image", Image: dataURL(p.Image)}
	case p.Kind == openclaw.PartImage:
		return wireContent{Type: "input_text", Text: endpoint.Unseen(p.Image)}
	case role == openclaw.RoleAssistant:
		return wireContent{Type: "output_text", Text: p.Text}
	}
	return wireContent{Type: "input_text", Text: p.Text}
}

func (a *Adapter) phase(p openclaw.Part) string {
	var kept opaqueText
	if p.Kind != openclaw.PartText || p.Provider != a.end.Name() || len(p.Opaque) == 0 || json.Unmarshal(p.Opaque, &kept) != nil {
		return ""
	}
	return kept.Phase
}

// reasoningItem returns what was kept of an answer's reasoning, in one form
// whatever the log's encoder made of it.
func (a *Adapter) reasoningItem(p openclaw.Part) (item wireItemReasoning, ok bool) {
	if p.Provider != a.end.Name() || !strings.HasPrefix(string(p.Opaque), "{") || json.Unmarshal(p.Opaque, &item) != nil {
		return item, false
	}
	item.Summary = jsontext.Value(loose.StableArgs(item.Summary))
	return item, item.Encrypted != "" && item.Summary.Kind() == '['
}
