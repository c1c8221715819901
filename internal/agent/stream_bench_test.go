package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/budget"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// BenchmarkDelta measures what a turn adds to each piece of streamed text, with
// a budget in force: in an answer that arrives at once, and in one that goes on
// after a break, whose text is compared with what was shown.
func BenchmarkDelta(b *testing.B) {
	const deltas = 1000
	words := slices.Repeat([]string{"token "}, deltas)
	bounded := budget.New(budget.Options{Terms: budget.Terms{
		Limits: budget.Limits{DailyUSD: 1e5, DailyTokens: 1e12},
		Price:  func(string, string) (budget.Price, bool) { return budget.Price{Input: 1, Output: 1}, true },
	}})
	for name, steps := range map[string][]scripted.Step{
		"whole":  {{Deltas: words}},
		"broken": {cut("It was ", "a dark and stormy night. "), {Deltas: words}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a := newAgent(b, scripted.New(steps...), func(c *agent.Config) { c.Budget, c.Retry.First = bounded, 1 })
				if o := run(b.Context(), a, asked("go")); o.err != nil {
					b.Fatal(o.err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/deltas, "ns/delta")
		})
	}
}

// BenchmarkReserve measures what the budget adds to a model call, by the
// length of the conversation: the worst case is found anew each time.
func BenchmarkReserve(b *testing.B) {
	for _, events := range []int{10, 10_000} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			var past agent.Transcript
			for i := range events / 2 {
				past.Add(openclaw.Event{Body: asked(strings.Repeat("question ", 10))})
				past.Add(openclaw.Event{Body: openclaw.TextWritten{Text: strings.Repeat("answer ", 20), Step: openclaw.Step{N: i + 1}}})
			}
			a := newAgent(b, scripted.Forever(scripted.Step{}), nil)
			b.ReportAllocs()
			for b.Loop() {
				copied := past
				for _, err := range a.Run(b.Context(), agent.Turn{Session: "main", Started: asked("go"), Transcript: &copied}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
