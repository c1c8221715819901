package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// OutcomeUnknown is what the model reads of a call that was running when the
// gateway stopped and is not repeated (see openclaw.ToolSpec.Repeatable).
const OutcomeUnknown = "outcome unknown: the gateway stopped while it ran"

// errStopped says that the caller stopped iterating.
var errStopped = errors.New("stopped iterating")

// phase is what a turn does next.
type phase int

const (
	phaseModel phase = iota // ask the model
	phaseTools              // show the texts and run the calls of its answer
	phaseDone               // it has answered
)

// turn is the state of one Run.
type turn struct {
	agent *Agent
	in    Turn
	yield func(openclaw.Event, error) bool
	began time.Time

	phase   phase
	choice  Choice              // who is asked now
	chosen  target              // who was to be asked
	spare   []Choice            // who takes over if choice fails
	step    int                 // model calls so far
	parts   []openclaw.Part     // of the last step, still to be carried out
	stop    openclaw.StopReason // of the last step
	between []openclaw.Part     // thinking that belongs before the next event of the step
	unpaid  *openclaw.Usage     // of the step, until its first event carries it
	text    string              // of the last step
	model   string              // who answered last
	used    *openclaw.Usage     // by the whole turn
	due     *[]openclaw.Charge  // what no event has carried yet
	repeats map[string]int      // how often each call had each result

	compacted  bool // the turn has shortened the conversation
	overflowed bool // the model's API found the conversation too long
	bar        int  // the size at which it is shortened, where that is beyond the threshold
}

func (t *turn) run(ctx context.Context) error {
	if t.used == nil {
		t.used = &openclaw.Usage{}
	}
	if t.due == nil {
		t.due = &[]openclaw.Charge{}
	}
	*t.used, *t.due = openclaw.Usage{}, nil
	if err := t.takeUp(ctx); err != nil {
		return err
	}
	choice, err := t.agent.config.Models.Resolve(t.in.Started.Options.Model)
	if err != nil {
		return err
	}
	if err := t.line(choice); err != nil {
		return err
	}
	if focus, asked := compaction(t.in.Started); asked {
		if err := t.compactNow(ctx, focus); err != nil {
			return err
		}
		t.phase = phaseDone
	}
	for t.phase != phaseDone {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		switch t.phase {
		case phaseModel:
			err = t.askModel(ctx)
		case phaseTools:
			err = t.carryOut(ctx)
		}
		if err != nil {
			return err
		}
	}
	return t.emit(openclaw.TurnCompleted{
		Text: t.text, Usage: *t.used, Model: t.model,
		DurationMS: t.agent.config.Now().Sub(t.began).Milliseconds(), Charges: t.carry(),
	})
}

// carry returns the charges that are due, for the event that carries them.
func (t *turn) carry() []openclaw.Charge {
	due := *t.due
	*t.due = nil
	return due
}

// takeUp restores the state from the events an interrupted turn already has,
// and settles the calls that have no result.
func (t *turn) takeUp(ctx context.Context) error {
	var open openCalls
	called := 0 // the last step that has a call
	for _, ev := range t.in.Past {
		open.add(ev)
		switch b := ev.Body.(type) {
		case openclaw.TextWritten:
			t.restore(b.Step)
			t.text += b.Text
			if b.Step.N != called {
				t.phase = phaseDone // unless a call of the same step follows
			}
		case openclaw.ToolCalled:
			t.restore(b.Step)
			t.phase, called = phaseModel, b.Step.N
		case openclaw.ToolReturned:
			if call, found := open.take(b.CallID); found {
				t.seen(call, b)
			}
		case openclaw.Compacted:
			t.compacted = true
			if b.Usage != nil {
				*t.used = t.used.Add(*b.Usage)
			}
		}
	}
	return t.settle(ctx, open)
}

func (t *turn) restore(s openclaw.Step) {
	if s.N != t.step {
		t.step, t.text = s.N, ""
	}
	if s.Usage != nil {
		*t.used = t.used.Add(*s.Usage)
	}
}

