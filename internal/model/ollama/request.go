package ollama

import (
	"io"
	"net/http"
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
	Model     string         `json:"model"`
	Stream    bool           `json:"stream"`
	Truncate  bool           `json:"truncate"` // false: an error says that the history is too long
	Shift     bool           `json:"shift"`    // false: so does an answer that gets too long
	KeepAlive string         `json:"keep_alive,omitzero"`
	Think     jsontext.Value `json:"think,omitzero"`
	Options   wireOptions    `json:"options"`
	Tools     []wireTool     `json:"tools,omitempty"`
	Messages  []wireMessage  `json:"messages"`
}

type wireOptions struct {
	Window      int      `json:"num_ctx"`
	MaxTokens   int      `json:"num_predict,omitzero"`
	Temperature *float64 `json:"temperature,omitzero"`
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
	Role     string     `json:"role"`
	Content  string     `json:"content"`
	Thinking string     `json:"thinking,omitzero"`
	Images   [][]byte   `json:"images,omitempty"`
	Calls    []wireCall `json:"tool_calls,omitempty"`
	Tool     string     `json:"tool_name,omitzero"`
	CallID   string     `json:"tool_call_id,omitzero"`
}

type wireCall struct {
	ID       string     `json:"id"`
	Function wireCalled `json:"function"`
}

type wireCalled struct {
	Name string         `json:"name"`
	Args jsontext.Value `json:"arguments"`
}

// emptySchema is sent for a tool without parameters.
const emptySchema = `{"type":"object","properties":{}}`

// Tokens for thinking. The server counts them among those of the answer, so
// they come on top.
var thinkingRoom = map[string]int{"low": 2048, "medium": 4096, "high": 8192}

// quirks is what a model has refused, so that the next request leaves it out.
type quirks struct {
	noThinking bool
	noLevels   bool // it can think or not, and nothing between
	noTools    bool
	noImages   bool
}

// open sends req and returns the body of the answer once the server accepts
// it, with the request that was sent, in which the model has its real name.
func (a *Adapter) open(x *endpoint.Exchange, req *openclaw.Request) (*openclaw.Request, io.ReadCloser, error) {
	if req.Model == Newest {
		name, err := a.newest(x)
		if err != nil {
			return nil, nil, err
		}
		named := *req
		named.Model = name
		req = &named
	} else if err := a.learn(x, req.Model); err != nil {
		return nil, nil, err
	}
	known := a.traits(req.Model).refused
	for q := known; ; {
		payload, err := a.encode(req, q)
		if err != nil {
			return nil, nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the request to the model cannot be encoded; see the gateway's log", Err: err}
		}
		resp, err := x.Post(a.end.At("/api/chat", ""), payload)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode/100 == 2 {
			a.update(req.Model, func(t *traits) { t.refused = q })
			return req, resp.Body, nil
		}
		text, err := x.Refusal(resp)
		if err != nil {
			return nil, nil, err
		}
		next, adapted := q.adapt(resp.StatusCode, string(text), req)
		if !adapted {
			return nil, nil, a.end.Refused(resp, text, req.Model)
		}
		q = next
	}
}

// adapt returns q changed by a refusal that names something to leave out, and
// whether it did.
func (q quirks) adapt(status int, refusal string, req *openclaw.Request) (quirks, bool) {
	was, text := q, strings.ToLower(refusal)
	switch {
	case status != http.StatusBadRequest && status != http.StatusInternalServerError:
	case strings.Contains(text, "think value"), strings.Contains(text, "invalid think"):
		q.noThinking, q.noLevels = q.noLevels, true
	case strings.Contains(text, "does not support thinking"):
		q.noThinking = true
	case strings.Contains(text, "does not support tools") && len(req.Tools) > 0:
		q.noTools = true
	case strings.Contains(text, "image") && shows(req):
		q.noImages = true
	}
	return q, q != was
}

// shows says whether a request holds a picture.
func shows(req *openclaw.Request) bool {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Kind == openclaw.PartImage {
				return true
			}
		}
	}
	return false
}

