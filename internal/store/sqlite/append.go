package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// entry is an event and the JSON form of its body.
type entry struct {
	openclaw.Event
	json string
}

// Append adds events, which belong to one session and continue it without a
// gap, and returns when they are durable, all of them or none. The first event
// of a session creates it. Times are kept to the microsecond.
//
// An append that does not continue its session (its first seq is not the last
// one plus 1) is refused with CodeInternal and leaves nothing; other appends
// that happen to share its commit are not affected.
//
// Append blocks until the disk has the events, or ctx ends. In the second case
// it returns ctx's error and the events may still be added: read the log to
// know. The caller may reuse the slice as soon as Append returns.
func (s *Store) Append(ctx context.Context, events []openclaw.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	entries, size, err := encode(events)
	if err != nil {
		return internal("the event cannot be stored; this is a fault of the gateway, please report it", err)
	}
	return s.write(ctx, size, func(w *writer) error { return w.append(entries) })
}

// encode checks events and writes their bodies as JSON, of size bytes in all.
func encode(events []openclaw.Event) (entries []entry, size int, err error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // smaller, and closer to what a model wrote
	entries = make([]entry, len(events))
	ends := make([]int, len(events))
	for i, e := range events {
		if err := check(e, events[0], i); err != nil {
			return nil, 0, err
		}
		if err := enc.Encode(e.Body); err != nil {
			return nil, 0, fmt.Errorf("%s event: %w", e.Kind(), err)
		}
		entries[i].Event, ends[i] = e, buf.Len()
	}
	text, start := buf.String(), 0
	for i, end := range ends {
		entries[i].json = text[start : end-1] // without the encoder's newline
		start = end
	}
	return entries, len(text), nil
}

// check says whether e can be the i-th event of an append that begins with
// first.
func check(e, first openclaw.Event, i int) error {
	switch e.Body.(type) {
	case openclaw.TurnStarted, openclaw.TextWritten, openclaw.ToolCalled, openclaw.ToolReturned,
		openclaw.ApprovalRequested, openclaw.ApprovalResolved, openclaw.Compacted, openclaw.ModelSwitched,
		openclaw.TurnCompleted, openclaw.TurnFailed, openclaw.TurnCancelled:
	default:
		return fmt.Errorf("a body of type %T is never stored", e.Body)
	}
	switch {
	case e.Session == "":
		return fmt.Errorf("%s event without a session", e.Kind())
	case e.Session != first.Session:
		return fmt.Errorf("one append for two sessions, %q and %q", first.Session, e.Session)
	case e.Seq < 1 || e.Seq != first.Seq+int64(i):
		return fmt.Errorf("seq %d follows %d in one append", e.Seq, first.Seq+int64(i)-1)
	}
	return nil
}

// Delete removes the session and its log. What its turns cost stays in Usage,
// without the session's name.
// It blocks like Append, and in proportion to the length of the log, appends of
// other sessions with it. There being no such session is CodeSessionNotFound.
func (s *Store) Delete(ctx context.Context, session string) error {
	return s.write(ctx, 0, func(w *writer) error { return w.delete(session) })
}

// Unfinished lists the turns that were running when the last process stopped,
// by session name, and counts, durably, that each is picked up once more. A
// caller that sees a high count can give the turn up, since it may be what
// stops the process. It is for the start of a process: call it once.
func (s *Store) Unfinished(ctx context.Context) ([]openclaw.Unfinished, error) {
	// Both sides of the channel may outlive each other, so neither shares the
	// slice: ctx can end this call before the writer comes to it.
	found := make(chan []openclaw.Unfinished, 1)
	err := s.write(ctx, 0, func(w *writer) error {
		list, err := w.resume()
		if err != nil {
			return err
		}
		// The second attempt of a commit replaces the result of the first.
		select {
		case <-found:
		default:
		}
		found <- list
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := <-found
	slices.SortFunc(list, func(a, b openclaw.Unfinished) int {
		return strings.Compare(a.Session, b.Session)
	})
	return list, nil
}

// write hands apply to the writer and waits until what it did is durable.
func (s *Store) write(ctx context.Context, size int, apply func(*writer) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	c := &change{apply: apply, size: size, result: make(chan error, 1)}
	select {
	case s.writer.changes <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
