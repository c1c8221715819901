package session_test

import (
	"context"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
	"github.com/openclaw/openclaw-go/internal/session"
)

// always resolves every name to one model.
type always struct{ model openclaw.Model }

func (a always) Resolve(string) (agent.Choice, error) {
	return agent.Choice{Name: "scripted", Model: a.model}, nil
}

// newInstant returns a hub whose model answers at once.
func newInstant(b *testing.B) (*session.Hub, *memory) {
	a, err := agent.New(agent.Config{Models: always{scripted.Forever(scripted.Step{Text: "hello"})}})
	if err != nil {
		b.Fatal(err)
	}
	store := newMemory()
	hub, err := session.NewHub(session.Config{Store: store, Agent: func() *agent.Agent { return a }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hub.Drain(context.Background()) })
	return hub, store
}

// signal is an Observer that only waits.
type signal chan session.Outcome

func (signal) Event(*session.Delivery)  {}
func (s signal) Done(o session.Outcome) { s <- o }

// BenchmarkTurn is what the session and the agent add to a turn. The turns are
// fresh, so that it does not measure a conversation that grows.
func BenchmarkTurn(b *testing.B) {
	hub, store := newInstant(b)
	done := make(signal, 1)
	request := session.Request{Session: "main", ID: "x", Observer: done,
		Started: openclaw.TurnStarted{Text: "hi", Options: openclaw.TurnOptions{Fresh: true}}}
	b.ReportAllocs()
	for b.Loop() {
		hub.Submit(request)
		if o := <-done; o.Err != nil {
			b.Fatal(o.Err)
		}
	}
	b.ReportMetric(float64(len(store.log("main")))/float64(b.N), "events/op")
}

// null is a Subscriber that takes the frame and forgets it.
type null struct{ n int }

func (s *null) Live(d *session.Delivery) {
	s.n += len(d.Frame(func(openclaw.Event) []byte { return []byte("x") }))
}
func (*null) Replay(*session.Delivery) error { return nil }
func (*null) Gone(string, *openclaw.Error)   {}

// BenchmarkPublish is a turn that a thousand subscribers watch: four events
// for each.
func BenchmarkPublish(b *testing.B) {
	hub, _ := newInstant(b)
	subs := make([]null, 1000)
	for i := range subs {
		if err := hub.Follow(b.Context(), "main", -1, &subs[i], func(int64) {})(); err != nil {
			b.Fatal(err)
		}
	}
	done := make(signal, 1)
	request := session.Request{Session: "main", ID: "x", Observer: done,
		Started: openclaw.TurnStarted{Text: "hi", Options: openclaw.TurnOptions{Fresh: true}}}
	b.ReportAllocs()
	for b.Loop() {
		hub.Submit(request)
		<-done
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4000, "ns/delivery")
}
