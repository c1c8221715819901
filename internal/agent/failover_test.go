package agent_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// fails is a step that ends with a failure of a kind.
func fails(kind string) scripted.Step { return scripted.Step{Err: failed(kind, 0)} }

func failed(kind string, after time.Duration) *openclaw.Error {
	code := openclaw.CodeModelUnavailable
	switch kind {
	case openclaw.FailureBadRequest, openclaw.FailureFilter:
		code = openclaw.CodeModelError
	case openclaw.FailureOverflow:
		code = openclaw.CodeContextOverflow
	}
	return &openclaw.Error{
		Code: code, Message: "it said " + kind, RetryAfter: after, Details: map[string]any{openclaw.DetailKind: kind},
	}
}

// withSpare makes an agent whose chosen model has one fallback.
func withSpare(t *testing.T, first, second openclaw.Model, change func(*agent.Config)) *agent.Agent {
	t.Helper()
	return newAgent(t, first, func(c *agent.Config) {
		c.Fallback = []agent.Choice{{Provider: "spare", Name: "s", Model: second}}
		c.Chance = func() float64 { return 0.5 }
		if change != nil {
			change(c)
		}
	}, echo())
}

func TestRetries(t *testing.T) {
	for name, tt := range map[string]struct {
		steps []scripted.Step
		want  []string
		took  time.Duration
	}{
		"two failures": {
			steps: []scripted.Step{fails(openclaw.FailureOverloaded), fails(openclaw.FailureNetwork), {Text: "ok"}},
			want:  []string{"delta ok", "text/1 ok", "completed ok"}, took: 750*time.Millisecond + 1500*time.Millisecond},
		"as the API asked": {
			steps: []scripted.Step{{Err: failed(openclaw.FailureRateLimited, 20*time.Second)}, {Text: "ok"}},
			want:  []string{"delta ok", "text/1 ok", "completed ok"}, took: 20 * time.Second},
		"longer than anybody waits": {
			steps: []scripted.Step{{Err: failed(openclaw.FailureRateLimited, time.Hour)}},
			want:  []string{"error MODEL_UNAVAILABLE"}},
		"for good": {
			steps: slices.Repeat([]scripted.Step{fails(openclaw.FailureOverloaded)}, 4),
			want:  []string{"error MODEL_UNAVAILABLE"}, took: 750*time.Millisecond + 1500*time.Millisecond + 3*time.Second},
		"silence":           {steps: slices.Repeat([]scripted.Step{fails(openclaw.FailureTimeout)}, 2), want: []string{"error MODEL_UNAVAILABLE"}, took: 750 * time.Millisecond},
		"no key":            {steps: []scripted.Step{fails(openclaw.FailureAuth)}, want: []string{"error MODEL_UNAVAILABLE"}},
		"bad request":       {steps: []scripted.Step{fails(openclaw.FailureBadRequest)}, want: []string{"error MODEL_ERROR"}},
		"too long":          {steps: []scripted.Step{fails(openclaw.FailureOverflow)}, want: []string{"error CONTEXT_OVERFLOW"}},
		"filtered":          {steps: []scripted.Step{fails(openclaw.FailureFilter)}, want: []string{"error MODEL_ERROR"}},
		"a fault of no API": {steps: []scripted.Step{{Err: errors.New("odd")}}, want: []string{"error INTERNAL"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := scripted.New(tt.steps...)
				began := time.Now()
				o := run(t.Context(), newAgent(t, m, func(c *agent.Config) { c.Chance = func() float64 { return 0.5 } }), asked("go"))
				wantEqual(t, "events", tt.want, o.lines())
				wantEqual(t, "time", tt.took, time.Since(began))
				wantEqual(t, "calls", len(tt.steps), m.Calls())
			})
		})
	}
}

func TestFailover(t *testing.T) {
	for kind, tt := range map[string]struct {
		calls int // of the chosen model
		took  time.Duration
		fails bool
	}{
		openclaw.FailureAuth:        {calls: 1},
		openclaw.FailureRateLimited: {calls: 1},
		openclaw.FailureTimeout:     {calls: 1},
		openclaw.FailureOverloaded:  {calls: 2, took: 750 * time.Millisecond},
		openclaw.FailureNetwork:     {calls: 2, took: 750 * time.Millisecond},
		openclaw.FailureCutStream:   {calls: 2, took: 750 * time.Millisecond},
		openclaw.FailureBadRequest:  {calls: 1, fails: true},
		openclaw.FailureOverflow:    {calls: 1, fails: true},
		openclaw.FailureFilter:      {calls: 1, fails: true},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := scripted.Forever(fails(kind)), scripted.New(scripted.Step{Text: "hello", Model: "s-2026"})
				began := time.Now()
				o := run(t.Context(), withSpare(t, first, second, nil), asked("go"))
				want := []string{"switched test/default spare/s " + kind, "delta hello", "text/1 hello", "completed hello"}
				if tt.fails {
					want = []string{"error " + string(failed(kind, 0).Code)}
				} else if done := o.events[len(o.events)-1].Body.(openclaw.TurnCompleted); done.Model != "s-2026" {
					t.Errorf("answered by %q", done.Model)
				}
				wantEqual(t, "events", want, o.lines())
				wantEqual(t, "calls of the chosen model", tt.calls, first.Calls())
				wantEqual(t, "time", tt.took, time.Since(began))
			})
		})
	}
}

