package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// turn is one request from its arrival to its outcome. While it runs, run's
// goroutine owns transcript and what follows it (and lends stored to commit,
// for which it waits); everything else belongs to the
// session's goroutine.
type turn struct {
	id      string
	started openclaw.TurnStarted
	opening openclaw.Event // its turn_started, from when it begins on
	// askers are who waits for the outcome: the one whose request began the
	// turn, who sees its events too, and after it those who asked again with
	// the same idempotency key.
	askers []asker

	resumed  bool                    // the log has its beginning
	past     []openclaw.Event        // what else the log has of it
	cancel   context.CancelCauseFunc // nil: it never ran
	stopped  *openclaw.Error         // somebody cancelled it while it ran
	stoppers []func(error)           // tell who did that, when its end is stored or cannot be
	lost     error                   // why its end is not in the log
	unstored error                   // why turn_started is not in the log; then nothing else may be
	ended    bool                    // its last event has been stored
	outcome  Outcome

	transcript *agent.Transcript
	held       []openclaw.Event // texts, stored together with what follows them
	unshown    chan struct{}    // a token for each delta that waits to be shown
	stored     int64            // the number of the newest event in the log, or what would be its number
	used       openclaw.Usage
	asks       questioner        // belongs to the turn, so that a turn allocates no other
	due        []openclaw.Charge // what no event has carried yet
	unlogged   []openclaw.Charge // what events carried that are never stored
}

// asker is one request that waits for a turn.
type asker struct {
	id       string
	observer Observer // nil: nobody who is still there
}

// ephemeral turns leave nothing in the log.
func (t *turn) ephemeral() bool { return t.started.Options.NoMemory }

// alone turns see nothing of the conversation before them.
func (t *turn) alone() bool { return t.ephemeral() || t.started.Options.Fresh }

// heartbeat says whether nobody waits for the turn.
func (t *turn) heartbeat() bool { return t.started.Source == openclaw.SourceHeartbeat }

// refuse answers a turn that did not run.
func (t *turn) refuse(err *openclaw.Error) {
	t.outcome.Err = err
	t.settle()
}

// settle tells everybody who waits how the turn ended.
func (t *turn) settle() {
	for _, a := range t.askers {
		if a.observer != nil {
			o := t.outcome
			o.RequestID = a.id
			a.observer.Done(o)
		}
	}
}

// show lets whoever began the turn see an event of it.
func (t *turn) show(ev openclaw.Event) {
	if o := t.askers[0].observer; o != nil {
		o.Event(&Delivery{Event: ev})
	}
}

// run starts the turn's goroutine.
func (s *session) run(t *turn) {
	a := s.hub.config.Agent()
	limit := a.Limits().Duration
	if own := t.started.Options.Timeout; own > 0 {
		limit = min(limit, own)
	}
	ctx, cancel := context.WithCancelCause(s.hub.life)
	ctx, stop := context.WithTimeoutCause(ctx, limit, &openclaw.Error{
		Code:    openclaw.CodeTimeout,
		Message: fmt.Sprintf("the turn took longer than %s; ask for less at once or raise session.limits.duration", limit),
	})
	s.running, t.cancel, t.unshown = t, cancel, make(chan struct{}, maxUnshown)
	s.hub.active.Add(1)
	s.hub.wg.Go(func() {
		defer cancel(nil)
		defer stop()
		err := s.perform(ctx, a, t)
		s.charge(t, err)
		// The session cannot have ended: it has a running turn.
		_ = s.mail.post(func() { s.conclude(t, err) })
	})
}

