package shell

import (
	"context"
	"fmt"
	"os"

	"github.com/openclaw/openclaw-go"
)

// begin starts a command in the background. From then on neither the call nor
// its turn have a hold on it: it runs until it ends, its time is over, or the
// conversation or the gateway does.
func (t *Tool) begin(ctx context.Context, call *openclaw.Call, action *openclaw.Action, args arguments) (*openclaw.Result, error) {
	if t.opts.Host == nil {
		return nil, badArgs("there are no commands in the background here; run it without background")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit := t.opts.JobTimeout
	if args.Timeout > 0 {
		limit = min(limit, args.Timeout)
	}
	in, input, err := os.Pipe()
	if err != nil {
		return nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the command could not be started: the system is out of files; try again later", Err: err}
	}
	j := &job{
		session: call.Session, text: args.Command, action: *action,
		done: make(chan struct{}), output: newOutput(t.opts.MaxOutput), input: input,
	}
	err = t.opts.Host.begin(j, t.opts.MaxJobs, limit, func(ctx context.Context) (Exit, error) {
		defer func() { _ = in.Close() }()
		return t.opts.Exec(ctx, Command{
			Argv: action.Argv, Dir: action.Dir, Env: t.env, Needs: action.Needs, Input: in, Output: j.output,
		})
	})
	if err != nil {
		_, _ = in.Close(), input.Close()
		return nil, err
	}
	return &openclaw.Result{
		CallID: call.ID,
		Output: fmt.Sprintf("[%s runs in the background, for at most %v; process shows what it prints]\n", j.id, limit),
	}, nil
}
