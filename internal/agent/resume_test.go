package agent_test

import (
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
