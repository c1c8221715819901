package session

import (
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Outcome is how a turn ended and what it took.
type Outcome struct {
	Session   string
	RequestID string
	Err       *openclaw.Error // nil: the turn completed
	Text      string
	Model     string
	Usage     openclaw.Usage
	Duration  time.Duration
	Seq       int64 // of the event that ended the turn; 0: nothing was stored
	Calls     []CallDone
}

// CallDone is one tool call of a turn.
type CallDone struct {
	openclaw.ToolCalled
	ExitCode int
	Duration time.Duration
	returned bool
}

// add takes the turn's next event. The same events give the same outcome,
// live or read from the log.
func (o *Outcome) add(ev openclaw.Event) {
	switch b := ev.Body.(type) {
	case openclaw.TextWritten:
		o.pay(b.Step)
	case openclaw.ToolCalled:
		o.pay(b.Step)
		o.Calls = append(o.Calls, CallDone{ToolCalled: b})
	case openclaw.Compacted:
		if b.Usage != nil {
			o.Usage = o.Usage.Add(*b.Usage)
		}
	case openclaw.ToolReturned:
		for i := range o.Calls {
			if c := &o.Calls[i]; c.CallID == b.CallID && !c.returned {
				c.ExitCode, c.Duration, c.returned = b.ExitCode, time.Duration(b.DurationMS)*time.Millisecond, true
			}
		}
	case openclaw.TurnCompleted:
		o.Text, o.Model, o.Usage, o.Duration = b.Text, b.Model, b.Usage, time.Duration(b.DurationMS)*time.Millisecond
		o.Seq = ev.Seq
	case openclaw.TurnFailed:
		o.Usage, o.Seq = b.Usage, ev.Seq
		o.Err = &openclaw.Error{
			Code: b.Code, Message: b.Message, Details: b.Details,
			RetryAfter: time.Duration(b.RetryAfterMS) * time.Millisecond,
		}
	case openclaw.TurnCancelled:
		o.Usage, o.Seq = b.Usage, ev.Seq
		o.Err = cancelled(b.By)
	}
}

func (o *Outcome) pay(s openclaw.Step) {
	if s.Usage != nil {
		o.Usage = o.Usage.Add(*s.Usage)
	}
}

// closing returns the events that end the turn: the output for each call
// without a result, since a model API refuses a conversation with an open
// call, and the end itself.
func (o *Outcome) closing(output string, end openclaw.Body) []openclaw.Event {
	var events []openclaw.Event
	for _, c := range o.Calls {
		if !c.returned {
			events = append(events, openclaw.Event{Body: openclaw.ToolReturned{
				CallID: c.CallID, Tool: c.Tool, Output: output, ExitCode: openclaw.ExitFailed,
			}})
		}
	}
	return append(events, openclaw.Event{Body: end})
}

func cancelled(by string) *openclaw.Error {
	return &openclaw.Error{
		Code: openclaw.CodeCancelled, Message: "the turn was cancelled", Details: map[string]any{"by": by},
	}
}

// Observer is whoever asked for a turn. Both methods are called on the
// session's goroutine, or in Submit, and must neither block nor panic.
type Observer interface {
	// Event shows what happens in the turn after its turn_started: the events
	// as they are stored, and deltas.
	Event(d *Delivery)
	// Done is called exactly once, last.
	Done(o Outcome)
}

// Subscriber watches a session. Its methods must not panic.
type Subscriber interface {
	// Live shows an event as it happens. It is called on the session's
	// goroutine and must not block: a subscriber that cannot keep up drops
	// itself and resumes by sequence number.
	Live(d *Delivery)
	// Replay shows an event of the past. It may block until there is room; an
	// error ends the subscription.
	Replay(d *Delivery) error
	// Gone says that the session was deleted; nothing more follows but a
	// Replay that is under way. It must not block.
	Gone(session string, err *openclaw.Error)
}

// Delivery is one event on its way to many.
type Delivery struct {
	Event openclaw.Event
	once  sync.Once
	frame []byte
}

// Frame returns what encode makes of the event. It is made once, however many
// receivers ask.
func (d *Delivery) Frame(encode func(openclaw.Event) []byte) []byte {
	d.once.Do(func() { d.frame = encode(d.Event) })
	return d.frame
}