// perform pulls the turn's events and has each one stored and shown before it
// pulls the next.
func (s *session) perform(ctx context.Context, a *agent.Agent, t *turn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	t.asks = questioner{s, t}
	in := agent.Turn{
		Session: s.name, Started: t.started, Transcript: t.transcript, Past: t.past,
		Stored: &t.stored, Used: &t.used, Due: &t.due, Asker: &t.asks,
	}
	for ev, err := range a.Run(ctx, in) {
		if err != nil {
			return err
		}
		if t.ephemeral() {
			t.unlogged = append(t.unlogged, openclaw.Charges(ev.Body)...)
		}
		switch ev.Kind() {
		case openclaw.KindDelta:
			t.unshown <- struct{}{}
			// The session cannot have ended: it has a running turn.
			_ = s.mail.post(func() { s.live(t, ev) })
		case openclaw.KindText:
			t.held = append(t.held, ev)
		default:
			if err := s.record(t, ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxUnshown is how far the model may be ahead of the session's goroutine, in
// deltas: a disk that takes its time must not fill the memory.
const maxUnshown = 64

// charge writes down what the turn used and its log will not say: all of it,
// if it leaves nothing, and what came since the last event that was stored, if
// the gateway stops before the turn ends. A turn by itself leaves out what its
// compactions cost.
func (s *session) charge(t *turn, err error) {
	name := s.name
	switch {
	case t.ephemeral():
		name, t.unlogged = "", append(t.unlogged, t.due...)
	case errors.Is(err, errStop):
		for _, ev := range t.held {
			t.unlogged = append(t.unlogged, openclaw.Charges(ev.Body)...)
		}
		t.unlogged = append(t.unlogged, t.due...)
	}
	charges := t.unlogged
	if len(charges) == 0 {
		return
	}
	if err := s.hub.config.Store.Charge(context.Background(), name, s.hub.now(), charges); err != nil {
		s.hub.config.Logger.Error("usage could not be stored", "session", s.name, "turn", t.id, "err", err)
	}
}

// live shows an event that is never stored.
func (s *session) live(t *turn, ev openclaw.Event) {
	<-t.unshown
	if t.unstored != nil {
		return
	}
	ev.Session, ev.RequestID = s.name, t.id
	t.show(ev)
	if !t.ephemeral() {
		s.publish(ev)
	}
}

// record hands an event, and the texts before it, to the session's goroutine
// and waits until they are stored and shown.
func (s *session) record(t *turn, ev openclaw.Event) error {
	events := append(t.held, ev)
	t.held = nil
	done := make(chan error, 1)
	if err := s.mail.post(func() { done <- s.commit(t, events) }); err != nil {
		return err
	}
	return <-done
}

// commit stores events of a turn and shows them to the requester; append has
// shown them to the subscribers.
func (s *session) commit(t *turn, events []openclaw.Event) error {
	if t.unstored != nil {
		return t.unstored
	}
	last := &events[len(events)-1]
	if b, completes := last.Body.(openclaw.TurnCompleted); completes && t.stopped != nil {
		last.Body = ending(t.stopped, b.Usage, b.Charges) // whoever cancelled it has been told so
	}
	for i := range events {
		events[i].Session, events[i].RequestID = s.name, t.id
	}
	if err := s.keep(t, events); err != nil {
		return err
	}
	t.ended = last.Kind().Ends()
	for _, ev := range events {
		t.outcome.add(ev)
		t.show(ev)
	}
	return nil
}

// keep stores events of a turn, and counts those of a turn that leaves none.
// That a turn by itself was compacted is no concern of the conversation.
func (s *session) keep(t *turn, events []openclaw.Event) error {
	last := len(events) - 1
	kind := events[last].Kind()
	if t.alone() && kind == openclaw.KindCompacted {
		if !t.ephemeral() { // perform has counted it
			t.unlogged = append(t.unlogged, openclaw.Charges(events[last].Body)...)
		}
		events = events[:last]
	}
	number := t.stored + int64(len(events))
	if !t.ephemeral() && len(events) > 0 {
		if err := s.append(events...); err != nil {
			return err
		}
		number = events[len(events)-1].Seq
	}
	// An approval may come when the turn's goroutine does not wait for it.
	if kind != openclaw.KindApprovalRequested && kind != openclaw.KindApprovalResolved && len(events) > 0 {
		t.stored = number
	}
	return nil
}

// conclude gives a turn that ran its one outcome and goes on with the next
// one. err is nil for a turn whose end is stored.
func (s *session) conclude(t *turn, err error) {
	if !t.ended {
		if t.stopped != nil {
			err = t.stopped
		}
		s.end(t, err)
	}
	s.running = nil
	s.hub.active.Add(-1)
	// Only a turn that succeeded leaves a transcript to rely on; after any
	// other the log is read again.
	if t.outcome.Err == nil && !t.alone() {
		s.transcript = t.transcript
	}
	t.settle()
	for _, tell := range t.stoppers {
		tell(t.lost)
	}
	s.next()
}

// brokeOff is the result of a call that was under way when its turn ended.
const brokeOff = "outcome unknown: the turn broke off while it ran"

// end closes a turn that did not complete. A turn ended by the shutdown of the
// gateway stays open in the log, and so resumes.
func (s *session) end(t *turn, err error) {
	if t.unstored != nil {
		s.hub.config.Logger.Error("turn could not be stored", "session", s.name, "turn", t.id, "err", t.unstored)
		t.lost = t.unstored
		if t.stopped == nil {
			err = t.unstored
		}
		t.outcome.Err = openclaw.AsError(err)
		return
	}
	if errors.Is(err, errStop) {
		t.outcome.Err = errStop
		if t.ephemeral() {
			t.outcome.Err = shuttingDown()
		}
		return
	}
	e := openclaw.AsError(err)
	s.logFailure(t, e, err)
	unknown := brokeOff
	if t.cancel == nil {
		unknown = agent.OutcomeUnknown
	}
	events := append(t.held, t.outcome.closing(unknown, ending(e, t.used, t.due))...)
	t.held = nil
	if err := s.commit(t, events); err != nil {
		s.hub.config.Logger.Error("end of turn could not be stored", "session", s.name, "turn", t.id, "err", err)
		t.lost = err
	}
	t.outcome.Err = e
}

// logFailure writes down what the client is not told.
func (s *session) logFailure(t *turn, e *openclaw.Error, err error) {
	if e.Code == openclaw.CodeCancelled {
		return
	}
	level := slog.LevelWarn
	if e.Code == openclaw.CodeInternal {
		level = slog.LevelError
	}
	s.hub.config.Logger.Log(context.Background(), level, "turn failed",
		"session", s.name, "turn", t.id, "code", string(e.Code), "err", err)
}

// ending is the event that says how a turn ended, and what of its cost no other
// event says.
func ending(e *openclaw.Error, used openclaw.Usage, due []openclaw.Charge) openclaw.Body {
	if e.Code == openclaw.CodeCancelled {
		by, _ := e.Details["by"].(string)
		return openclaw.TurnCancelled{By: by, Usage: used, Charges: due}
	}
	return openclaw.TurnFailed{
		Code: e.Code, Message: e.Message, RetryAfterMS: e.RetryAfter.Milliseconds(), Details: e.Details,
		Usage: used, Charges: due,
	}
}
