package openclaw

import (
	"context"
	"encoding/json"
)

// Tool is something the model can do. Implementations are safe for concurrent
// use: sessions run in parallel.
type Tool interface {
	Spec() ToolSpec

	// Run performs the call and blocks until it is over; nothing it started
	// outlives it, unless the call asked for that: then it ends with the
	// conversation or the gateway. An error says that the call failed and goes to the model,
	// which may try again: its text tells the model what to do better. Only
	// ctx's own error ends the turn; a tool that is cut short by ctx may still
	// return what it has as a Result beside the error.
	Run(ctx context.Context, call *Call) (*Result, error)
}

// InvalidArguments is the only key of Call.Args when the model wrote arguments
// that are no JSON object; its value is what the model wrote.
const InvalidArguments = "invalid_arguments"

// Call is a model's request to run a tool.
type Call struct {
	ID      string          `json:"id"` // unique within the conversation
	Tool    string          `json:"tool"`
	Args    json.RawMessage `json:"args"`             // a JSON object, as the model wrote it
	Session string          `json:"session,omitzero"` // the conversation it belongs to

	// Dir is where the conversation's commands start: the last Result.Dir; "":
	// where they start at first.
	Dir string `json:"-"`
	// Asker puts a question about the call to a person; nil: nobody can be
	// asked.
	Asker Asker `json:"-"`
	// Approved is what the policy lets the call do: a tool that has an Action
	// does this and nothing else. nil: nothing beyond the sandbox.
	Approved *Action `json:"-"`
}

// Result is what a call came to.
type Result struct {
	CallID string `json:"call_id"`
	Output string `json:"output"` // what the model reads; valid UTF-8
	// ExitCode is a command's own; 128 + n after signal n; ExitTimeout,
	// ExitDenied; 0 or 1 for tools that are no commands.
	ExitCode int `json:"exit_code"`
	// Truncated says that Output is not all there was; OutputBytes is then the
	// size of all of it, in bytes.
	Truncated   bool  `json:"truncated,omitzero"`
	OutputBytes int64 `json:"output_bytes,omitzero"`

	// Dir is where the conversation's commands start from now on, absolute; "":
	// where they did.
	Dir string `json:"-"`
}

// Exit codes with a meaning of their own, after the shell's and timeout(1)'s.
const (
	ExitFailed  = 1
	ExitTimeout = 124
	ExitDenied  = 126
	ExitSignal  = 128 // plus the number of the signal
)