// A model that was asked for by name and is not there is not replaced; a
// configured one is.
func TestUnknownModel(t *testing.T) {
	unknown := scripted.Step{Err: &openclaw.Error{
		Code: openclaw.CodeModelNotFound, Message: "no such model", Details: map[string]any{"kind": "bad_request"},
	}}
	for _, tt := range []struct {
		model string
		want  []string
	}{
		{"", []string{"switched test/default spare/s bad_request", "delta hi", "text/1 hi", "completed hi"}},
		{"mine", []string{"error MODEL_NOT_FOUND"}},
	} {
		started := asked("go")
		started.Options.Model = tt.model
		o := run(t.Context(), withSpare(t, scripted.New(unknown), scripted.New(scripted.Step{Text: "hi"}), nil), started)
		wantEqual(t, "events", tt.want, o.lines())
	}
}

func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := scripted.Forever(scripted.Step{Err: failed(openclaw.FailureRateLimited, time.Minute)})
		second := scripted.Forever(scripted.Step{Err: failed(openclaw.FailureOverloaded, 2*time.Minute)})
		o := run(t.Context(), withSpare(t, first, second, nil), asked("go"))
		wantEqual(t, "events", []string{"switched test/default spare/s rate_limited", "error MODEL_UNAVAILABLE"}, o.lines())
		e := openclaw.AsError(o.err)
		wantEqual(t, "message", "no model could answer. test/default: it said rate_limited; spare/s: it said overloaded", e.Message)
		wantEqual(t, "retry after", time.Minute, e.RetryAfter)
	})
}

// A model that has failed is passed over until it has rested, by every agent
// that shares the memory, and is tried all the same where no other answers.
func TestCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, both := true, false
		first := scripted.Func(func(context.Context, *openclaw.Request) scripted.Step {
			if down {
				return fails(openclaw.FailureAuth)
			}
			return scripted.Step{Text: "first"}
		})
		second := scripted.Func(func(context.Context, *openclaw.Request) scripted.Step {
			if both {
				return fails(openclaw.FailureAuth)
			}
			return scripted.Step{Text: "second"}
		})
		shared := agent.NewCooldowns(nil)
		turn := func() string {
			a := withSpare(t, first, second, func(c *agent.Config) { c.Cooldowns = shared })
			lines := run(t.Context(), a, asked("go")).lines()
			return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "delta") || strings.HasPrefix(l, "text") }), ", ")
		}
		wantEqual(t, "fails", "switched test/default spare/s auth, completed second", turn())
		down = false
		wantEqual(t, "rests", "switched test/default spare/s auth, completed second", turn())
		wantEqual(t, "calls while it rests", 1, first.Calls())
		time.Sleep(11 * time.Minute)
		wantEqual(t, "has rested", "completed first", turn())
		down = true
		turn()
		down, both = false, true
		wantEqual(t, "the last resort", "switched test/default spare/s auth, switched spare/s test/default auth, completed first", turn())
		both, down = false, true
		turn()
		shared.Clear()
		down = false
		wantEqual(t, "cleared", "completed first", turn())
	})
}

func TestCancelWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		m := scripted.Forever(scripted.Step{Err: failed(openclaw.FailureRateLimited, 25*time.Second)})
		began := time.Now()
		time.AfterFunc(5*time.Second, func() { cancel(stop) })
		o := run(ctx, newAgent(t, m, nil), asked("go"))
		if !errors.Is(o.err, stop) || time.Since(began) != 5*time.Second || m.Calls() != 1 {
			t.Errorf("%v after %v and %d calls", o.err, time.Since(began), m.Calls())
		}
	})
}

// A wait that the turn would not survive is not begun: its sender hears now
// what is wrong.
func TestNoTimeToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		o := run(ctx, newAgent(t, scripted.Forever(scripted.Step{Err: failed(openclaw.FailureRateLimited, 25*time.Second)}), nil), asked("go"))
		e := openclaw.AsError(o.err)
		if e.Code != openclaw.CodeModelUnavailable || e.RetryAfter != 25*time.Second || time.Since(began) != 0 {
			t.Errorf("%v, retry after %v, after %v", o.err, e.RetryAfter, time.Since(began))
		}
	})
}

// A turn that goes on with another model stays with it, and comes back to the
// first if that one fails.
func TestFailoverInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := scripted.New(
			scripted.Step{Text: "a", Calls: []openclaw.Call{call("echo", `{"n":1}`)}},
			fails(openclaw.FailureAuth),
			scripted.Step{Text: "d"},
		)
		second := scripted.New(
			scripted.Step{Text: "b", Calls: []openclaw.Call{call("echo", `{"n":2}`)}},
			scripted.Step{Text: "c", Calls: []openclaw.Call{call("echo", `{"n":3}`)}},
			fails(openclaw.FailureAuth),
		)
		o := run(t.Context(), withSpare(t, first, second, nil), asked("go"))
		wantEqual(t, "events", []string{
			"delta a", "text/1 a", `call/1 echo {"n":1}`, `result echo 0 {"n":1}`, "switched test/default spare/s auth",
			"delta b", "text/2 b", `call/2 echo {"n":2}`, `result echo 0 {"n":2}`,
			"delta c", "text/3 c", `call/3 echo {"n":3}`, `result echo 0 {"n":3}`, "switched spare/s test/default auth",
			"delta d", "text/4 d", "completed d",
		}, o.lines())
		checkWellFormed(t, o.transcript.Messages())
	})
}
