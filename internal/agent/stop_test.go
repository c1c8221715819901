package agent_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

var errWhy = errors.New("somebody said stop")

// blocking waits for the end of its context.
func blocking(partial *openclaw.Result) tool {
	return named("block", func(ctx context.Context, _ *openclaw.Call) (*openclaw.Result, error) {
		<-ctx.Done()
		return partial, ctx.Err()
	})
}

func TestCancelInModel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	m := scripted.New(scripted.Step{Block: func(ctx context.Context) error {
		cancel(errWhy)
		<-ctx.Done()
		return ctx.Err()
	}})
	o := run(ctx, newAgent(t, m, nil), asked("go"))
	if !errors.Is(o.err, errWhy) || len(o.events) != 0 {
		t.Errorf("events %q, error %v; want no event and the cause", o.lines(), o.err)
	}
}

// The result of the call that was cut short is there before the turn ends.
func TestCancelInTool(t *testing.T) {
	for name, tt := range map[string]struct {
		partial *openclaw.Result
		want    string
	}{
		"nothing": {nil, "result block 1 stopped before it finished"},
		"partial": {&openclaw.Result{Output: "so far", ExitCode: 143}, "result block 143 so far"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errWhy) })
				m := scripted.New(scripted.Step{Calls: []openclaw.Call{call("block", `{}`), call("block", `{"second":1}`)}})
				o := run(ctx, newAgent(t, m, nil, blocking(tt.partial)), asked("go"))
				if !errors.Is(o.err, errWhy) {
					t.Errorf("error %v, want the cause", o.err)
				}
				wantEqual(t, "events", []string{"call/1 block {}", tt.want, "error INTERNAL"}, o.lines())
			})
		})
	}
}

// A tool that does not look at its context must not start once the turn has
// been stopped, even if that happens while the tool_call is being stored.
func TestCancelBeforeTool(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	ran := false
	deaf := named("deaf", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
		ran = true
		return nil, nil
	})
	m := scripted.New(scripted.Step{Calls: []openclaw.Call{call("deaf", `{}`)}})
	var got []string
	in := agent.Turn{Session: "main", Started: asked("go"), Transcript: &agent.Transcript{}}
	for ev, err := range newAgent(t, m, nil, deaf).Run(ctx, in) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, line(ev.Body))
		cancel(errWhy)
	}
	wantEqual(t, "events", []string{"call/1 deaf {}", "result deaf 1 stopped before it started", errWhy.Error()}, got)
	if ran {
		t.Error("the tool ran")
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &openclaw.Error{Code: openclaw.CodeTimeout, Message: "too slow"}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, slow)
		defer cancel()
		m := scripted.New(scripted.Step{Calls: []openclaw.Call{call("block", `{}`)}})
		o := run(ctx, newAgent(t, m, nil, blocking(nil)), asked("go"))
		wantEqual(t, "events", []string{"call/1 block {}", "result block 1 stopped before it finished", "error TIMEOUT"}, o.lines())
	})
}

// A model that ends its stream without a word because ctx ended did not break
// off.
func TestQuietModelAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	m := streamOnly(func(func(openclaw.ModelEvent, error) bool) { cancel(errWhy) })
	if o := run(ctx, newAgent(t, m, nil), asked("go")); !errors.Is(o.err, errWhy) {
		t.Errorf("error %v, want the cause", o.err)
	}
}

// Whoever stops pulling gets nothing more, and neither the model nor a tool
// goes on.
func TestStopIterating(t *testing.T) {
	for after := 1; after <= 4; after++ {
		m := scripted.New(
			scripted.Step{Deltas: []string{"x"}, Calls: []openclaw.Call{call("echo", `{}`)}},
			scripted.Step{Text: "done"},
		)
		in := agent.Turn{Session: "main", Started: asked("go"), Transcript: &agent.Transcript{}}
		n := 0
		for _, err := range newAgent(t, m, nil, echo()).Run(t.Context(), in) {
			if err != nil {
				t.Errorf("stopped after %d: error %v", after, err)
			}
			if n++; n == after {
				break
			}
		}
		if m.Calls() != 1 {
			t.Errorf("stopped after %d events: %d model calls", after, m.Calls())
		}
	}
}
