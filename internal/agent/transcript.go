package agent

import (
	"cmp"
	"slices"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/fence"
)

// Transcript is a conversation as a model reads it, made from the events of
// its log. Adding the same events always gives the same messages, and adding
// one more never changes the messages of finished steps, so that the prompt
// caches of the providers hold; a Compacted event alone does. The zero value
// is an empty conversation. It is not safe for concurrent use.
type Transcript struct {
	messages []openclaw.Message
	origins  []origin // of each message
	step     int      // of the assistant message being built; 0: none
	said     int      // index of that message
	unheard  []string // calls of that message without a result, by ID
	dir      string   // where its commands start; "": where they do at first

	added, numbered int // events so far, and how many up to the last one whose number is known

	// counted is how many tokens the API found in the first covered messages,
	// instructions and tools included; 0: it has not said.
	counted, covered int
}

// origin is where a message comes from.
type origin struct {
	seq    int64 // of the event it begins with; 0: not known
	at     int   // that event's place among those added
	begins begins
}

// begins says whether the conversation may be cut before a message.
type begins int

const (
	beginsNothing begins = iota // it belongs to the one before
	beginsStep
	beginsTurn
)

// Messages returns the conversation so far. The slice is the transcript's own:
// the caller reads it and keeps no hold of it beyond the next Add.
func (t *Transcript) Messages() []openclaw.Message { return t.messages }

// Add takes the next event of the log. Its Seq may be 0 where the event is not
// stored yet: then it is known once a later one has its number, if both are
// stored together.
func (t *Transcript) Add(ev openclaw.Event) {
	t.added++
	t.number(ev.Seq)
	switch b := ev.Body.(type) {
	case openclaw.TurnStarted:
		t.close()
		t.push(withImages(openclaw.Message{Role: openclaw.RoleUser, Parts: question(ev.Time, b)}, b.Images), ev.Seq, beginsTurn)
	case openclaw.TextWritten:
		t.say(ev.Seq, b.Step, openclaw.Part{
			Kind: openclaw.PartText, Text: b.Text, Opaque: b.Step.Opaque, Provider: b.Step.Provider,
		})
	case openclaw.ToolCalled:
		t.say(ev.Seq, b.Step, openclaw.Part{
			Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: b.CallID, Tool: b.Tool, Args: b.Args},
			Opaque: b.Step.Opaque, Provider: b.Step.Provider,
		})
		t.unheard = append(t.unheard, b.CallID)
	case openclaw.ToolReturned:
		t.dir = cmp.Or(b.Dir, t.dir)
		t.hear(openclaw.Result{
			CallID: b.CallID, Output: fence.Clean(b.Output), ExitCode: b.ExitCode,
			Truncated: b.Truncated, OutputBytes: b.OutputBytes,
		})
	case openclaw.TurnCompleted:
		t.close()
	case openclaw.TurnFailed:
		t.close()
		t.push(openclaw.Text(openclaw.RoleUser, "[The request above failed and got no answer.]"), ev.Seq, beginsNothing)
	case openclaw.TurnCancelled:
		t.close()
		t.push(openclaw.Text(openclaw.RoleUser, "[The request above was cancelled; do not carry it out.]"), ev.Seq, beginsNothing)
	case openclaw.Compacted:
		t.dir = b.Dir
		t.shorten(t.from(b.BeforeSeq), b.Summary, b.Limit)
	}
}

// number gives the messages that begin with an event not stored then their
// numbers: seq is that of the event just added.
func (t *Transcript) number(seq int64) {
	if seq <= 0 {
		return
	}
	for i := len(t.origins) - 1; i >= 0 && t.origins[i].at > t.numbered; i-- {
		if o := &t.origins[i]; o.seq == 0 {
			o.seq = seq - int64(t.added-o.at)
		}
	}
	t.numbered = t.added
}

func (t *Transcript) push(m openclaw.Message, seq int64, b begins) {
	t.messages = append(t.messages, m)
	t.origins = append(t.origins, origin{seq: seq, at: t.added, begins: b})
}

// say adds a part to the assistant message of its step. The calls of one step
// belong into one message even where their results came in between.
func (t *Transcript) say(seq int64, step openclaw.Step, part openclaw.Part) {
	if t.step != step.N || t.step == 0 {
		t.close()
		t.step, t.said = step.N, len(t.messages)
		t.push(openclaw.Message{Role: openclaw.RoleAssistant}, seq, beginsStep)
	}
	if n := reported(step); n > 0 {
		t.counted, t.covered = n, t.said+1
	}
	m := &t.messages[t.said]
	m.Parts = append(append(m.Parts, step.Before...), part)
}

// reported returns how many tokens the API counted in the call that was
// answered by step, the answer included; 0: it does not say.
func reported(step openclaw.Step) int {
	usage := openclaw.Usage{}
	if n := len(step.Charges); n > 0 { // the attempts before it sent the same
		if step.Charges[n-1].Estimated {
			return 0
		}
		usage = step.Charges[n-1].Usage
	} else if step.Usage != nil {
		usage = *step.Usage
	}
	if usage.Input == 0 {
		return 0
	}
	return usage.Total()
}

// hear adds a result to the message after the assistant's. A result nobody
// waits for is left out.
func (t *Transcript) hear(r openclaw.Result) {
	i := slices.Index(t.unheard, r.CallID)
	if i < 0 {
		return
	}
	t.unheard = slices.Delete(t.unheard, i, i+1)
	if t.said+1 >= len(t.messages) {
		t.push(openclaw.Message{Role: openclaw.RoleTool}, 0, beginsNothing)
	}
	m := &t.messages[t.said+1]
	m.Parts = append(m.Parts, openclaw.Part{Kind: openclaw.PartToolResult, Result: &r})
}

// close ends the step. A call that never got its result gets one here: a
// model API refuses a conversation with an open call.
func (t *Transcript) close() {
	for len(t.unheard) > 0 {
		t.hear(openclaw.Result{CallID: t.unheard[0], Output: OutcomeUnknown, ExitCode: openclaw.ExitFailed})
	}
	t.step = 0
}

// withImages adds pictures to a message.
func withImages(m openclaw.Message, images []openclaw.Image) openclaw.Message {
	for i := range images {
		m.Parts = append(m.Parts, openclaw.Part{Kind: openclaw.PartImage, Image: &images[i]})
	}
	return m
}
