package google

import (
	"cmp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// chunk is one event of a stream. Only what is read is declared; the rest is
// ignored.
type chunk struct {
	Candidates []candidate    `json:"candidates"`
	Feedback   *feedback      `json:"promptFeedback"`
	Usage      *wireUsage     `json:"usageMetadata"`
	Model      loose.Text     `json:"modelVersion"`
	Error      jsontext.Value `json:"error"`
}

type feedback struct {
	Reason  loose.Text `json:"blockReason"`
	Message loose.Text `json:"blockReasonMessage"`
}

type candidate struct {
	Index   loose.Count `json:"index"`
	Content struct {
		Parts []part `json:"parts"`
	} `json:"content"`
	Finish  loose.Text `json:"finishReason"`
	Message loose.Text `json:"finishMessage"`
}

type part struct {
	Text      loose.Piece `json:"text"`
	Thought   loose.Flag  `json:"thought"`
	Signature loose.Text  `json:"thoughtSignature"`
	Call      *called     `json:"functionCall"`
}

type called struct {
	ID   loose.Text     `json:"id"`
	Name loose.Text     `json:"name"`
	Args jsontext.Value `json:"args"`
}

type wireUsage struct {
	Prompt     loose.Count `json:"promptTokenCount"`
	ToolUse    loose.Count `json:"toolUsePromptTokenCount"`
	Cached     loose.Count `json:"cachedContentTokenCount"`
	Candidates loose.Count `json:"candidatesTokenCount"`
	Thoughts   loose.Count `json:"thoughtsTokenCount"`
}

// words counts what was read for the model's own tools as read, and thoughts as
// written: both are paid as such.
func (u *wireUsage) words() openclaw.Usage {
	return openclaw.Usage{
		Input:     int(u.Prompt + u.ToolUse),
		Output:    int(u.Candidates + u.Thoughts),
		CacheRead: int(u.Cached),
	}
}

// opaque is what a part keeps for the API.
type opaque struct {
	ID        string `json:"id,omitzero"` // of a call, where the API gave it one
	Signature string `json:"signature,omitzero"`
	// Apart says that the signature came in an empty part after the text, or
	// alone.
	Apart bool `json:"apart,omitzero"`
}

func (o opaque) encode() []byte {
	if o == (opaque{}) {
		return nil
	}
	data, _ := json.Marshal(o) // strings and a bool: cannot fail
	return data
}

// answer is one answer of a model as it grows.
type answer struct {
	provider string
	ids      loose.IDs

	done  []openclaw.Part
	open  *loose.Running // the text or thought being written
	kind  openclaw.PartKind
	size  int
	calls int

	seen    bool // a candidate has come
	finish  string
	message string // of the finish
	blocked *feedback
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
	a.model = cmp.Or(string(c.Model), a.model)
	if c.Usage != nil {
		a.usage = c.Usage.words()
	}
	if c.Feedback != nil && c.Feedback.Reason != "" {
		a.blocked = c.Feedback
	}
	for i := range c.Candidates {
		ch := &c.Candidates[i]
		if ch.Index != 0 {
			continue // one answer is asked for
		}
		a.seen = true
		for j := range ch.Content.Parts {
			said += a.addPart(&ch.Content.Parts[j])
		}
		if ch.Finish != "" && ch.Finish != "FINISH_REASON_UNSPECIFIED" {
			a.finish, a.message = string(ch.Finish), string(ch.Message)
		}
	}
	return said
}

func (a *answer) addPart(p *part) (said string) {
	kept := opaque{Signature: string(p.Signature)}
	a.size += len(p.Text) + len(p.Signature)
	switch {
	case p.Call != nil:
		said = a.close(opaque{})
		a.call(p.Call, kept)
	case p.Text == "" && kept.Signature == "":
	case p.Text == "" && !bool(p.Thought):
		kept.Apart = true
		if a.open == nil || a.kind != openclaw.PartText {
			said = a.close(opaque{})
			a.begin(openclaw.PartThinking)
		}
		said += a.close(kept)
	default:
		kind := openclaw.PartText
		if p.Thought {
			kind = openclaw.PartThinking
		}
		// A signature speaks for its own part, so that must not grow together
		// with another.
		if a.open != nil && (a.kind != kind || kept.Signature != "" && p.Text != "") {
			said = a.close(opaque{})
		}
		if a.open == nil {
			a.begin(kind)
		}
		if text := a.open.Add(p.Text); kind == openclaw.PartText {
			said += text
		}
		if kept.Signature != "" {
			said += a.close(kept)
		}
	}
	return said
}

func (a *answer) begin(kind openclaw.PartKind) { a.open, a.kind = new(loose.Running), kind }

// close finishes the part being written and returns what that makes of half a
// character at its end.
func (a *answer) close(kept opaque) (said string) {
	if a.open == nil {
		return ""
	}
	rest := a.open.End()
	p := openclaw.Part{Kind: a.kind, Text: a.open.String(), Opaque: kept.encode()}
	if p.Kind == openclaw.PartThinking || len(p.Opaque) > 0 {
		p.Provider = a.provider
	}
	if p.Kind == openclaw.PartText {
		said = rest
	}
	a.open = nil
	if p.Text != "" || len(p.Opaque) > 0 {
		a.done = append(a.done, p)
	}
	return said
}

func (a *answer) call(c *called, kept opaque) {
	name := string(c.Name)
	if name == "" {
		name = "unnamed" // the agent answers that there is no such tool
	}
	kept.ID = string(c.ID)
	a.calls++
	a.size += len(c.Args)
	p := openclaw.Part{
		Kind:   openclaw.PartToolCall,
		Call:   &openclaw.Call{ID: a.ids.Unique(kept.ID), Tool: name, Args: loose.ObjectArgs(string(c.Args))},
		Opaque: kept.encode(),
	}
	if len(p.Opaque) > 0 {
		p.Provider = a.provider
	}
	a.done = append(a.done, p)
}

// malformed is the call that the API could not read itself: the model is shown
// what it wrote and can write it again.
func (a *answer) malformed() {
	a.call(&called{Args: jsontext.Value(cmp.Or(a.message, "a call that could not be read"))}, opaque{})
}

func (a *answer) tooLarge() bool { return a.size > endpoint.MaxAnswer || a.calls > endpoint.MaxCalls }

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
	case "MAX_TOKENS":
		return openclaw.StopLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		return openclaw.StopFilter
	}
	if a.calls > 0 {
		return openclaw.StopToolCall
	}
	return openclaw.StopEnd
}
