package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// keyLife is how long an idempotency key is remembered.
const keyLife = 24 * time.Hour

// Request asks for one turn of a conversation.
type Request struct {
	Session  string // a valid session name
	ID       string // the request's ID, shown on the turn's events
	Started  openclaw.TurnStarted
	Observer Observer // may be nil
}

// Submit queues a turn. It never waits: the observer's Done has the outcome,
// whatever it is. A request that repeats an idempotency key shares the outcome
// of the first and sees no events. While the hub drains, Done may be called
// before Submit returns.
func (h *Hub) Submit(r Request) {
	t := &turn{id: r.ID, started: r.Started, askers: []asker{{r.ID, r.Observer}}}
	t.outcome.Session = r.Session
	if err := h.post(r.Session, func(s *session) { s.submit(t) }); err != nil {
		t.refuse(openclaw.AsError(err))
	}
}

func (s *session) submit(t *turn) {
	if s.draining {
		t.refuse(shuttingDown())
		return
	}
	if t.started.IdempotencyKey != "" && s.repeated(t) {
		return
	}
	if most := s.hub.config.MaxQueue(); s.running != nil && len(s.queue) >= most {
		t.refuse(&openclaw.Error{
			Code:       openclaw.CodeSessionBusy,
			Message:    fmt.Sprintf("%d turns are waiting in session %s already; try again when one has finished", most, s.name),
			RetryAfter: time.Second,
		})
		return
	}
	s.enqueue(t)
	s.hub.queued.Add(1)
	s.next()
}

// ByUser is on whose behalf a heartbeat is cancelled that is in the way of
// somebody's turn.
const ByUser = "user"

// enqueue puts the turn behind those that wait already. Heartbeats let
// everybody go first, and one that runs is cancelled.
func (s *session) enqueue(t *turn) {
	if t.heartbeat() {
		s.queue = append(s.queue, t)
		return
	}
	if r := s.running; r != nil && r.heartbeat() && !r.ended && r.stopped == nil {
		r.stopped = cancelled(ByUser)
		r.cancel(r.stopped)
	}
	i := slices.IndexFunc(s.queue, (*turn).heartbeat)
	if i < 0 {
		i = len(s.queue)
	}
	s.queue = slices.Insert(s.queue, i, t)
}

// repeated answers a request whose idempotency key the session has seen: with
// the outcome of the first, or together with it.
func (s *session) repeated(t *turn) bool {
	same := func(first *turn) bool { return first.started.IdempotencyKey == t.started.IdempotencyKey }
	first := s.running
	if first == nil || !same(first) {
		i := slices.IndexFunc(s.queue, same)
		if i < 0 {
			return s.recalled(t)
		}
		first = s.queue[i]
	}
	if first.started.Text != t.started.Text {
		t.refuse(keyReused())
	} else {
		first.askers = append(first.askers, t.askers...)
	}
	return true
}

func keyReused() *openclaw.Error {
	return &openclaw.Error{
		Code:    openclaw.CodeInvalidMessage,
		Message: "this idempotency_key was used with another text in this session; use a new key for a new message",
	}
}

// recalled answers a request whose key the log has.
func (s *session) recalled(t *turn) bool {
	outcome, text, err := s.recall(t.started.IdempotencyKey)
	switch {
	case err != nil:
		s.hub.config.Logger.Error("idempotency key could not be looked up", "session", s.name, "turn", t.id, "err", err)
		t.refuse(openclaw.AsError(err))
	case outcome == nil:
		return false
	case text != t.started.Text:
		t.refuse(keyReused())
	default:
		t.outcome = *outcome
		t.settle()
	}
	return true
}

// recall reads the outcome of the turn with the key from the log; nil if there
// is none.
func (s *session) recall(key string) (*Outcome, string, error) {
	seq, err := s.hub.config.Store.Keyed(context.Background(), s.name, key, s.hub.now().Add(-keyLife))
	if err != nil || seq == 0 {
		return nil, "", err
	}
	events, ended, err := s.turnFrom(seq)
	if err != nil || len(events) == 0 {
		return nil, "", err
	}
	started, _ := events[0].Body.(openclaw.TurnStarted)
	o := Outcome{Session: s.name}
	for _, ev := range events {
		o.add(ev)
	}
	if !ended {
		o.Err = endLost
	}
	return &o, started.Text, nil
}

// resume takes up a turn that the log leaves open.
func (s *session) resume(u openclaw.Unfinished) {
	if s.draining || s.running != nil {
		return // it stays open until the next start; or it is the one that runs
	}
	err := s.load()
	var events []openclaw.Event
	var ended bool
	if err == nil {
		events, ended, err = s.turnFrom(u.Seq)
	}
	log := s.hub.config.Logger
	if err != nil || ended || len(events) == 0 {
		log.Error("turn could not be resumed", "session", s.name, "seq", u.Seq, "err", err)
		return
	}
	t := &turn{id: events[0].RequestID, resumed: true, opening: events[0], past: events[1:], askers: []asker{{id: events[0].RequestID}}}
	t.started, _ = events[0].Body.(openclaw.TurnStarted)
	t.outcome.Session = s.name
	for _, ev := range events {
		t.outcome.add(ev)
	}
	t.used = t.outcome.Usage
	if most := s.hub.config.MaxResumes; u.Resumes > most {
		log.Error("turn given up", "session", s.name, "turn", t.id, "attempts", most)
		s.end(t, &openclaw.Error{
			Code: openclaw.CodeInternal,
			Message: fmt.Sprintf(
				"the gateway stopped %d times while this turn ran, so it was given up; the log has the reason", u.Resumes),
		})
		return
	}
	log.Info("turn resumes", "session", s.name, "turn", t.id, "attempt", u.Resumes)
	s.start(t)
}
