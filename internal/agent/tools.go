package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// runTool runs one call of the last step between its two events.
func (t *turn) runTool(ctx context.Context, part openclaw.Part) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	called := openclaw.ToolCalled{
		CallID: part.Call.ID, Tool: part.Call.Tool, Args: arguments(part.Call.Args), Step: t.stepOf(part),
	}
	if err := t.emit(called); err != nil {
		return err
	}
	return t.finish(ctx, called)
}

// finish runs a call that is in the log, up to its result.
func (t *turn) finish(ctx context.Context, called openclaw.ToolCalled) error {
	call := openclaw.Call{
		ID: called.CallID, Tool: called.Tool, Args: called.Args, Session: t.in.Session, Asker: t.in.Asker, Dir: t.in.Transcript.dir,
	}
	start := t.agent.config.Now()
	result := t.perform(ctx, &call)
	returned := openclaw.ToolReturned{
		CallID: call.ID, Tool: call.Tool,
		Output: strings.ToValidUTF8(result.Output, "\uFFFD"), ExitCode: result.ExitCode,
		Truncated: result.Truncated, DurationMS: t.agent.config.Now().Sub(start).Milliseconds(), Dir: result.Dir,
	}
	if result.Truncated { // of a whole output the size says nothing new
		returned.OutputBytes = result.OutputBytes
	}
	if err := t.emit(returned); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if most := t.agent.config.Limits.Repeats; t.seen(called, returned) >= most {
		return &openclaw.Error{
			Code: openclaw.CodeLoopDetected,
			Message: fmt.Sprintf("the model called %s %d times with the same arguments and the same result; rephrase the request",
				call.Tool, most),
		}
	}
	return nil
}

// perform runs a call and turns every failure into a result the model can act
// on.
func (t *turn) perform(ctx context.Context, call *openclaw.Call) *openclaw.Result {
	if ctx.Err() != nil { // the caller took its time over the tool_call
		return &openclaw.Result{Output: "stopped before it started", ExitCode: openclaw.ExitFailed}
	}
	tool, err := t.tool(call)
	if err != nil {
		return &openclaw.Result{Output: err.Error(), ExitCode: openclaw.ExitFailed}
	}
	result, err := tool.Run(ctx, call)
	switch {
	case result != nil && (err == nil || ctx.Err() != nil):
		return result
	case ctx.Err() != nil:
		return &openclaw.Result{Output: "stopped before it finished", ExitCode: openclaw.ExitFailed}
	case err == nil:
		return &openclaw.Result{}
	}
	t.agent.config.Logger.Debug("tool failed", "tool", call.Tool, "session", t.in.Session, "err", err)
	return failure(err)
}

// failure is what the model reads of a tool's error: of an Error the public
// message alone.
func failure(err error) *openclaw.Result {
	e, public := errors.AsType[*openclaw.Error](err)
	switch {
	case !public:
		return &openclaw.Result{Output: "error: " + err.Error(), ExitCode: openclaw.ExitFailed}
	case e.Code == openclaw.CodeApprovalDenied:
		return &openclaw.Result{Output: e.Message, ExitCode: openclaw.ExitDenied}
	}
	return &openclaw.Result{Output: "error: " + e.Message, ExitCode: openclaw.ExitFailed}
}

func (t *turn) tool(call *openclaw.Call) (openclaw.Tool, error) {
	offered := t.agent.offered(t.in.Started.Options)
	known := slices.ContainsFunc(offered, func(s openclaw.ToolSpec) bool { return s.Name == call.Tool })
	if !known {
		names := make([]string, len(offered))
		for i, s := range offered {
			names[i] = s.Name
		}
		return nil, fmt.Errorf("error: there is no tool %q; the tools are: %s", call.Tool, strings.Join(names, ", "))
	}
	if raw, bad := invalidArguments(call.Args); bad {
		return nil, fmt.Errorf("error: the arguments are not a JSON object, so nothing ran; call again with valid JSON. They were: %s", raw)
	}
	return t.agent.tools[call.Tool], nil
}

// arguments returns the arguments of a call as one JSON object without spaces,
// the form in which the log gives them back. What is no object, or names a
// member twice so that two readers could take different ones, becomes the
// value of InvalidArguments.
func arguments(raw json.RawMessage) json.RawMessage {
	args := jsontext.Value(raw).Clone()
	if len(strings.TrimSpace(string(args))) == 0 {
		return json.RawMessage("{}")
	}
	if args.IsValid() && args.Kind() == '{' && args.Compact() == nil {
		return json.RawMessage(args)
	}
	wrapped, err := json.Marshal(map[string]string{openclaw.InvalidArguments: string(raw)})
	if err != nil { // a map of strings always has a JSON form
		return json.RawMessage("{}")
	}
	return wrapped
}

// invalidArguments returns what the model wrote where it was no JSON object.
func invalidArguments(args json.RawMessage) (raw string, bad bool) {
	var found map[string]json.RawMessage
	if json.Unmarshal(args, &found) != nil || len(found) != 1 {
		return "", false
	}
	value, marked := found[openclaw.InvalidArguments]
	if marked && json.Unmarshal(value, &raw) != nil {
		raw = string(value)
	}
	return raw, marked
}

// seen counts how often the turn has had this call with this result.
func (t *turn) seen(c openclaw.ToolCalled, r openclaw.ToolReturned) int {
	key := strings.Join([]string{c.Tool, string(c.Args), r.Output, fmt.Sprint(r.ExitCode)}, "\x00")
	t.repeats[key]++
	return t.repeats[key]
}