// encode translates req into the API's words, leaving out what the model is
// known not to take.
func (a *Adapter) encode(req *openclaw.Request, q quirks) ([]byte, error) {
	t := a.traits(req.Model)
	out := wireRequest{Model: req.Model, Stream: true, KeepAlive: a.keepAlive, Messages: []wireMessage{}}
	if !q.noThinking && !t.lacks("thinking") {
		out.Think = thinkValue(req, q)
	}
	if !q.noTools && !t.lacks("tools") {
		for _, spec := range req.Tools {
			f := wireFunction{Name: spec.Name, Description: spec.Description, Parameters: jsontext.Value(spec.Parameters)}
			if len(f.Parameters) == 0 {
				f.Parameters = jsontext.Value(emptySchema)
			}
			out.Tools = append(out.Tools, wireTool{Type: "function", Function: f})
		}
	}
	if req.System != "" {
		out.Messages = append(out.Messages, wireMessage{Role: "system", Content: req.System})
	}
	w := writer{provider: a.end.Name(), blind: q.noImages || t.lacks("vision"), tools: map[string]string{}}
	for _, m := range req.Messages {
		out.Messages = w.add(out.Messages, m)
	}
	room := 0
	if string(out.Think) != "false" && len(out.Think) > 0 {
		room = thinkingRoom[req.Thinking]
	}
	out.Options.Temperature = req.Temperature
	if req.MaxTokens > 0 {
		out.Options.MaxTokens = req.MaxTokens + room
	}
	marshal := func() ([]byte, error) {
		return json.Marshal(out, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	}
	payload, err := marshal()
	if err != nil {
		return nil, err
	}
	out.Options.Window = a.window(req.Model, len(payload)-w.pictures, out.Options.MaxTokens)
	return marshal()
}

// thinkValue is how a request asks a model to think: some take a level, the
// others yes or no. A model of OpenAI's cannot be kept from it.
func thinkValue(req *openclaw.Request, q quirks) jsontext.Value {
	levels := strings.Contains(strings.ToLower(req.Model), "gpt-oss") && !q.noLevels
	switch {
	case req.Thinking == "":
		return nil
	case levels && req.Thinking == "off":
		return jsontext.Value(`"low"`)
	case levels:
		return jsontext.Value(`"` + req.Thinking + `"`)
	case req.Thinking == "off":
		return jsontext.Value(`false`)
	}
	return jsontext.Value(`true`)
}

// writer translates a history. Results name their tool, so it remembers the
// calls.
type writer struct {
	provider string
	blind    bool // the model sees no pictures
	tools    map[string]string
	pictures int // bytes of all pictures as they are sent
}

// add appends the wire form of m, which is several messages where m carries
// several tool results and none where nothing of it can be sent.
func (w *writer) add(out []wireMessage, m openclaw.Message) []wireMessage {
	var texts []string
	msg := wireMessage{Role: string(m.Role)}
	for _, p := range m.Parts {
		switch {
		case p.Kind == openclaw.PartText:
			texts = append(texts, p.Text)
		case p.Kind == openclaw.PartThinking && p.Provider == w.provider:
			msg.Thinking += p.Text
		case p.Kind == openclaw.PartImage && p.Image != nil && w.blind:
			texts = append(texts, endpoint.Unseen(p.Image))
		case p.Kind == openclaw.PartImage && p.Image != nil:
			msg.Images = append(msg.Images, p.Image.Data)
			w.pictures += len(p.Image.Data) * 4 / 3
		case p.Kind == openclaw.PartToolCall && p.Call != nil:
			w.tools[p.Call.ID] = p.Call.Tool
			msg.Calls = append(msg.Calls, wireCall{ID: p.Call.ID, Function: wireCalled{Name: p.Call.Tool, Args: jsontext.Value(loose.StableArgs(p.Call.Args))}})
		case p.Kind == openclaw.PartToolResult && p.Result != nil:
			out = append(out, wireMessage{Role: "tool", Content: p.Result.Output, Tool: w.tools[p.Result.CallID], CallID: p.Result.CallID})
		}
	}
	msg.Content = strings.Join(texts, "\n\n")
	if len(msg.Calls) == 0 {
		msg.Thinking = "" // only thinking that led to calls is wanted back
	}
	if msg.Content == "" && len(msg.Calls) == 0 && len(msg.Images) == 0 && (m.Role != openclaw.RoleUser || len(texts) == 0) {
		return out
	}
	return append(out, msg)
}
