package session

import (
	"context"
	"slices"

	openclaw "github.com/openclaw/openclaw-go"
)

// watcher is a subscriber and how far it is.
type watcher struct {
	sub  Subscriber
	live bool // it has seen everything up to now; else it replays the past
	end  context.CancelCauseFunc
}

// Follow shows sub every event of the session after the one numbered after
// (negative: from now on), then whatever happens, with no gap and no repeat.
// began is called first, with the number of the newest event. Follow itself
// does not wait, so that what is submitted after it is seen; the function it
// returns, which is to be called once, blocks while it replays the past, and
// returns nil when sub has caught up and is live. It fails, and the
// subscription is over, when after lies beyond the end of the log, when ctx
// ends, when sub refuses a replayed event, on Unfollow and when the session is
// deleted. Once live, Unfollow ends it. A subscriber follows a session once.
func (h *Hub) Follow(ctx context.Context, name string, after int64, sub Subscriber, began func(lastSeq int64)) (catchUp func() error) {
	ctx, end := context.WithCancelCause(ctx)
	first := watcher{sub: sub, end: end}
	attached := ask(ctx, h, name, func(s *session) (int64, error) {
		return s.watch(ctx, first, after, began)
	})
	return func() error {
		err := h.catchUp(ctx, name, after, sub, attached)
		if err == nil {
			return nil
		}
		end(err)
		h.Unfollow(name, sub)
		return context.Cause(ctx) // says why, where the store only says that ctx ended
	}
}

// catchUp replays until a subscriber that has been attached is live.
func (h *Hub) catchUp(ctx context.Context, name string, after int64, sub Subscriber, attached func() (int64, error)) error {
	for {
		last, err := attached()
		if err != nil || after < 0 || last == after {
			return err
		}
		if after, err = h.replay(ctx, name, after, last, sub); err != nil {
			return err
		}
		attached = ask(ctx, h, name, func(s *session) (int64, error) { return s.caughtUp(ctx, sub, after) })
	}
}

// watch adds a subscriber; it is live at once if there is no past to replay.
func (s *session) watch(ctx context.Context, w watcher, after int64, began func(int64)) (int64, error) {
	if ctx.Err() != nil { // its caller may have unfollowed already
		return 0, context.Cause(ctx)
	}
	if err := s.load(); err != nil {
		return 0, err
	}
	if after > s.lastSeq {
		return 0, &openclaw.Error{
			Code:    openclaw.CodeInvalidMessage,
			Message: "after_seq lies beyond the end of the session, which has been deleted or restored since; subscribe again from 0",
			Details: map[string]any{"last_seq": s.lastSeq},
		}
	}
	began(s.lastSeq)
	w.live = after < 0 || after == s.lastSeq
	s.watchers = append(s.watchers, w)
	return s.lastSeq, nil
}

// caughtUp makes a subscriber live if it has seen everything up to now.
func (s *session) caughtUp(ctx context.Context, sub Subscriber, after int64) (int64, error) {
	if ctx.Err() != nil { // unfollowed, or the session was deleted
		return 0, context.Cause(ctx)
	}
	if err := s.load(); err != nil {
		return 0, err
	}
	for i := range s.watchers {
		if s.watchers[i].sub == sub {
			s.watchers[i].live = after == s.lastSeq
		}
	}
	return s.lastSeq, nil
}

// replay shows sub the stored events after < seq <= last and returns the last
// one's number.
func (h *Hub) replay(ctx context.Context, name string, after, last int64, sub Subscriber) (int64, error) {
	for after < last {
		page, err := h.config.Store.Events(ctx, name, openclaw.EventRange{After: after, Before: last + 1, Limit: pageSize, Bytes: pageBytes})
		if err != nil {
			return after, err
		}
		if len(page) == 0 { // the session was deleted meanwhile
			return after, notFound(name)
		}
		for _, ev := range page {
			if ctx.Err() != nil {
				return after, context.Cause(ctx)
			}
			if err := sub.Replay(&Delivery{Event: ev}); err != nil {
				return after, err
			}
			after = ev.Seq
		}
	}
	return after, nil
}

// errUnfollowed ends the replay of a subscriber that unfollows.
var errUnfollowed = &openclaw.Error{Code: openclaw.CodeCancelled, Message: "the subscription was ended"}

// Unfollow ends what Follow began. It does not wait; a delivery under way may
// still arrive.
func (h *Hub) Unfollow(name string, sub Subscriber) {
	h.mu.Lock()
	s := h.sessions[name]
	h.mu.Unlock()
	if s == nil {
		return
	}
	_ = s.mail.post(func() { // a session that has ended has no subscribers
		s.watchers = slices.DeleteFunc(s.watchers, func(w watcher) bool {
			if w.sub != sub {
				return false
			}
			w.end(errUnfollowed)
			return true
		})
	})
}

// unwatch ends all subscriptions and returns them.
func (s *session) unwatch(why error) []watcher {
	ended := s.watchers
	s.watchers = nil
	for _, w := range ended {
		w.end(why)
	}
	return ended
}

// publish hands an event to every subscriber.
func (s *session) publish(ev openclaw.Event) {
	if len(s.watchers) == 0 {
		return
	}
	d := &Delivery{Event: ev}
	for _, w := range s.watchers {
		if w.live {
			w.sub.Live(d)
		}
	}
}

// historyBytes bounds a page of the history: many clients take no message over
// 1 MiB unless they are told to.
const historyBytes = 768 << 10

// History returns the last events before the given number (0: the end), oldest
// first, and whether there are older ones: limit of them, or fewer where those
// are large. It fails with SESSION_NOT_FOUND.
func (h *Hub) History(ctx context.Context, name string, before int64, limit int) (events []openclaw.Event, info openclaw.SessionInfo, more bool, err error) {
	if info, err = h.config.Store.Session(ctx, name); err != nil {
		return nil, info, false, err
	}
	r := openclaw.EventRange{Before: before, Limit: limit, Bytes: historyBytes, Newest: true}
	if events, err = h.config.Store.Events(ctx, name, r); err != nil {
		return nil, info, false, err
	}
	return events, info, len(events) > 0 && events[0].Seq > 1, nil
}

// List lists sessions, the newest first; see Catalog.Sessions.
func (h *Hub) List(ctx context.Context, after string, limit int) ([]openclaw.SessionInfo, string, error) {
	return h.config.Store.Sessions(ctx, after, limit)
}
