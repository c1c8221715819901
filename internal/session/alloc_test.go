//go:build !race

package session_test

import (
	"context"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
	"github.com/openclaw/openclaw-go/internal/session"
)

// TestTurnAllocations bounds what a text turn allocates, from its submission
// to its outcome, over a store in memory; and what a thousand subscribers add
// to it. The bounds leave a fifth for a newer compiler. The race detector
// allocates on its own account, so this test is not built with it.
func TestTurnAllocations(t *testing.T) {
	a, err := agent.New(agent.Config{Models: always{scripted.Forever(scripted.Step{Text: "hello"})}})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := session.NewHub(session.Config{Store: newMemory(), Agent: func() *agent.Agent { return a }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Drain(context.Background()) })
	done := make(signal, 1)
	request := session.Request{Session: "main", ID: "x", Observer: done,
		Started: openclaw.TurnStarted{Text: "hi", Options: openclaw.TurnOptions{Fresh: true}}}
	check := func(what string, most float64) {
		t.Helper()
		got := testing.AllocsPerRun(100, func() {
			hub.Submit(request)
			if o := <-done; o.Err != nil {
				t.Fatal(o.Err)
			}
		})
		if got > most {
			t.Errorf("%s allocates %v times, want at most %v", what, got, most)
		}
	}
	check("a turn", 78)
	subs := make([]null, 1000)
	for i := range subs {
		if err := hub.Follow(t.Context(), "main", -1, &subs[i], func(int64) {})(); err != nil {
			t.Fatal(err)
		}
	}
	check("a turn that a thousand watch", 85)
}
