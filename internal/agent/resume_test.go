package agent_test

import (
	"context"
	"encoding/json"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

func past(bodies ...openclaw.Body) []openclaw.Event {
	var events []openclaw.Event
	for _, b := range bodies {
		events = append(events, openclaw.Event{Session: "main", Body: b})
	}
	return events
}

func called(step int, id, args string) openclaw.ToolCalled {
	return openclaw.ToolCalled{CallID: id, Tool: "echo", Args: json.RawMessage(args),
		Step: openclaw.Step{N: step, Usage: &openclaw.Usage{Input: 10}}}
}

func returned(id, output string) openclaw.ToolReturned {
	return openclaw.ToolReturned{CallID: id, Tool: "echo", Output: output}
}

func wrote(step int, text string) openclaw.TextWritten {
	return openclaw.TextWritten{Text: text, Step: openclaw.Step{N: step}}
}

func TestResume(t *testing.T) {
	unknown := "result echo 1 " + agent.OutcomeUnknown
	for name, tt := range map[string]struct {
		past  []openclaw.Event
		want  []string
		model int // calls of it
		used  int
	}{
		"nothing yet": {nil, []string{"delta on", "text/1 on", "completed on"}, 1, 1},
		"call with result": {past(called(1, "a", `{}`), returned("a", "{}")),
			[]string{"delta on", "text/2 on", "completed on"}, 1, 11},
		"open call": {past(called(1, "a", `{}`)),
			[]string{unknown, "delta on", "text/2 on", "completed on"}, 1, 11},
		"second call open": {past(called(1, "a", `{}`), returned("a", "x"), called(2, "b", `{}`)),
			[]string{unknown, "delta on", "text/3 on", "completed on"}, 1, 21},
		"an id used twice": {past(called(1, "a", `{}`), returned("a", "x"), called(2, "a", `{}`)),
			[]string{unknown, "delta on", "text/3 on", "completed on"}, 1, 21},
		"ends in text": {past(called(1, "a", `{}`), returned("a", "x"), wrote(2, "all "), wrote(2, "done")),
			[]string{"completed all done"}, 0, 10},
		"texts of two steps": {past(wrote(1, "look"), called(1, "a", `{}`), returned("a", "x"), wrote(2, "done")),
			[]string{"completed done"}, 0, 10},
		// The text belongs to the step whose call has been answered: the model
		// has not heard of the result.
		"ends in text beside a call": {past(called(1, "a", `{}`), returned("a", "x"), wrote(1, "wait")),
			[]string{"delta on", "text/2 on", "completed on"}, 1, 11},
		"text, then its open call": {past(wrote(1, "look"), called(1, "a", `{}`)),
			[]string{unknown, "delta on", "text/2 on", "completed on"}, 1, 11},
	} {
		t.Run(name, func(t *testing.T) {
			m := scripted.Forever(scripted.Step{Text: "on", Usage: openclaw.Usage{Output: 1}})
			o := run(t.Context(), newAgent(t, m, nil, echo()), asked("go"), tt.past...)
			wantEqual(t, "events", tt.want, o.lines())
			if m.Calls() != tt.model {
				t.Errorf("%d model calls, want %d", m.Calls(), tt.model)
			}
			if o.used.Total() != tt.used {
				t.Errorf("used %d tokens, want %d", o.used.Total(), tt.used)
			}
			checkWellFormed(t, o.transcript.Messages())
		})
	}
}

// What happened before the stop counts towards the limits.
func TestResumeKeepsLimits(t *testing.T) {
	m := scripted.Forever(scripted.Step{Calls: []openclaw.Call{{Tool: "echo", Args: json.RawMessage(`{}`)}}})
	before := past(called(1, "a", `{}`), returned("a", "{}"), called(2, "b", `{}`), returned("b", "{}"))
	o := run(t.Context(), newAgent(t, m, nil, echo()), asked("go"), before...)
	if openclaw.CodeOf(o.err) != openclaw.CodeLoopDetected || m.Calls() != 1 {
		t.Errorf("error %v after %d model calls, want LOOP_DETECTED after 1", o.err, m.Calls())
	}
	a := newAgent(t, m, func(c *agent.Config) { c.Limits.ModelCalls = 2 }, echo())
	if o := run(t.Context(), a, asked("go"), before...); openclaw.CodeOf(o.err) != openclaw.CodeTurnLimit {
		t.Errorf("error %v, want TURN_LIMIT", o.err)
	}
}

// A call that was open is closed even if the turn cannot go on.
func TestResumeWithoutModel(t *testing.T) {
	started := asked("go")
	started.Options.Model = "unknown/x"
	o := run(t.Context(), newAgent(t, nil, nil, echo()), started, past(called(1, "a", `{}`))...)
	wantEqual(t, "events", []string{"result echo 1 " + agent.OutcomeUnknown, "error MODEL_NOT_FOUND"}, o.lines())
}

// The log says of an open call whether it may have had an effect.
func TestResumeJournal(t *testing.T) {
	requested := openclaw.ApprovalRequested{ApprovalID: "q", CallID: "a", Tool: "echo"}
	resolved := func(decision string) openclaw.ApprovalResolved {
		return openclaw.ApprovalResolved{ApprovalID: "q", Decision: decision}
	}
	const denied, failed = openclaw.ExitDenied, openclaw.ExitFailed
	for name, tt := range map[string]struct {
		past       []openclaw.Event
		repeatable bool
		ran        int
		output     string
		exit       int
		kinds      int // events before the model is asked
	}{
		"not repeatable":           {past(called(1, "a", `{"x":1}`)), false, 0, agent.OutcomeUnknown, failed, 1},
		"repeatable":               {past(called(1, "a", `{"x":1}`)), true, 1, `{"x":1}`, 0, 1},
		"repeatable, with result":  {past(called(1, "a", `{}`), returned("a", "done")), true, 0, "done", 0, 0},
		"question open":            {past(called(1, "a", `{}`), requested), true, 0, "did not run: the gateway stopped before somebody approved it; call again if it is still needed", denied, 2},
		"denied":                   {past(called(1, "a", `{}`), requested, resolved("deny")), true, 0, "denied: it was not approved, and did not run; do without it or tell the user", denied, 1},
		"approved, may have begun": {past(called(1, "a", `{}`), requested, resolved("once")), false, 0, agent.OutcomeUnknown, failed, 1},
		"approved and repeatable":  {past(called(1, "a", `{}`), requested, resolved("always")), true, 1, `{}`, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ran := 0
			spec := openclaw.ToolSpec{Name: "echo", Repeatable: tt.repeatable}
			repeated := tool{spec, func(_ context.Context, call *openclaw.Call) (*openclaw.Result, error) {
				ran++
				return &openclaw.Result{Output: string(call.Args)}, nil
			}}
			o := run(t.Context(), newAgent(t, scripted.Forever(scripted.Step{Text: "on"}), nil, repeated), asked("go"), tt.past...)
			checkWellFormed(t, o.transcript.Messages())
			var result *openclaw.Result
			for _, m := range o.transcript.Messages() {
				for _, p := range m.Parts {
					if p.Result != nil {
						result = p.Result
					}
				}
			}
			if ran != tt.ran || result == nil || result.Output != tt.output || result.ExitCode != tt.exit {
				t.Errorf("ran %d times, the model reads %+v", ran, result)
			}
			before := 0
			for _, ev := range o.events {
				if ev.Kind() == openclaw.KindDelta {
					break
				}
				before++
			}
			if before != tt.kinds {
				t.Errorf("%d events before the model: %v", before, o.lines())
			}
		})
	}
}