// askModel makes one model call and leaves its answer to carryOut.
func (t *turn) askModel(ctx context.Context) error {
	if most := t.agent.config.Limits.ModelCalls; t.step >= most {
		return &openclaw.Error{
			Code: openclaw.CodeTurnLimit,
			Message: fmt.Sprintf(
				"the turn needed more than %d model calls; ask for less at once or raise session.limits.model_calls", most),
		}
	}
	if most := t.in.Started.Options.TurnTokens; most > 0 && t.used.Total() >= most {
		return &openclaw.Error{
			Code: openclaw.CodeBudgetExceeded, Message: fmt.Sprintf("the turn has used the %d tokens it was given", most),
		}
	}
	t.step++
	parts, end, err := t.ask(ctx)
	if err != nil {
		return err
	}
	if end.Model != "" {
		t.model = end.Model
	}
	t.parts, t.stop, t.between, t.phase = parts, end.Stop, nil, phaseTools
	return nil
}

// system returns the instructions of the turn.
func (t *turn) system() string {
	config, started := t.agent.config, t.in.Started
	if started.Source == openclaw.SourceHeartbeat && started.Options.Fresh && config.Identity != "" {
		return config.Identity
	}
	return config.System
}

func (t *turn) request() *openclaw.Request {
	config, options := t.agent.config, t.in.Started.Options
	req := &openclaw.Request{
		Model: t.choice.Name, System: t.system(), Messages: t.in.Transcript.Messages(),
		Tools: t.agent.offered(options), MaxTokens: config.MaxTokens,
		Temperature: config.Temperature, Thinking: config.Thinking,
	}
	if options.MaxTokens > 0 {
		req.MaxTokens = options.MaxTokens
	}
	if options.Thinking != "" {
		req.Thinking = options.Thinking
	}
	return req
}

// carryOut yields the texts and runs the calls of the last step, one after the
// other in the order the model wrote them, and decides the next phase.
func (t *turn) carryOut(ctx context.Context) (err error) {
	var text strings.Builder
	t.phase = phaseDone
	for _, part := range t.parts {
		switch part.Kind {
		case openclaw.PartThinking:
			t.between = append(t.between, part)
		case openclaw.PartText:
			if part.Text == "" && part.Opaque == nil {
				continue // says nothing, and some APIs refuse it when it comes back
			}
			text.WriteString(part.Text)
			err = t.emit(openclaw.TextWritten{Text: part.Text, Step: t.stepOf(part)})
		case openclaw.PartToolCall:
			t.phase = phaseModel
			err = t.runTool(ctx, part)
		}
		if err != nil {
			return err
		}
	}
	t.text = text.String()
	if t.phase == phaseDone && t.text == "" && t.stop == openclaw.StopFilter {
		return &openclaw.Error{
			Code: openclaw.CodeModelError, Message: "the model's provider refused to answer this request; rephrase it",
		}
	}
	return nil
}

// stepOf returns the Step of an event made from part. The first event of a
// step carries the usage, and each the thinking that came just before it.
func (t *turn) stepOf(part openclaw.Part) openclaw.Step {
	s := openclaw.Step{
		N: t.step, Usage: t.unpaid, Before: t.between, Opaque: part.Opaque, Provider: part.Provider, Charges: t.carry(),
	}
	t.unpaid, t.between = nil, nil
	return s
}

// emit yields an event and, once the caller has taken it, adds it to the
// transcript.
func (t *turn) emit(body openclaw.Body) error {
	ev := openclaw.Event{Session: t.in.Session, Time: t.agent.config.Now(), Body: body}
	var stored int64
	if t.in.Stored != nil {
		stored = *t.in.Stored
	}
	if !t.yield(ev, nil) {
		return errStopped
	}
	if t.in.Stored != nil && *t.in.Stored != stored {
		ev.Seq = *t.in.Stored
	}
	t.in.Transcript.Add(ev)
	return nil
}
