package main

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
)

// actor is a model that gets stuck, or panics, at one phase of a turn. What a
// user asks for is the phase.
type actor struct {
	t       *testing.T
	reached chan string // the phase that has begun
	let     chan struct{}
	panics  bool
}

func (a *actor) Models() []openclaw.ModelInfo { return []openclaw.ModelInfo{{ID: "actor"}} }

// scattered is a command whose processes try to outlive it.
const scattered = `(setsid sleep 300 &); sleep 300 & echo started > started; sleep 300`

func (a *actor) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		a.wellFormed(req.Messages)
		phase, after := asked(req.Messages)
		call := func(command string, needs ...string) {
			args, _ := json.Marshal(map[string]any{"command": command, "needs": needs}) // of strings it cannot fail
			_ = yield(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "c1", Tool: "shell", Args: args}}}, nil) &&
				yield(openclaw.ModelEvent{Stop: openclaw.StopToolCall}, nil)
		}
		switch {
		case phase == "fine" || after && (phase == "tool" || phase == "approval"):
		case phase == "model", phase == "compaction", phase == "after the tool" && after:
			if !a.stuck(ctx, phase, yield) {
				return
			}
		case phase == "text":
			if !yield(openclaw.ModelEvent{Delta: "some "}, nil) || !a.stuck(ctx, phase, yield) {
				return
			}
		case phase == "tool":
			call(scattered)
			return
		case phase == "approval":
			call("echo done", "network")
			return
		case phase == "after the tool":
			call("echo done")
			return
		}
		_ = yield(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartText, Text: "said"}}, nil) &&
			yield(openclaw.ModelEvent{Stop: openclaw.StopEnd}, nil)
	}
}

// stuck waits until it is let go on or the turn ends.
func (a *actor) stuck(ctx context.Context, phase string, yield func(openclaw.ModelEvent, error) bool) bool {
	a.reached <- phase
	if a.panics {
		panic("the model is broken")
	}
	select {
	case <-a.let:
		return true
	case <-ctx.Done():
		yield(openclaw.ModelEvent{}, context.Cause(ctx))
		return false
	}
}

// asked returns what the user wants last, and whether a tool has answered
// since.
func asked(messages []openclaw.Message) (text string, after bool) {
	for _, m := range messages {
		switch m.Role {
		case openclaw.RoleTool:
			after = true
		case openclaw.RoleUser:
			text, after = m.Parts[0].Text, false
		}
	}
	if strings.HasPrefix(text, "# Summary") { // what the agent asks for at /compact
		text = "compaction"
	}
	return text, after
}

// wellFormed fails unless each tool call has its result right after it.
func (a *actor) wellFormed(messages []openclaw.Message) {
	open := map[string]bool{}
	for _, m := range messages {
		if m.Role != openclaw.RoleTool && len(open) > 0 {
			a.t.Errorf("calls without a result before a message of the %s: %v", m.Role, open)
		}
		for _, p := range m.Parts {
			switch p.Kind {
			case openclaw.PartToolCall:
				open[p.Call.ID] = true
			case openclaw.PartToolResult:
				delete(open, p.Result.CallID)
			}
		}
	}
	if len(open) > 0 {
		a.t.Errorf("calls without a result at the end: %v", open)
	}
}
