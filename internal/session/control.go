package session

import (
	"context"
	"slices"

	openclaw "github.com/openclaw/openclaw-go"
)

// Cancel stops the session's turns that match, running or waiting, and calls
// reply with how many there were. A turn is matched by whoever asked for it,
// the first time or again with the same idempotency key; o is nil for a turn
// that nobody waits for any more. by says on whose behalf. Each of the turns
// ends with CANCELLED, the running one as soon as its model call or tool has
// stopped. Only then, and when that end is stored, reply is called: a turn of
// which somebody knows that it is cancelled must not go on after a crash. It
// gets the store's error if the end could not be stored. Cancel never waits;
// reply must not block.
func (h *Hub) Cancel(name, by string, match func(requestID string, o Observer) bool, reply func(n int, err error)) {
	if !h.loaded(name) {
		reply(0, nil)
		return
	}
	err := h.post(name, func(s *session) {
		running := s.running
		n, stops := s.cancel(by, func(a asker) bool { return match(a.id, a.observer) })
		if !stops {
			reply(n, nil)
			return
		}
		running.stoppers = append(running.stoppers, func(err error) { reply(n, err) })
	})
	if err != nil { // no session, no turn
		reply(0, nil)
	}
}

// loaded says whether the session is in memory: only then can it have turns.
func (h *Hub) loaded(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[name] != nil
}

// Active says whether a turn of the session runs or waits.
func (h *Hub) Active(ctx context.Context, name string) (bool, error) {
	if !h.loaded(name) {
		return false, nil
	}
	return ask(ctx, h, name, func(s *session) (bool, error) {
		return s.running != nil || len(s.queue) > 0, nil
	})()
}

// cancel returns how many turns it stops, and whether the running one is among
// them. One that has ended, or is being stopped already, is not.
func (s *session) cancel(by string, match func(asker) bool) (n int, stops bool) {
	if t := s.running; t != nil && !t.ended && t.stopped == nil && slices.ContainsFunc(t.askers, match) {
		t.stopped = cancelled(by)
		t.cancel(t.stopped)
		n, stops = 1, true
	}
	var kept, out []*turn
	for _, t := range s.queue {
		if slices.ContainsFunc(t.askers, match) {
			out = append(out, t)
		} else {
			kept = append(kept, t)
		}
	}
	s.queue = kept
	for _, t := range out {
		s.hub.queued.Add(-1)
		t.refuse(cancelled(by))
	}
	return n + len(out), stops
}

// pause runs f when no turn is running; every turn of the session is
// cancelled first.
func (s *session) pause(by string, f func()) {
	s.cancel(by, func(asker) bool { return true })
	s.pauses = append(s.pauses, f)
	s.next()
}

// Reset starts an empty context for the model and keeps the log. Running and
// waiting turns of the session are cancelled. It never waits: reply gets nil,
// SESSION_NOT_FOUND or the store's error, and must not block.
func (h *Hub) Reset(name string, reply func(error)) {
	h.between(name, "session_reset", reply, (*session).reset)
}

// Delete removes the session and its log. Running and waiting turns are
// cancelled, subscribers are told. It never waits: reply gets nil,
// SESSION_NOT_FOUND or the store's error, and must not block.
func (h *Hub) Delete(name string, reply func(error)) {
	h.between(name, "session_delete", reply, (*session).remove)
}

// between runs f on a session that has a log, when its turns have been
// cancelled and before the next one starts.
func (h *Hub) between(name, by string, reply func(error), f func(*session) error) {
	err := h.post(name, func(s *session) {
		s.pause(by, func() {
			err := s.exists()
			if err == nil {
				err = f(s)
			}
			reply(err)
		})
	})
	if err != nil {
		reply(err)
	}
}

// exists says whether the session has a log.
func (s *session) exists() error {
	if err := s.load(); err != nil {
		return err
	}
	if s.lastSeq == 0 {
		return notFound(s.name)
	}
	return nil
}

func notFound(name string) *openclaw.Error {
	return &openclaw.Error{
		Code:    openclaw.CodeSessionNotFound,
		Message: "there is no session " + name + "; session_list shows those there are",
	}
}

func (s *session) reset() error {
	if err := s.closeOpen(); err != nil {
		return err
	}
	s.transcript = nil
	s.hub.config.Ended(s.name)
	return s.append(openclaw.Event{Body: openclaw.Compacted{BeforeSeq: s.lastSeq + 1}})
}

func (s *session) remove() error {
	if err := s.hub.config.Store.Delete(context.Background(), s.name); err != nil {
		return err
	}
	s.loaded, s.transcript = false, nil
	s.hub.config.Ended(s.name)
	why := notFound(s.name)
	for _, w := range s.unwatch(why) {
		w.sub.Gone(s.name, why)
	}
	return nil
}
