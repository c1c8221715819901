package openai

import (
	"encoding/base64"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// wireRequest is the body of a request. The messages come last: they are what
// grows, so a later turn's body begins with the bytes of the one before.
type wireRequest struct {
	Model               string         `json:"model"`
	Stream              bool           `json:"stream"`
	StreamOptions       *streamOptions `json:"stream_options,omitzero"`
	MaxTokens           int            `json:"max_tokens,omitzero"`
	MaxCompletionTokens int            `json:"max_completion_tokens,omitzero"`
	Temperature         *float64       `json:"temperature,omitzero"`
	ReasoningEffort     string         `json:"reasoning_effort,omitzero"`
	Tools               []wireTool     `json:"tools,omitempty"`
	Messages            []wireMessage  `json:"messages"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type wireTool struct {
	Type     string       `json:"type"`
	Function wireFunction `json:"function"`
}

type wireFunction struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Parameters  jsontext.Value `json:"parameters"`
}

type wireMessage struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"` // a *string; a []wirePart with pictures; nil where an assistant only called tools
	Reasoning  string     `json:"reasoning_content,omitzero"`
	ToolCalls  []wireCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitzero"`
}

type wirePart struct {
	Type  string     `json:"type"`
	Text  string     `json:"text,omitzero"`
	Image *wireImage `json:"image_url,omitzero"`
}

type wireImage struct {
	URL string `json:"url"`
}

type wireCall struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Function wireCalled     `json:"function"`
	Extra    jsontext.Value `json:"extra_content,omitzero"`
}

type wireCalled struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON within JSON, as the API has it
}

// emptySchema is sent for a tool without parameters; OpenAI refuses null.
const emptySchema = `{"type":"object","properties":{}}`

// open sends req and returns the body of the answer once the endpoint accepts
// it. Where the endpoint refuses an optional field by name, the request goes
// out again without it, once for each field.
func (a *Adapter) open(x *endpoint.Exchange, req *openclaw.Request) (io.ReadCloser, error) {
	known := a.quirks(req.Model)
	for q := known; ; {
		url, sent := a.put(req, q)
		payload, err := json.Marshal(sent, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the request to the model cannot be encoded; see the gateway's log", Err: err}
		}
		resp, err := x.Post(url, payload)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 == 2 {
			if q.forgetful = false; q != known {
				a.learn(req.Model, q)
			}
			return resp.Body, nil
		}
		text, err := x.Refusal(resp)
		if err != nil {
			return nil, err
		}
		next, adapted := q.adapt(resp.StatusCode, string(text), req, sent)
		if !adapted {
			return nil, a.end.Refused(resp, text, req.Model)
		}
		q = next
	}
}

// put puts req in the dialect its model is asked in, and says where to.
func (a *Adapter) put(req *openclaw.Request, q quirks) (url string, body any) {
	if a.usesResponses(req.Model) {
		return a.responses, a.wireResponses(req, q)
	}
	return a.chat, a.wire(req, q)
}

// wire translates req into the API's words, leaving out what the endpoint is
// known to refuse.
func (a *Adapter) wire(req *openclaw.Request, q quirks) *wireRequest {
	out := &wireRequest{Model: req.Model, Stream: true, Messages: []wireMessage{}}
	if !q.noUsage {
		out.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if a.limitsCompletion(req.Model, q) {
		out.MaxCompletionTokens = a.limit(req)
	} else {
		out.MaxTokens = a.limit(req)
	}
	if !q.noTemperature {
		out.Temperature = req.Temperature
	}
	if !q.noEffort {
		out.ReasoningEffort = effort(req.Model, req.Thinking)
	}
	for _, t := range req.Tools {
		f := wireFunction{Name: t.Name, Description: t.Description, Parameters: jsontext.Value(t.Parameters)}
		if len(f.Parameters) == 0 {
			f.Parameters = jsontext.Value(emptySchema)
		}
		out.Tools = append(out.Tools, wireTool{Type: "function", Function: f})
	}
	if req.System != "" {
		out.Messages = append(out.Messages, wireMessage{Role: "system", Content: &req.System})
	}
	for _, m := range req.Messages {
		out.Messages = a.appendMessage(out.Messages, m, q)
	}
	return out
}

// appendMessage appends the wire form of m, which is several messages where m
// carries several tool results and none where nothing of it can be sent.
func (a *Adapter) appendMessage(out []wireMessage, m openclaw.Message, q quirks) []wireMessage {
	var texts []string
	var pictures []wirePart
	msg := wireMessage{Role: string(m.Role)}
	for _, p := range m.Parts {
		switch {
		case p.Kind == openclaw.PartText:
			texts = append(texts, p.Text)
		case p.Kind == openclaw.PartImage && p.Image != nil && q.noImages:
			texts = append(texts, endpoint.Unseen(p.Image))
		case p.Kind == openclaw.PartImage && p.Image != nil:
			pictures = append(pictures, wirePart{Type: "image_url", Image: &wireImage{dataURL(p.Image)}})
		case p.Kind == openclaw.PartThinking:
			if a.replays(p) {
				msg.Reasoning += p.Text
			}
		case p.Kind == openclaw.PartToolCall && p.Call != nil:
			msg.ToolCalls = append(msg.ToolCalls, a.wireCall(p))
		case p.Kind == openclaw.PartToolResult && p.Result != nil:
			out = append(out, wireMessage{Role: "tool", Content: &p.Result.Output, ToolCallID: p.Result.CallID})
		}
	}
	text := strings.Join(texts, "\n\n")
	switch {
	case len(pictures) > 0:
		msg.Content = append([]wirePart{{Type: "text", Text: text}}, pictures...)
	case text != "" || m.Role == openclaw.RoleUser && len(texts) > 0:
		msg.Content = &text
	case len(msg.ToolCalls) == 0:
		return out
	}
	return append(out, msg)
}

// replays says whether the endpoint wants a thinking part back: those that
// send their thinking as reasoning_content refuse a history of tool calls
// without it.
func (a *Adapter) replays(p openclaw.Part) bool {
	return p.Provider == a.end.Name() && string(p.Opaque) == opaqueReasoning
}

func (a *Adapter) wireCall(p openclaw.Part) wireCall {
	c := wireCall{ID: p.Call.ID, Type: "function", Function: wireCalled{Name: p.Call.Tool, Arguments: string(loose.StableArgs(p.Call.Args))}}
	if p.Provider == a.end.Name() && len(p.Opaque) > 0 {
		c.Extra = jsontext.Value(p.Opaque)
	}
	return c
}

// dataURL is a picture as both dialects take it.
func dataURL(i *openclaw.Image) string {
	return "data:" + i.MediaType + ";base64," + base64.StdEncoding.EncodeToString(i.Data)
}
