package google

import (
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// wireRequest is the body of a request. The contents come last: they are what
// grows, so a later turn's body begins with the bytes of the one before.
type wireRequest struct {
	System   *wireContent  `json:"systemInstruction,omitzero"`
	Tools    []wireTool    `json:"tools,omitempty"`
	Config   *wireConfig   `json:"generationConfig,omitzero"`
	Contents []wireContent `json:"contents"`
}

type wireTool struct {
	Functions []wireFunction `json:"functionDeclarations"`
}

type wireFunction struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Parameters  jsontext.Value `json:"parameters,omitzero"`
}

type wireConfig struct {
	MaxTokens   int           `json:"maxOutputTokens,omitzero"`
	Temperature *float64      `json:"temperature,omitzero"`
	Thinking    *wireThinking `json:"thinkingConfig,omitzero"`
}

type wireThinking struct {
	Include bool   `json:"includeThoughts,omitzero"`
	Budget  *int   `json:"thinkingBudget,omitzero"`
	Level   string `json:"thinkingLevel,omitzero"`
}

type wireContent struct {
	Role  string     `json:"role,omitzero"`
	Parts []wirePart `json:"parts"`
}

type wirePart struct {
	Text      *string       `json:"text,omitzero"`
	Thought   bool          `json:"thought,omitzero"`
	Blob      *wireBlob     `json:"inlineData,omitzero"`
	Call      *wireCall     `json:"functionCall,omitzero"`
	Response  *wireResponse `json:"functionResponse,omitzero"`
	Signature string        `json:"thoughtSignature,omitzero"`
}

type wireBlob struct {
	MimeType string `json:"mimeType"`
	Data     []byte `json:"data"`
}

type wireCall struct {
	ID   string         `json:"id,omitzero"`
	Name string         `json:"name"`
	Args jsontext.Value `json:"args"`
}

type wireResponse struct {
	ID       string            `json:"id,omitzero"`
	Name     string            `json:"name"`
	Response map[string]string `json:"response"`
}

// open sends req and returns the body of the answer once the endpoint accepts
// it. Where the endpoint refuses something that can be left out, the request
// goes out again without it, once for each.
func (a *Adapter) open(x *endpoint.Exchange, req *openclaw.Request) (io.ReadCloser, error) {
	method := path(req.Model)
	if method == "" {
		e := a.end.Failure(openclaw.FailureBadRequest, 0, "has no model of such a name; set brain.model to one it serves")
		e.Code = openclaw.CodeModelNotFound
		return nil, e
	}
	known := a.quirks(req.Model)
	for q := known; ; {
		payload, err := json.Marshal(a.wire(req, q), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the request to the model cannot be encoded; see the gateway's log", Err: err}
		}
		resp, err := x.Post(a.end.At(method, "alt=sse"), payload)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 == 2 {
			a.learn(req.Model, known, q)
			return resp.Body, nil
		}
		text, err := x.Refusal(resp)
		if err != nil {
			return nil, err
		}
		next, adapted := q.adapt(resp.StatusCode, string(text))
		if !adapted {
			return nil, a.end.Refused(resp, text, req.Model)
		}
		q = next
	}
}

// wire translates req into the API's words, leaving out what the endpoint is
// known to refuse.
func (a *Adapter) wire(req *openclaw.Request, q quirks) *wireRequest {
	out := &wireRequest{Contents: []wireContent{}}
	if req.System != "" {
		if system := (wireContent{Role: "user", Parts: []wirePart{{Text: &req.System}}}); q.noSystem {
			out.Contents = append(out.Contents, system)
		} else {
			out.System = &system
		}
	}
	if len(req.Tools) > 0 {
		tool := wireTool{}
		for _, t := range req.Tools {
			tool.Functions = append(tool.Functions, wireFunction{Name: t.Name, Description: t.Description, Parameters: a.schema(t.Parameters)})
		}
		out.Tools = []wireTool{tool}
	}
	config := wireConfig{Temperature: req.Temperature}
	think := thinkingOf(req.Model, req.Thinking)
	if !q.noThinking {
		config.Thinking = think.config
	}
	if req.MaxTokens > 0 {
		config.MaxTokens = min(req.MaxTokens+think.room, a.mostTokens(req.Model))
	}
	if config != (wireConfig{}) {
		out.Config = &config
	}
	w := writer{provider: a.end.Name(), unsigned: q.unsigned, signs: signs(req.Model), calls: map[string]wireCall{}}
	for _, m := range req.Messages {
		out.Contents = w.add(out.Contents, m)
	}
	return out
}

