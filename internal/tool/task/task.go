// Package task offers sub-tasks to a model: a conversation of its own for one
// bounded piece of work, of which only the answer comes back.
//
// It owns no state. The conversation belongs to whoever implements Runner,
// which must give the same answer to the same key: a call that was under way
// when the gateway stopped is made again, and finds the conversation that it
// had begun.
package task

import (
	"context"
	"crypto/sha256"
	_ "embed" // the description
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Name is what the model calls the tool. A sub-task is not offered it.
const Name = "task"

// Work is one sub-task.
type Work struct {
	Session string // of its own
	Key     string // the same for the same call, however often it is made
	Prompt  string
	Tools   []string // the only ones it may use; never nil
	Tokens  int      // what its model calls may use in all
	Timeout time.Duration
}

// Runner runs sub-tasks.
type Runner interface {
	// RunTask performs the work, or returns the outcome of what was done under
	// its key already. It blocks until that is over; when ctx ends it stops the
	// work and returns.
	RunTask(ctx context.Context, w Work) (answer string, err error)
}

// Options bound sub-tasks. The zero value of a field stands for the default.
type Options struct {
	Runner  Runner        // required
	Tokens  int           // 100,000
	Timeout time.Duration // 5 minutes
	// Tools returns the names of all tools there are.
	Tools func() []string // required
}

// Tool implements openclaw.Tool.
type Tool struct{ options Options }

// New checks the options.
func New(options Options) (*Tool, error) {
	if options.Runner == nil || options.Tools == nil {
		return nil, errors.New("task: Options.Runner and Tools are required")
	}
	if options.Tokens <= 0 {
		options.Tokens = 100_000
	}
	if options.Timeout <= 0 {
		options.Timeout = 5 * time.Minute
	}
	return &Tool{options}, nil
}

//go:embed task.md
var description string

const parameters = `{"type":"object","properties":{"prompt":{"type":"string"},"tools":{"type":"array","items":{"type":"string"},"description":"names of tools; none if left out"}},"required":["prompt"]}`

// Spec implements openclaw.Tool. A sub-task leaves a conversation behind, so a
// turn that leaves nothing is not offered it.
func (t *Tool) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{
		Name: Name, Description: strings.TrimSpace(description), Parameters: json.RawMessage(parameters),
		Memory: true, Repeatable: true,
	}
}

// Run implements openclaw.Tool.
func (t *Tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Prompt string
		Tools  []string
	}
	if err := json.Unmarshal(call.Args, &args); err != nil {
		return nil, refusal(`the arguments have a wrong type; call it with {"prompt": "…", "tools": ["read_file"]}`)
	}
	if strings.TrimSpace(args.Prompt) == "" {
		return nil, refusal("prompt is missing: say what is to be done, and all that is needed for it")
	}
	if err := t.check(args.Tools); err != nil {
		return nil, err
	}
	id := digest(call.Session, call.ID)
	answer, err := t.options.Runner.RunTask(ctx, Work{
		Session: Name + ":" + id, Key: Name + ":" + id, Prompt: args.Prompt, Tools: append([]string{}, args.Tools...),
		Tokens: t.options.Tokens, Timeout: t.options.Timeout,
	})
	if err != nil {
		return nil, err
	}
	return &openclaw.Result{CallID: call.ID, Output: answer}, nil
}

// check refuses tools that a sub-task cannot have.
func (t *Tool) check(names []string) error {
	there := slices.DeleteFunc(slices.Clone(t.options.Tools()), func(name string) bool { return name == Name })
	for _, name := range names {
		if !slices.Contains(there, name) {
			return refusal("a sub-task cannot have the tool " + name + "; there are: " + strings.Join(there, ", "))
		}
	}
	return nil
}

func refusal(what string) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: Name + ": " + what}
}

// digest names the conversation of a call. Call IDs are unique within their
// conversation only.
func digest(session, id string) string {
	sum := sha256.Sum256([]byte(session + "\x00" + id))
	return hex.EncodeToString(sum[:10])
}
