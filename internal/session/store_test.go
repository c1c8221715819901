package session_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// memory is a store that forgets everything with the process, and fails or
// waits where a test asks for it.
type memory struct {
	mu      sync.Mutex
	logs    map[string][]openclaw.Event
	resumes map[string]int
	charged map[string][]openclaw.Charge        // beside the logs
	before  func(events []openclaw.Event) error // called by Append; its error is Append's
	after   func(events []openclaw.Event) error // likewise, when the events are in the log already
	broken  error                               // what every read fails with
	times   int                                 // how many more reads fail; 0: all
}

func newMemory() *memory {
	return &memory{logs: map[string][]openclaw.Event{}, resumes: map[string]int{}}
}

// on sets what happens before and after each append; nil is nothing.
func (m *memory) on(before, after func([]openclaw.Event) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.after = before, after
}

// breakReads lets the next reads fail, all of them if times is 0.
func (m *memory) breakReads(err error, times int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken, m.times = err, times
}

// read is called by each read, under the lock.
func (m *memory) read() error {
	err := m.broken
	if m.times > 0 {
		if m.times--; m.times == 0 {
			m.broken = nil
		}
	}
	return err
}

func (m *memory) Append(_ context.Context, events []openclaw.Event) error {
	m.mu.Lock()
	before, after := m.before, m.after
	m.mu.Unlock()
	if before != nil {
		if err := before(events); err != nil {
			return err
		}
	}
	if err := m.add(events); err != nil || after == nil {
		return err
	}
	return after(events)
}

func (m *memory) add(events []openclaw.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := events[0].Session
	for i, ev := range events {
		if want := int64(len(m.logs[name]) + i + 1); ev.Seq != want || ev.Session != name || ev.Time.IsZero() {
			return fmt.Errorf("seq %d of %q at %v cannot follow %d", ev.Seq, ev.Session, ev.Time, want-1)
		}
	}
	m.logs[name] = append(m.logs[name], events...)
	if slices.ContainsFunc(events, func(ev openclaw.Event) bool { return ev.Kind() == openclaw.KindTurnStarted }) {
		delete(m.resumes, name)
	}
	return nil
}

func (m *memory) Charge(_ context.Context, name string, _ time.Time, charges []openclaw.Charge) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.charged == nil {
		m.charged = map[string][]openclaw.Charge{}
	}
	m.charged[name] = append(m.charged[name], charges...)
	return nil
}

// log returns the events of a session.
func (m *memory) log(name string) []openclaw.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.logs[name])
}

func (m *memory) Events(ctx context.Context, name string, r openclaw.EventRange) ([]openclaw.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(m.read(), ctx.Err()); err != nil {
		return nil, err
	}
	list := m.logs[name]
	if r.Before > 0 {
		list = list[:min(int(r.Before)-1, len(list))]
	}
	list = list[min(int(r.After), len(list)):]
	if r.Limit > 0 && len(list) > r.Limit {
		if r.Newest {
			list = list[len(list)-r.Limit:]
		} else {
			list = list[:r.Limit]
		}
	}
	for r.Bytes > 0 && len(list) > 1 && size(list) > r.Bytes {
		if r.Newest {
			list = list[1:]
		} else {
			list = list[:len(list)-1]
		}
	}
	return slices.Clone(list), nil
}

// size is how large events are, or nearly.
func size(events []openclaw.Event) (n int) {
	for _, ev := range events {
		body, _ := json.Marshal(ev.Body)
		n += len(body)
	}
	return n
}

func (m *memory) Keyed(_ context.Context, name, key string, since time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range slices.Backward(m.logs[name]) {
		b, ok := ev.Body.(openclaw.TurnStarted)
		if ok && b.IdempotencyKey == key && !ev.Time.Before(since) {
			return ev.Seq, m.read()
		}
	}
	return 0, m.read()
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.logs[name]) == 0 {
		return &openclaw.Error{Code: openclaw.CodeSessionNotFound, Message: "no such session"}
	}
	delete(m.logs, name)
	return nil
}

func (m *memory) Session(_ context.Context, name string) (openclaw.SessionInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	info := openclaw.SessionInfo{Name: name, LastSeq: int64(len(m.logs[name]))}
	if err := m.read(); err != nil {
		return info, err
	}
	if info.LastSeq == 0 {
		return info, &openclaw.Error{Code: openclaw.CodeSessionNotFound, Message: "no such session"}
	}
	for _, ev := range m.logs[name] {
		if ev.Kind() == openclaw.KindCompacted {
			info.ContextSeq = ev.Seq
		}
	}
	return info, nil
}

func (m *memory) Sessions(context.Context, string, int) ([]openclaw.SessionInfo, string, error) {
	return nil, "", nil
}

func (m *memory) Unfinished(context.Context) ([]openclaw.Unfinished, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.read(); err != nil {
		return nil, err
	}
	var list []openclaw.Unfinished
	for name, log := range m.logs {
		var open int64
		for _, ev := range log {
			switch {
			case ev.Kind() == openclaw.KindTurnStarted:
				open = ev.Seq
			case ev.Kind().Ends():
				open = 0
			}
		}
		if open > 0 {
			m.resumes[name]++
			list = append(list, openclaw.Unfinished{Session: name, Seq: open, Resumes: m.resumes[name]})
		}
	}
	slices.SortFunc(list, func(a, b openclaw.Unfinished) int { return cmp.Compare(a.Session, b.Session) })
	return list, nil
}

// checkLogs checks what must hold of every log, whatever happened: the
// sequence has no gap, turns do not overlap, each turn but the last has one
// end, and every call of an ended turn its one result.
func (m *memory) checkLogs(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, log := range m.logs {
		open := false
		calls := map[string]bool{} // whether each has its result
		for i, ev := range log {
			if ev.Seq != int64(i+1) || ev.Session != name || ev.Time.Location() != time.UTC {
				t.Errorf("%s: event %d is seq %d of %q at %v", name, i+1, ev.Seq, ev.Session, ev.Time)
			}
			if started := ev.Kind() == openclaw.KindTurnStarted; started == open && ev.Kind() != openclaw.KindCompacted {
				t.Errorf("%s: seq %d (%s) stands in the wrong place", name, ev.Seq, ev.Kind())
			}
			switch b := ev.Body.(type) {
			case openclaw.TurnStarted:
				open = true
			case openclaw.ToolCalled:
				calls[b.CallID] = false
			case openclaw.ToolReturned:
				if answered, known := calls[b.CallID]; !known || answered {
					t.Errorf("%s: seq %d is a result nobody waits for", name, ev.Seq)
				}
				calls[b.CallID] = true
			}
			if ev.Kind().Ends() {
				open = false
				for id, answered := range calls {
					if !answered {
						t.Errorf("%s: the turn that ends at seq %d leaves call %s open", name, ev.Seq, id)
					}
				}
				clear(calls)
			}
		}
	}
}

// transcriptOf makes of a log what a model reads.
func transcriptOf(log []openclaw.Event) []openclaw.Message {
	var tr agent.Transcript
	for _, ev := range log {
		tr.Add(ev)
	}
	return tr.Messages()
}
