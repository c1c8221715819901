package agent_test

import (
	"context"
	"encoding/json"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// A call knows where the last one left the conversation, from the log.
func TestDirIsKept(t *testing.T) {
	moved := openclaw.ToolReturned{CallID: "a", Tool: "echo", Dir: "/a"}
	for name, tt := range map[string]struct {
		past []openclaw.Body
		want string
	}{
		"nothing yet":  {nil, ""},
		"moved":        {[]openclaw.Body{called(1, "a", `{}`), moved}, "/a"},
		"stayed":       {[]openclaw.Body{called(1, "a", `{}`), moved, called(2, "b", `{}`), returned("b", "")}, "/a"},
		"reset":        {[]openclaw.Body{called(1, "a", `{}`), moved, openclaw.TurnCompleted{}, openclaw.Compacted{BeforeSeq: 9}}, ""},
		"compacted":    {[]openclaw.Body{openclaw.TurnCompleted{}, openclaw.Compacted{Summary: "s", Dir: "/b"}}, "/b"},
		"of a result ": {[]openclaw.Body{called(1, "a", `{}`), moved, openclaw.TurnCompleted{}, openclaw.TurnFailed{}}, "/a"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &agent.Transcript{}
			for _, ev := range past(append([]openclaw.Body{asked("first")}, tt.past...)...) {
				tr.Add(ev)
			}
			var got []string
			spy := tool{openclaw.ToolSpec{Name: "spy"}, func(_ context.Context, call *openclaw.Call) (*openclaw.Result, error) {
				got = append(got, call.Dir)
				return &openclaw.Result{Dir: "/next"}, nil
			}}
			step := scripted.Step{Calls: []openclaw.Call{{Tool: "spy", Args: json.RawMessage(`{}`)}, {Tool: "spy", Args: json.RawMessage(`{"x":1}`)}}}
			a := newAgent(t, scripted.New(step, scripted.Step{Text: "done"}), nil, spy)
			for ev, err := range a.Run(t.Context(), agent.Turn{Session: "main", Started: asked("go"), Transcript: tr}) {
				if b, ok := ev.Body.(openclaw.ToolReturned); err != nil || ok && b.Dir != "/next" {
					t.Errorf("%+v, %v", ev, err)
				}
			}
			if len(got) != 2 || got[0] != tt.want || got[1] != "/next" {
				t.Errorf("calls start in %q, want %q and then /next", got, tt.want)
			}
		})
	}
}
