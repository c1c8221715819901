package openai

import (
	"strings"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// opaqueReasoning marks a thinking part whose text the endpoint wants back as
// reasoning_content.
const opaqueReasoning = `"reasoning_content"`

// answer is one answer of a model as it grows.
type answer struct {
	provider string
	ids      loose.IDs

	text     loose.Running
	thinking loose.Running
	replay   bool // the thinking came as reasoning_content
	calls    calls
	order    []any // *loose.Running or *pendingCall, as they first appeared

	choices int // seen so far
	refused bool
	finish  string
	usage   openclaw.Usage
	model   string
}

func newAnswer(provider string, req *openclaw.Request, newID func() string) *answer {
	a := &answer{provider: provider, ids: loose.IDs{Make: newID}}
	a.ids.Taken(req.Messages)
	return a
}

// add takes a chunk in and returns the text that is new in it.
func (a *answer) add(c *chunk) (said string) {
	if c.Model != "" {
		a.model = string(c.Model)
	}
	if c.Usage != nil {
		a.usage = c.Usage.words()
	} else if c.Groq != nil && c.Groq.Usage != nil {
		a.usage = c.Groq.Usage.words()
	}
	for i := range c.Choices {
		ch := &c.Choices[i]
		if ch.Index != 0 {
			continue // one answer is asked for
		}
		a.choices++
		if ch.Finish != "" {
			a.finish = strings.ToLower(string(ch.Finish))
		}
		d := ch.Delta
		if d == nil {
			d = ch.Message
		}
		if d != nil {
			said += a.addDelta(d)
		}
	}
	return said
}

func (a *answer) addDelta(d *delta) string {
	said, thought := contentOf(d.Content)
	switch { // one server sends the same thinking under both names
	case d.ReasoningContent != "":
		thought, a.replay = d.ReasoningContent, true
	case d.Reasoning != "":
		thought = d.Reasoning
	}
	if d.Refusal != "" {
		said, a.refused = said+d.Refusal, true
	}
	a.write(&a.thinking, thought)
	delta := a.write(&a.text, said)
	for i := range d.ToolCalls {
		if c := a.calls.add(&d.ToolCalls[i]); c != nil {
			a.order = append(a.order, c)
		}
	}
	if d.FunctionCall != nil {
		if c := a.calls.add(&callDelta{Index: new(loose.Count), Function: *d.FunctionCall}); c != nil {
			a.order = append(a.order, c)
		}
	}
	return delta
}

// write appends to one of the texts and returns what is new in it.
func (a *answer) write(r *loose.Running, p loose.Piece) string {
	if p != "" && !r.Begun() {
		a.order = append(a.order, r)
	}
	return r.Add(p)
}

// tooLarge says whether the answer holds more than any answer does.
func (a *answer) tooLarge() bool {
	return a.text.Len()+a.thinking.Len()+a.calls.bytes > endpoint.MaxAnswer || len(a.calls.all) > endpoint.MaxCalls
}

// complete says whether the answer may end here although the endpoint gave no
// reason for stopping, as some never do: it has begun, and no tool call is
// left open.
func (a *answer) complete() bool {
	for _, c := range a.calls.all {
		if c.args.Len() > 0 && !c.whole() {
			return false
		}
	}
	return a.choices > 0
}

// parts returns the finished parts in the order the model began them.
func (a *answer) parts() []openclaw.Part {
	var out []openclaw.Part
	for _, o := range a.order {
		switch o := o.(type) {
		case *pendingCall:
			out = append(out, o.part(a.provider, &a.ids))
		case *loose.Running:
			o.End()
			p := openclaw.Part{Kind: openclaw.PartText, Text: o.String()}
			if o == &a.thinking {
				p.Kind, p.Provider = openclaw.PartThinking, a.provider
				if a.replay {
					p.Opaque = []byte(opaqueReasoning)
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// stop returns the last event.
func (a *answer) stop(asked string) openclaw.ModelEvent {
	ev := openclaw.ModelEvent{Stop: a.reason(), Usage: a.usage}
	if a.model != asked {
		ev.Model = a.model
	}
	return ev
}

func (a *answer) reason() openclaw.StopReason {
	switch a.finish {
	case "length", "max_tokens", "model_length", "model_context_window_exceeded":
		return openclaw.StopLength
	case "content_filter", "safety", "refusal":
		return openclaw.StopFilter
	}
	switch {
	case len(a.calls.all) > 0: // also where the server says "stop"
		return openclaw.StopToolCall
	case a.refused:
		return openclaw.StopFilter
	}
	return openclaw.StopEnd
}

func (u *wireUsage) words() openclaw.Usage {
	read := max(u.Details.Cached, u.CacheHit)
	return openclaw.Usage{
		Input:      int(u.PromptTokens),
		Output:     int(u.CompletionTokens),
		CacheRead:  int(read),
		CacheWrite: int(u.Details.CacheWrite),
		CostUSD:    float64(u.Cost),
	}
}
