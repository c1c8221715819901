package agent

import (
	"context"
	"slices"

	openclaw "github.com/openclaw/openclaw-go"
)

// The log is the journal of effects: a call is in it before it starts, its
// question before somebody is asked, its result before the model reads it.
// After a stop of the gateway it says of each call whether it may have had an
// effect.

// notApproved is what the model reads of a call that waited for an approval
// when the gateway stopped. It has not run.
const notApproved = "did not run: the gateway stopped before somebody approved it; call again if it is still needed"

// refusedBefore is what the model reads of a call that was refused just before
// the gateway stopped. It has not run.
const refusedBefore = "denied: it was not approved, and did not run; do without it or tell the user"

// openCall is a call without a result.
type openCall struct {
	openclaw.ToolCalled
	asked    string // the ID of its question; "": none was asked
	decision string // about that; "": none yet
}

// openCalls are those of a turn that is taken up, in the order of the log.
type openCalls []openCall

// add takes the next event of the turn.
func (o *openCalls) add(ev openclaw.Event) {
	switch b := ev.Body.(type) {
	case openclaw.ToolCalled:
		*o = append(*o, openCall{ToolCalled: b})
	case openclaw.ApprovalRequested:
		if i := o.index(b.CallID); i >= 0 {
			(*o)[i].asked, (*o)[i].decision = b.ApprovalID, ""
		}
	case openclaw.ApprovalResolved:
		for i := range *o {
			if (*o)[i].asked == b.ApprovalID {
				(*o)[i].decision = b.Decision
			}
		}
	}
}

func (o *openCalls) index(callID string) int {
	return slices.IndexFunc(*o, func(c openCall) bool { return c.CallID == callID })
}

// take removes a call that has a result.
func (o *openCalls) take(callID string) (call openclaw.ToolCalled, found bool) {
	i := o.index(callID)
	if i < 0 {
		return call, false
	}
	call = (*o)[i].ToolCalled
	*o = slices.Delete(*o, i, i+1)
	return call, true
}

// settle gives every open call its result: that it did not run, where the log
// shows so; what it comes to now, where it may run twice; else that its outcome
// is unknown.
func (t *turn) settle(ctx context.Context, open openCalls) error {
	for _, c := range open {
		var err error
		switch {
		case c.asked != "" && c.decision == "":
			resolved := openclaw.ApprovalResolved{ApprovalID: c.asked, Decision: openclaw.DecideDeny, By: openclaw.ByShutdown}
			if err = t.emit(resolved); err == nil {
				err = t.emit(returned(c.ToolCalled, notApproved, openclaw.ExitDenied))
			}
		case c.decision == openclaw.DecideDeny:
			err = t.emit(returned(c.ToolCalled, refusedBefore, openclaw.ExitDenied))
		case t.repeatable(c.Tool):
			err = t.finish(ctx, c.ToolCalled)
		default:
			err = t.emit(returned(c.ToolCalled, OutcomeUnknown, openclaw.ExitFailed))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func returned(c openclaw.ToolCalled, output string, exitCode int) openclaw.ToolReturned {
	return openclaw.ToolReturned{CallID: c.CallID, Tool: c.Tool, Output: output, ExitCode: exitCode}
}

// repeatable says whether calls of the tool may run twice.
func (t *turn) repeatable(name string) bool {
	specs := t.agent.offered(t.in.Started.Options)
	i := slices.IndexFunc(specs, func(s openclaw.ToolSpec) bool { return s.Name == name })
	return i >= 0 && specs[i].Repeatable
}