// writer translates a history. Results name their call's function, so it
// remembers the calls.
type writer struct {
	provider string
	unsigned bool // leave the signatures out
	signs    bool // the model refuses a call without one
	calls    map[string]wireCall
}

// unsignedCall stands where a model of the third generation wants a signature
// and there is none, because another provider's model made the call: the API's
// own word for that.
const unsignedCall = "skip_thought_signature_validator"

// add appends the wire form of m; a message of nothing that can be sent is left
// out, and one of the role before joins it: the API wants the roles to take
// turns. Results stay a content of their own.
func (w *writer) add(out []wireContent, m openclaw.Message) []wireContent {
	content := wireContent{Role: "user"}
	if m.Role == openclaw.RoleAssistant {
		content.Role = "model"
	}
	signed := false
	for _, p := range m.Parts {
		content.Parts = append(content.Parts, w.part(p)...)
		if p.Kind != openclaw.PartToolCall {
			continue
		}
		call := &content.Parts[len(content.Parts)-1]
		if call.Signature == "" && !signed && w.signs {
			call.Signature = unsignedCall
		}
		signed = true // the first call speaks for those beside it
	}
	if len(content.Parts) == 0 {
		return out
	}
	if last := len(out) - 1; last >= 0 && out[last].Role == content.Role && !responds(out[last]) && !responds(content) {
		out[last].Parts = append(out[last].Parts, content.Parts...)
		return out
	}
	return append(out, content)
}

func responds(c wireContent) bool { return c.Parts[len(c.Parts)-1].Response != nil }

// part returns the wire form of p, nothing where the API must not see it.
func (w *writer) part(p openclaw.Part) []wirePart {
	kept := w.kept(p)
	switch p.Kind {
	case openclaw.PartText:
		return w.text(p.Text, kept)
	case openclaw.PartThinking:
		if kept.Signature == "" {
			return nil
		}
		return []wirePart{{Text: &p.Text, Thought: !kept.Apart, Signature: kept.Signature}}
	case openclaw.PartImage:
		if p.Image != nil {
			return []wirePart{{Blob: &wireBlob{MimeType: p.Image.MediaType, Data: p.Image.Data}}}
		}
	case openclaw.PartToolCall:
		if p.Call != nil {
			call := wireCall{ID: kept.ID, Name: p.Call.Tool, Args: jsontext.Value(loose.StableArgs(p.Call.Args))}
			w.calls[p.Call.ID] = call
			return []wirePart{{Call: &call, Signature: kept.Signature}}
		}
	case openclaw.PartToolResult:
		if p.Result != nil {
			return []wirePart{{Response: w.response(p.Result)}}
		}
	}
	return nil
}

// text returns a text; the signature of an empty part that followed it gets
// such a part again.
func (w *writer) text(s string, kept opaque) []wirePart {
	switch {
	case kept.Apart && kept.Signature != "":
		none := ""
		return []wirePart{{Text: &s}, {Text: &none, Signature: kept.Signature}}
	case strings.TrimSpace(s) == "" && kept.Signature == "":
		return nil
	}
	return []wirePart{{Text: &s, Signature: kept.Signature}}
}

func (w *writer) response(r *openclaw.Result) *wireResponse {
	call := w.calls[r.CallID]
	if call.Name == "" {
		call.Name = "unknown" // the call is no longer part of the history
	}
	key := "output"
	if r.ExitCode != 0 {
		key = "error"
	}
	return &wireResponse{ID: call.ID, Name: call.Name, Response: map[string]string{key: r.Output}}
}

// kept reads what the API wants back with a part.
func (w *writer) kept(p openclaw.Part) (o opaque) {
	if p.Provider != w.provider || len(p.Opaque) == 0 || json.Unmarshal(p.Opaque, &o) != nil {
		return opaque{}
	}
	if w.unsigned {
		o.Signature = ""
	}
	return o
}
