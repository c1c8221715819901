package session_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	openclaw "github.com/openclaw/openclaw-go"
)

// ledger sums up what the log and the ledger of a session say.
func (m *memory) ledger(name string) (used openclaw.Usage, calls int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	charges := slices.Clone(m.charged[name])
	for _, ev := range m.logs[name] {
		charges = append(charges, openclaw.Charges(ev.Body)...)
	}
	for _, c := range charges {
		used = used.Add(c.Usage)
	}
	return used, len(charges)
}

// However a turn ends, each call of a model is charged once, and where nothing
// is logged it is charged all the same.
func TestCharges(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		calls int
		end   func(r *rig)
	}{
		"answer":    {"hello", 1, nil},
		"tools":     {"use echo echo", 2, nil},
		"failure":   {"fail", 0, nil},
		"panic":     {"use broken", 1, nil},
		"cancelled": {"use wait", 1, func(r *rig) { r.cancel("main", all) }},
		"stopped":   {"use wait", 1, (*rig).stop},
	} {
		for _, noMemory := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, no_memory %v", name, noMemory), func(t *testing.T) {
				inBubble(t, nil, func(r *rig) {
					c := r.submit("main", openclaw.TurnStarted{Text: tt.text, Options: openclaw.TurnOptions{NoMemory: noMemory}})
					synctest.Wait()
					if tt.end != nil {
						tt.end(r)
					}
					c.wait()
					where, other := "main", ""
					if noMemory {
						where, other = other, where
					}
					used, calls := r.store.ledger(where)
					if calls != tt.calls || used.Total() != 11*tt.calls {
						t.Errorf("%d calls, %+v; want %d calls", calls, used, tt.calls)
					}
					if _, calls := r.store.ledger(other); calls != 0 {
						t.Errorf("%d calls are charged to %q", calls, other)
					}
				})
			})
		}
	}
}
