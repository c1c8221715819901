package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/oklog/ulid/v2"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
	"github.com/openclaw/openclaw-go/internal/tool/task"
)

// subtasks runs sub-tasks as turns of conversations of their own. The hub is
// made after the tools, so it comes later.
type subtasks struct {
	hub  atomic.Pointer[session.Hub]
	jobs *shell.Host
}

// RunTask implements task.Runner.
func (s *subtasks) RunTask(ctx context.Context, w task.Work) (string, error) {
	hub := s.hub.Load()
	if hub == nil {
		return "", &openclaw.Error{Code: openclaw.CodeShuttingDown, Message: "sub-tasks are not ready yet; try again"}
	}
	defer s.jobs.EndJobs(w.Session) // nobody is left who could deal with them
	done := make(answered, 1)
	hub.Submit(session.Request{
		Session: w.Session, ID: ulid.Make().String(), Observer: done,
		Started: openclaw.TurnStarted{
			Source: openclaw.SourceTask, User: "task", Text: w.Prompt, IdempotencyKey: w.Key,
			Options: openclaw.TurnOptions{Tools: w.Tools, TurnTokens: w.Tokens, Timeout: w.Timeout},
		},
	})
	select {
	case o := <-done:
		return answerOf(o)
	case <-ctx.Done():
	}
	// When the gateway stops, the sub-task stops with it and goes on with it.
	if openclaw.CodeOf(context.Cause(ctx)) != openclaw.CodeShuttingDown {
		hub.Cancel(w.Session, "task", func(string, session.Observer) bool { return true }, func(int, error) {})
	}
	<-done
	return "", ctx.Err()
}

func answerOf(o session.Outcome) (string, error) {
	if o.Err != nil {
		return "", &openclaw.Error{Code: o.Err.Code, Message: "the sub-task failed: " + o.Err.Message, Err: errors.Unwrap(o.Err)}
	}
	return o.Text, nil
}

// answered is an observer that waits for the end of a turn.
type answered chan session.Outcome

func (answered) Event(*session.Delivery)  {}
func (a answered) Done(o session.Outcome) { a <- o }
