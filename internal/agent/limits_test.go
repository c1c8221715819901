package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

func TestCompletion(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := func() time.Time { now = now.Add(time.Second); return now }
	a := newAgent(t, scripted.New(
		scripted.Step{Text: "two things", Calls: []openclaw.Call{call("echo", `{"n":1}`), call("echo", `{"n":2}`)},
			Usage: openclaw.Usage{Input: 10, Output: 1, CostUSD: 0.5}},
		scripted.Step{Text: "done", Usage: openclaw.Usage{Input: 20, Output: 2, CacheRead: 10}, Model: "other"},
	), func(c *agent.Config) { c.Now = clock }, echo())
	o := run(t.Context(), a, asked("go"))
	sum := openclaw.Usage{Input: 30, Output: 3, CacheRead: 10, CostUSD: 0.5}
	last := o.events[len(o.events)-1]
	elapsed := last.Time.Sub(time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)) - time.Second
	wantEqual(t, "end", openclaw.Body(openclaw.TurnCompleted{
		Text: "done", Usage: sum, Model: "other", DurationMS: elapsed.Milliseconds(),
	}), last.Body)
	wantEqual(t, "used", sum, o.used)
	var steps []openclaw.Usage // on the first event of each step
	pay := func(s openclaw.Step) {
		if s.Usage != nil {
			steps = append(steps, *s.Usage)
		}
	}
	for _, ev := range o.events {
		switch b := ev.Body.(type) {
		case openclaw.TextWritten:
			pay(b.Step)
		case openclaw.ToolCalled:
			pay(b.Step)
		}
	}
	wantEqual(t, "usage of the steps", []openclaw.Usage{
		{Input: 10, Output: 1, CostUSD: 0.5}, {Input: 20, Output: 2, CacheRead: 10},
	}, steps)
}

// The usage is known however the turn ends.
func TestUsageOfFailures(t *testing.T) {
	spent := openclaw.Usage{Input: 1000}
	for name, steps := range map[string][]scripted.Step{
		"refused":        {{Stop: openclaw.StopFilter, Usage: spent}},
		"then a failure": {{Calls: []openclaw.Call{call("echo", `{}`)}, Usage: spent}},
	} {
		if o := run(t.Context(), newAgent(t, scripted.New(steps...), nil, echo()), asked("go")); o.err == nil || o.used != spent {
			t.Errorf("%s: used %+v, error %v; want %+v and an error", name, o.used, o.err, spent)
		}
	}
}

// A turn that was given so many tokens ends when they are used.
func TestTurnTokens(t *testing.T) {
	spend := scripted.Forever(scripted.Step{
		Calls: []openclaw.Call{call("echo", `{}`)}, Usage: openclaw.Usage{Input: 10},
	})
	started := asked("go")
	started.Options.TurnTokens = 15
	o := run(t.Context(), newAgent(t, spend, nil, echo()), started)
	if openclaw.CodeOf(o.err) != openclaw.CodeBudgetExceeded || o.used.Input != 20 {
		t.Errorf("used %+v, then %v", o.used, o.err)
	}
}

func TestLimits(t *testing.T) {
	same := scripted.Forever(scripted.Step{Calls: []openclaw.Call{{Tool: "echo", Args: json.RawMessage(`{}`)}}})
	n := 0
	counter := named("count", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
		n++
		return &openclaw.Result{Output: fmt.Sprint(n)}, nil
	})
	count := scripted.Forever(scripted.Step{Calls: []openclaw.Call{{Tool: "count"}}})
	for name, tt := range map[string]struct {
		model  *scripted.Model
		limits agent.Limits
		want   openclaw.Code
		calls  int
	}{
		"repeats by default":     {same, agent.Limits{}, openclaw.CodeLoopDetected, 3},
		"repeats":                {same, agent.Limits{Repeats: 5}, openclaw.CodeLoopDetected, 5},
		"model calls by default": {count, agent.Limits{}, openclaw.CodeTurnLimit, 50},
		"model calls":            {count, agent.Limits{ModelCalls: 4}, openclaw.CodeTurnLimit, 4},
	} {
		before := tt.model.Calls()
		o := run(t.Context(), newAgent(t, tt.model, func(c *agent.Config) { c.Limits = tt.limits }, echo(), counter), asked("go"))
		if got := openclaw.CodeOf(o.err); got != tt.want {
			t.Errorf("%s: %v, want %s", name, o.err, tt.want)
		}
		if got := tt.model.Calls() - before; got != tt.calls {
			t.Errorf("%s: %d model calls, want %d", name, got, tt.calls)
		}
		checkWellFormed(t, o.transcript.Messages())
	}
}

// An empty text says nothing, unless it carries what the API wants back.
func TestEmptyTextParts(t *testing.T) {
	parts := []openclaw.Part{
		{Kind: openclaw.PartText},
		{Kind: openclaw.PartText, Opaque: json.RawMessage(`"signature"`), Provider: "p"},
		{Kind: openclaw.PartText, Text: "hi"},
	}
	m := streamOnly(func(yield func(openclaw.ModelEvent, error) bool) {
		for i := range parts {
			yield(openclaw.ModelEvent{Part: &parts[i]}, nil)
		}
		yield(openclaw.ModelEvent{Stop: openclaw.StopEnd}, nil)
	})
	o := run(t.Context(), newAgent(t, m, nil), asked("go"))
	wantEqual(t, "parts", parts[1:], o.transcript.Messages()[1].Parts)
	wantEqual(t, "events", []string{"text/1 ", "text/1 hi", "completed hi"}, o.lines())
}
