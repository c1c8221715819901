package openai

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// responseEvent is one event of a stream. Only what is read is declared; the
// rest, and events of other types, are ignored.
type responseEvent struct {
	Type     loose.Text     `json:"type"`
	Index    loose.Count    `json:"output_index"`
	Delta    loose.Piece    `json:"delta"`
	Item     *outputItem    `json:"item"`
	Response *response      `json:"response"`
	Error    jsontext.Value `json:"error"`
}

// response is the answer as a whole, in the events that begin and end it, and
// alone where an endpoint does not stream.
type response struct {
	Model      loose.Text     `json:"model"`
	Status     loose.Text     `json:"status"`
	Output     []outputItem   `json:"output"`
	Error      jsontext.Value `json:"error"`
	Incomplete struct {
		Reason loose.Text `json:"reason"`
	} `json:"incomplete_details"`
	Usage *responseUsage `json:"usage"`
}

type outputItem struct {
	Type      loose.Text     `json:"type"`
	CallID    loose.Text     `json:"call_id"`
	Name      loose.Text     `json:"name"`
	Arguments loose.Piece    `json:"arguments"`
	Phase     loose.Text     `json:"phase"`
	Encrypted loose.Text     `json:"encrypted_content"`
	Summary   jsontext.Value `json:"summary"`
	Content   []struct {
		Text    loose.Piece `json:"text"`
		Refusal loose.Piece `json:"refusal"`
	} `json:"content"`
}

type responseUsage struct {
	Input   loose.Count `json:"input_tokens"`
	Output  loose.Count `json:"output_tokens"`
	Details struct {
		Cached     loose.Count `json:"cached_tokens"`
		CacheWrite loose.Count `json:"cache_write_tokens"`
	} `json:"input_tokens_details"`
	Cost loose.Amount `json:"cost"` // OpenRouter's, in US dollars
}

// output is one item of an answer as it grows.
type output struct {
	kind      string
	callID    string
	name      string
	args      loose.Running
	thinking  loose.Running
	summary   jsontext.Value
	encrypted string
	phase     string
	said      bool // it has a text
	closed    bool
}

// said is a run of text of one item.
type said struct {
	item *output
	text loose.Running
}

// responseAnswer is one answer of the Responses API as it grows.
type responseAnswer struct {
	provider string
	ids      loose.IDs

	items   map[int]*output
	order   []any // *output of calls and reasoning, *said; as they first appeared
	open    *said
	size    int
	calls   int
	refused bool
	ended   bool
	reason  string // of an incomplete answer
	usage   openclaw.Usage
	model   string
}

// add takes an event in and returns the text that is new in it.
func (a *responseAnswer) add(e *responseEvent) string {
	a.size += len(e.Delta)
	switch e.Type {
	case "response.output_text.delta":
		return a.write(a.item(int(e.Index), "message"), e.Delta)
	case "response.refusal.delta":
		a.refused = true
		return a.write(a.item(int(e.Index), "message"), e.Delta)
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		a.item(int(e.Index), "reasoning").thinking.Add(e.Delta)
	case "response.reasoning_summary_part.added":
		if o := a.item(int(e.Index), "reasoning"); o.thinking.Begun() {
			o.thinking.Add("\n\n")
		}
	case "response.function_call_arguments.delta":
		a.item(int(e.Index), "function_call").args.Add(e.Delta)
	case "response.output_item.added", "response.output_item.done":
		if e.Item != nil {
			return a.take(int(e.Index), e.Item, e.Type == "response.output_item.done")
		}
	case "response.completed", "response.incomplete":
		if e.Response != nil {
			return a.end(e.Response)
		}
	}
	return ""
}

// item returns the item of an index; kind is what the first to name it takes
// it for.
func (a *responseAnswer) item(index int, kind string) *output {
	o := a.items[index]
	if o == nil {
		o = &output{kind: kind}
		if a.items == nil {
			a.items = map[int]*output{}
		}
		a.items[index] = o
		if kind == "function_call" {
			a.calls++
		}
		if kind == "function_call" || kind == "reasoning" {
			a.order = append(a.order, o)
		}
	}
	return o
}

