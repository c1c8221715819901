package shell

import (
	"context"
	"fmt"
	"io"
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
	exec, input, release, err := t.attach(args.PTY)
	if err != nil {
		return nil, err
	}
	j := &job{
		session: call.Session, text: args.Command, action: *action,
		done: make(chan struct{}), output: t.output(call.Session, args.PTY), input: input,
	}
	err = t.opts.Host.begin(j, t.opts.MaxJobs, limit, func(ctx context.Context) (Exit, error) {
		return exec(ctx, Command{Argv: action.Argv, Dir: action.Dir, Env: t.env, Needs: action.Needs, Output: j.output})
	})
	if err != nil {
		release()
		return nil, err
	}
	return &openclaw.Result{
		CallID: call.ID,
		Output: fmt.Sprintf("[%s runs in the background, for at most %v; process shows what it prints]\n", j.id, limit),
	}, nil
}

// attach returns a way to run one command that reads what is written to input,
// from a pipe or a terminal. Where it never runs, release frees what was opened.
func (t *Tool) attach(pty bool) (exec Exec, input io.WriteCloser, release func(), err error) {
	if pty {
		screen, err := openTerminal()
		if err != nil {
			return nil, nil, nil, err
		}
		return screen.exec(t.opts.Exec), &keyboard{file: screen.ours}, screen.close, nil
	}
	in, pipe, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, outOfFiles(err)
	}
	exec = func(ctx context.Context, c Command) (Exit, error) {
		defer func() { _ = in.Close() }()
		c.Input = in
		return t.opts.Exec(ctx, c)
	}
	return exec, pipe, func() { _, _ = in.Close(), pipe.Close() }, nil
}

func outOfFiles(err error) error {
	return &openclaw.Error{
		Code: openclaw.CodeInternal, Message: "the command could not be started: the system is out of files or terminals; try again later", Err: err,
	}
}
