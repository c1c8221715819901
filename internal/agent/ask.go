package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// step is one model call while it is being made, which may take several
// attempts at several models.
type step struct {
	joint  splice
	tries  int       // of the model that is asked now
	failed []refusal // of the models that were given up
}

// refusal is why a model was given up.
type refusal struct {
	model Choice
	err   *openclaw.Error
}

// line puts the models that may answer the turn in the order in which they are
// asked: the chosen one first, its fallbacks, and last those that rest. It
// tells the client where that passes over the chosen one.
func (t *turn) line(chosen Choice) error {
	all := []Choice{chosen}
	for _, c := range t.agent.config.Fallback {
		if !slices.ContainsFunc(all, func(other Choice) bool { return other.target() == c.target() }) {
			all = append(all, c)
		}
	}
	var ready, resting []Choice
	for _, c := range all {
		if t.agent.config.Cooldowns.reason(c) == "" {
			ready = append(ready, c)
		} else {
			resting = append(resting, c)
		}
	}
	all = append(ready, resting...)
	t.chosen, t.choice, t.spare = chosen.target(), all[0], all[1:]
	t.model = t.choice.Name
	if t.choice.target() == chosen.target() {
		return nil
	}
	return t.switched(chosen, t.agent.config.Cooldowns.reason(chosen))
}

func (t *turn) switched(from Choice, reason string) error {
	t.agent.config.Logger.Warn("model switched", "session", t.in.Session,
		"from", from.String(), "to", t.choice.String(), "reason", reason)
	return t.emit(openclaw.ModelSwitched{From: from.String(), To: t.choice.String(), Reason: reason})
}

// answer makes one model call: it shows the text as it is written and returns
// the finished parts. A model that fails is asked again, and then the next in
// line, as far as that can help.
func (t *turn) answer(ctx context.Context) (parts []openclaw.Part, end openclaw.ModelEvent, err error) {
	var s step
	for {
		s.joint.begin()
		s.tries++
		parts, end, err = t.attempt(ctx, &s)
		if err == nil {
			t.agent.config.Cooldowns.end(t.choice)
			for _, f := range s.failed { // should this one fail too, in a later step
				t.spare = append(t.spare, f.model)
			}
			return s.joint.parts(parts), end, nil
		}
		if err = t.recover(ctx, &s, err); err != nil {
			return nil, openclaw.ModelEvent{}, err
		}
	}
}

// attempt asks the model in turn once, within the budget.
func (t *turn) attempt(ctx context.Context, s *step) (parts []openclaw.Part, end openclaw.ModelEvent, err error) {
	req := t.request()
	s.joint.request(req)
	settle, err := t.reserve(ctx, req)
	if err != nil {
		return nil, end, err
	}
	heard := 0 // bytes
	defer func() { settle(end, heard) }()
	for ev, err := range t.choice.Model.Stream(ctx, req) {
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return nil, end, err
		}
		switch {
		case ev.Delta != "":
			heard += len(ev.Delta)
			if err := t.show(s.joint.write(ev.Delta)); err != nil {
				return nil, end, err
			}
		case ev.Part != nil:
			heard += size(*ev.Part)
			parts = append(parts, *ev.Part)
		case ev.Stop != "":
			end = ev
		}
	}
	if end.Stop == "" {
		return nil, end, brokenOff(ctx)
	}
	return parts, end, t.show(s.joint.finish())
}

func (t *turn) show(text string) error {
	if text != "" && !t.yield(openclaw.Event{Time: t.agent.config.Now(), Body: openclaw.Delta{Text: text}}, nil) {
		return errStopped
	}
	return nil
}

// brokenOff is the error of a stream that ended without saying so.
func brokenOff(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return &openclaw.Error{
		Code: openclaw.CodeModelUnavailable, Message: "the model's answer broke off; try again",
		Details: map[string]any{openclaw.DetailKind: openclaw.FailureCutStream},
	}
}

// recover prepares another attempt after err: it waits, or passes on to the
// next model. It returns the error that ends the turn where neither can help.
func (t *turn) recover(ctx context.Context, s *step, err error) error {
	if context.Cause(ctx) != nil || errors.Is(err, errStopped) {
		return err
	}
	cure := remedyFor(err, t.in.Started.Options.Model != "" && t.choice.target() == t.chosen)
	if !cure.another {
		return err
	}
	config := t.agent.config
	if cure.again {
		d, worth := config.Retry.wait(err, s.tries, len(t.spare) > 0, config.Chance())
		if worth && pause(ctx, d) {
			config.Logger.Info("model asked again", "session", t.in.Session, "model", t.choice.String(), "attempt", s.tries+1, "err", err)
			return nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	e, kind := openclaw.AsError(err), openclaw.FailureOf(err)
	config.Cooldowns.begin(t.choice, kind, cure.lasting, e.RetryAfter)
	s.failed = append(s.failed, refusal{t.choice, e})
	if len(t.spare) == 0 {
		return givenUp(s.failed, err)
	}
	from := t.choice
	t.choice, t.spare = t.spare[0], t.spare[1:]
	t.model, s.tries = t.choice.Name, 0
	return t.switched(from, kind)
}

// givenUp is the error of a call that no model answered: that of the only one,
// or what each of them said. It can be tried again as soon as one of them can.
func givenUp(failed []refusal, err error) error {
	if len(failed) == 1 {
		return err
	}
	said, tried := make([]string, len(failed)), make([]string, len(failed))
	for i, f := range failed {
		tried[i] = f.model.String()
		said[i] = tried[i] + ": " + f.err.Message
	}
	return &openclaw.Error{
		Code: openclaw.CodeModelUnavailable, Message: "no model could answer. " + strings.Join(said, "; "),
		RetryAfter: soonest(failed), Err: err,
		Details: map[string]any{openclaw.DetailKind: openclaw.FailureOf(err), "tried": tried},
	}
}

func soonest(failed []refusal) (after time.Duration) {
	for _, f := range failed {
		if d := f.err.RetryAfter; d > 0 && (after == 0 || d < after) {
			after = d
		}
	}
	return after
}