// take takes in what an item says of itself. Texts and arguments that came in
// pieces are not taken again.
func (a *responseAnswer) take(index int, in *outputItem, done bool) (text string) {
	o := a.item(index, string(in.Type))
	o.callID, o.name = cmp.Or(o.callID, string(in.CallID)), cmp.Or(o.name, string(in.Name))
	o.phase = cmp.Or(o.phase, string(in.Phase))
	if !done || o.closed {
		return ""
	}
	o.closed = true
	a.size += len(in.Arguments) + len(in.Encrypted) + len(in.Summary)
	if !o.args.Begun() {
		o.args.Add(in.Arguments)
	}
	if in.Encrypted != "" {
		o.encrypted, o.summary = string(in.Encrypted), slices.Clone(in.Summary)
	}
	if o.kind == "reasoning" && !o.thinking.Begun() {
		thought, _ := contentOf(in.Summary)
		o.thinking.Add(thought)
		for _, c := range in.Content {
			o.thinking.Add(c.Text)
		}
	}
	if o.kind != "message" || o.said {
		return ""
	}
	for _, c := range in.Content {
		a.refused = a.refused || c.Refusal != ""
		a.size += len(c.Text) + len(c.Refusal)
		text += a.write(o, c.Text+c.Refusal)
	}
	return text
}

// write appends to the text of an item and returns what is new in it.
func (a *responseAnswer) write(o *output, p loose.Piece) (text string) {
	if p == "" {
		return ""
	}
	o.said = true
	if a.open == nil || a.open.item != o {
		text = a.closeText()
		a.open = &said{item: o}
		a.order = append(a.order, a.open)
	}
	return text + a.open.text.Add(p)
}

func (a *responseAnswer) closeText() string {
	if a.open == nil {
		return ""
	}
	return a.open.text.End()
}

// end takes in the whole answer, of which only what did not come before is new.
func (a *responseAnswer) end(r *response) (text string) {
	a.ended = true
	a.model = cmp.Or(string(r.Model), a.model)
	if a.reason = string(r.Incomplete.Reason); a.reason == "" && r.Status == "incomplete" {
		a.reason = "max_output_tokens"
	}
	if r.Usage != nil {
		a.usage = openclaw.Usage{
			Input: int(r.Usage.Input), Output: int(r.Usage.Output), CacheRead: int(r.Usage.Details.Cached),
			CacheWrite: int(r.Usage.Details.CacheWrite), CostUSD: float64(r.Usage.Cost),
		}
	}
	for i := range r.Output {
		text += a.take(i, &r.Output[i], true)
	}
	return text
}

func (a *responseAnswer) tooLarge() bool {
	return a.size > endpoint.MaxAnswer || a.calls > endpoint.MaxCalls || len(a.order) > 4*endpoint.MaxCalls || len(a.items) > 4*endpoint.MaxCalls
}

// parts returns the finished parts in the order the model began them.
func (a *responseAnswer) parts() []openclaw.Part {
	var out []openclaw.Part
	for _, o := range a.order {
		switch o := o.(type) {
		case *said:
			out = append(out, a.textPart(o))
		case *output:
			if o.kind == "reasoning" {
				if p := a.reasoningPart(o); p.Text != "" || len(p.Opaque) > 0 {
					out = append(out, p)
				}
				continue
			}
			o.args.End()
			out = append(out, openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{
				ID:   a.ids.Unique(o.callID),
				Tool: cmp.Or(o.name, "unnamed"), // the agent answers that there is no such tool
				Args: loose.ObjectArgs(o.args.String()),
			}})
		}
	}
	return out
}

func (a *responseAnswer) textPart(s *said) openclaw.Part {
	s.text.End()
	p := openclaw.Part{Kind: openclaw.PartText, Text: s.text.String()}
	if s.item.phase != "" {
		p.Provider = a.provider
		p.Opaque, _ = json.Marshal(opaqueText{s.item.phase}) // a string cannot fail
	}
	return p
}

func (a *responseAnswer) reasoningPart(o *output) openclaw.Part {
	o.thinking.End()
	p := openclaw.Part{Kind: openclaw.PartThinking, Text: o.thinking.String(), Provider: a.provider}
	if o.encrypted != "" {
		if o.summary.Kind() != '[' {
			o.summary = jsontext.Value("[]")
		}
		if data, err := json.Marshal(wireItemReasoning{"reasoning", o.summary, o.encrypted}); err == nil {
			p.Opaque = data
		}
	}
	return p
}

// stop returns the last event.
func (a *responseAnswer) stop(asked string) openclaw.ModelEvent {
	ev := openclaw.ModelEvent{Stop: openclaw.StopEnd, Usage: a.usage}
	switch {
	case a.reason == "content_filter":
		ev.Stop = openclaw.StopFilter
	case a.reason != "":
		ev.Stop = openclaw.StopLength
	case a.calls > 0:
		ev.Stop = openclaw.StopToolCall
	case a.refused:
		ev.Stop = openclaw.StopFilter
	}
	if a.model != asked {
		ev.Model = a.model
	}
	return ev
}
