package mcp

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/openclaw/openclaw-go"
)

// tool is a tool of a server, as it was when it was listed. It implements
// openclaw.Tool.
type tool struct {
	server *server
	remote string // the server's own name of it
	spec   openclaw.ToolSpec
}

func newTool(s *server, t *sdk.Tool) *tool {
	schema, _ := schemaOf(t) // list left out those without
	description := t.Description
	if description == "" {
		description = t.Title
	}
	if len(description) > maxDescription {
		description = clip(description, maxDescription) + "…"
	}
	hints := t.Annotations
	return &tool{server: s, remote: t.Name, spec: openclaw.ToolSpec{
		Description: strings.TrimSpace(strings.ToValidUTF8(description, "")),
		Parameters:  schema,
		// The owner chose the server, so its word counts.
		Repeatable: hints != nil && (hints.ReadOnlyHint || hints.IdempotentHint),
	}}
}

func (t *tool) same(o *tool) bool {
	return t.server == o.server && t.remote == o.remote && t.spec.Name == o.spec.Name && t.spec.Description == o.spec.Description &&
		t.spec.Repeatable == o.spec.Repeatable && bytes.Equal(t.spec.Parameters, o.spec.Parameters)
}

// Spec implements openclaw.Tool.
func (t *tool) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool. What the server calls an error is a Result
// with openclaw.ExitFailed.
func (t *tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	limit := t.server.host.opts.CallTimeout
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	session, release, err := t.server.acquire(limited)
	if err != nil {
		return nil, t.explain(ctx, limited, err, limit)
	}
	defer release()
	res, err := session.CallTool(limited, &sdk.CallToolParams{Name: t.remote, Arguments: call.Args})
	if err != nil {
		return nil, t.explain(ctx, limited, err, limit)
	}
	t.server.answered(true)
	return render(call.ID, res, t.server.host.opts.MaxOutput), nil
}

// rejected is the SDK's code for a request that did not reach the server.
const rejected = -32005

// explain turns what went wrong into advice for the model, and has the server
// connected anew where that may help.
func (t *tool) explain(outer, limited context.Context, err error, limit time.Duration) error {
	s := t.server
	if outer.Err() != nil {
		return outer.Err()
	}
	if known, ok := errors.AsType[*openclaw.Error](err); ok {
		return known
	}
	if limited.Err() != nil {
		s.answered(false)
		return s.failed("did not answer within "+limit.String()+"; what the call did is not known", err)
	}
	if refused, ok := errors.AsType[*jsonrpc.Error](err); ok && refused.Code != rejected {
		s.answered(true)
		return s.failed("refused the call: "+clip(s.redact(refused.Message), 1000), err)
	}
	s.reconnect(err.Error())
	return s.failed("ended or broke the connection during the call; what the call did is not known. It is connected again", err)
}
