package session

import (
	"context"
	"slices"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// pageSize is how many events are read from the store at once, and pageBytes
// how large they may be together.
const pageSize, pageBytes = 256, 4 << 20

// load reads what must be known before anything can be appended.
func (s *session) load() error {
	if s.loaded {
		return nil
	}
	info, err := s.hub.config.Store.Session(context.Background(), s.name)
	if err != nil && openclaw.CodeOf(err) != openclaw.CodeSessionNotFound {
		return err
	}
	after := max(info.LastSeq-1, 0)
	if len(s.watchers) > 0 { // they have seen everything up to lastSeq
		after = min(after, s.lastSeq)
	}
	newest, err := s.events(openclaw.EventRange{After: after})
	if err != nil {
		return err
	}
	s.open = false
	for _, ev := range newest {
		s.open = !ev.Kind().Ends()
		if ev.Seq > s.lastSeq {
			s.publish(ev)
		}
	}
	s.lastSeq, s.contextSeq = info.LastSeq, info.ContextSeq
	if n := len(newest); n > 0 && newest[n-1].Kind() == openclaw.KindCompacted { // by a reset between turns, or in one
		events, err := s.lastTurn()
		if err != nil {
			return err
		}
		s.open = len(events) > 0 && !slices.ContainsFunc(events, func(ev openclaw.Event) bool { return ev.Kind().Ends() })
	}
	s.loaded = true
	return nil
}

func (s *session) events(r openclaw.EventRange) ([]openclaw.Event, error) {
	return s.hub.config.Store.Events(context.Background(), s.name, r)
}

// append numbers, stores and publishes events. When it returns they are
// durable, and every subscriber has been handed them.
func (s *session) append(events ...openclaw.Event) error {
	known, was := s.loaded, s.lastSeq
	if err := s.load(); err != nil {
		return err
	}
	if !known && s.lastSeq != was && s.running != nil {
		return endLost // the turn does not know what the log has of it
	}
	for i := range events {
		ev := &events[i]
		ev.Session, ev.Seq = s.name, s.lastSeq+int64(i)+1
		if ev.Time.IsZero() {
			ev.Time = s.hub.now()
		}
		ev.Time = ev.Time.UTC()
	}
	// An append outlives the turn that asks for it, and the hub's life: how a
	// turn was cancelled must be stored too.
	err := s.hub.config.Store.Append(context.Background(), events)
	if err != nil && !s.arrived(events) {
		return err
	}
	for _, ev := range events {
		s.lastSeq = ev.Seq
		switch kind := ev.Kind(); {
		case kind == openclaw.KindTurnStarted:
			s.open = true
		case kind.Ends():
			s.open = false
		case kind == openclaw.KindCompacted:
			s.contextSeq = ev.Seq
		}
		s.publish(ev)
	}
	return nil
}

// arrived says whether the log has events although their append failed: what
// got lost may have been the answer. Where that cannot be found out, the log
// is read before it is relied upon again.
func (s *session) arrived(events []openclaw.Event) bool {
	info, err := s.hub.config.Store.Session(context.Background(), s.name)
	switch {
	case err != nil && openclaw.CodeOf(err) != openclaw.CodeSessionNotFound:
	case info.LastSeq == s.lastSeq:
		return false
	case info.LastSeq == events[len(events)-1].Seq:
		return true
	}
	s.loaded, s.transcript = false, nil
	return false
}

// conversation returns the transcript, built from the log if it is not in
// memory.
func (s *session) conversation() (*agent.Transcript, error) {
	if s.transcript != nil {
		return s.transcript, nil
	}
	after, err := s.contextBegin()
	if err != nil {
		return nil, err
	}
	t := &agent.Transcript{}
	for after < s.lastSeq {
		page, err := s.events(openclaw.EventRange{After: after, Limit: pageSize, Bytes: pageBytes})
		if err != nil {
			return nil, err
		}
		for _, ev := range page {
			t.Add(ev)
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Seq
	}
	return t, nil
}

// contextBegin returns the number of the event before those that the model
// sees: a conversation that was compacted begins with those it left.
func (s *session) contextBegin() (after int64, err error) {
	if s.contextSeq == 0 {
		return 0, nil
	}
	newest, err := s.events(openclaw.EventRange{After: s.contextSeq - 1, Limit: 1})
	if err != nil {
		return 0, err
	}
	after = s.contextSeq - 1
	for _, ev := range newest {
		if b, ok := ev.Body.(openclaw.Compacted); ok && b.BeforeSeq > 0 {
			after = min(after, b.BeforeSeq-1)
		}
	}
	return after, nil
}

// turnFrom reads the events of the turn that starts at seq.
func (s *session) turnFrom(seq int64) (events []openclaw.Event, ended bool, err error) {
	for after := seq - 1; ; {
		page, err := s.events(openclaw.EventRange{After: after, Limit: pageSize, Bytes: pageBytes})
		if err != nil || len(page) == 0 {
			return events, false, err
		}
		for _, ev := range page {
			events = append(events, ev)
			after = ev.Seq
			if ev.Kind().Ends() {
				return events, true, nil
			}
		}
	}
}

// lastTurn reads the events from the newest turn_started on.
func (s *session) lastTurn() (events []openclaw.Event, err error) {
	for before := s.lastSeq + 1; before > 1; {
		page, err := s.events(openclaw.EventRange{Before: before, Limit: pageSize, Bytes: pageBytes, Newest: true})
		if err != nil || len(page) == 0 {
			return nil, err
		}
		for i, ev := range slices.Backward(page) {
			if ev.Kind() == openclaw.KindTurnStarted {
				return append(page[i:], events...), nil
			}
		}
		events = append(page, events...)
		before = page[0].Seq
	}
	return nil, nil
}

// closeOpen ends the turn that the log leaves open, if it does: its end could
// not be stored when it came. It runs between turns only.
func (s *session) closeOpen() error {
	if err := s.load(); err != nil || !s.open {
		return err
	}
	events, err := s.lastTurn()
	if err != nil {
		return err
	}
	if len(events) == 0 {
		s.open = false
		return nil
	}
	var o Outcome
	for _, ev := range events {
		o.add(ev)
	}
	s.transcript = nil
	closing := o.closing(brokeOff, openclaw.TurnFailed{
		Code: endLost.Code, Message: endLost.Message, Usage: o.Usage,
	})
	for i := range closing {
		closing[i].RequestID = events[0].RequestID
	}
	return s.append(closing...)
}

// endLost is the outcome of a turn whose end is not in the log.
var endLost = &openclaw.Error{
	Code: openclaw.CodeInternal, Message: "the end of this turn could not be stored; send the message again",
}
