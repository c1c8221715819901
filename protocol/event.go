package protocol

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// EventHead is what every event of the protocol begins with.
type EventHead struct {
	Session   string        `json:"session"`
	Seq       int64         `json:"seq,omitzero"` // absent on a delta
	Kind      openclaw.Kind `json:"kind"`
	RequestID string        `json:"request_id,omitzero"`
	Time      string        `json:"time"`
}

// EventPayload returns the payload of an event frame: the head and, beside it,
// what a client may see of the body. What the log keeps for the gateway's own
// use (prompts, thinking, provider data) stays out.
func EventPayload(ev openclaw.Event) any {
	head := EventHead{
		Session: ev.Session, Seq: ev.Seq, Kind: ev.Kind(), RequestID: ev.RequestID, Time: FormatTime(ev.Time),
	}
	switch b := ev.Body.(type) {
	case openclaw.TurnStarted:
		return turnStarted{head, b.Source, b.User, b.Text}
	case openclaw.TextWritten:
		return textEvent{head, b.Text}
	case openclaw.Delta:
		return textEvent{head, b.Text}
	case openclaw.ToolCalled:
		return toolCalled{head, b.CallID, b.Tool, RawArgs(b.Args)}
	case openclaw.ToolReturned:
		return toolReturned{head, b}
	case openclaw.ApprovalRequested:
		return approvalRequested{
			head, b.ApprovalID, b.CallID, b.Tool, RawArgs(b.Args), b.Reason, FormatTime(b.ExpiresAt),
			b.Argv, b.Dir, b.Env, b.Needs,
		}
	case openclaw.ApprovalResolved:
		return approvalResolved{head, b}
	case openclaw.Compacted:
		return compacted{head, b.BeforeSeq, b.Summary}
	case openclaw.ModelSwitched:
		return modelSwitched{head, b}
	case openclaw.TurnCompleted:
		return turnCompleted{head, b.Text, b.Usage.Total(), b.Usage, b.Model, b.DurationMS}
	case openclaw.TurnFailed:
		return turnFailed{head, b.Code, b.Message}
	case openclaw.TurnCancelled:
		return turnCancelled{head, b.By}
	}
	return head
}

// RawArgs returns a tool call's arguments for the wire: an empty object where
// there are none.
func RawArgs(args json.RawMessage) jsontext.Value {
	if len(args) == 0 {
		return jsontext.Value("{}")
	}
	return jsontext.Value(args)
}

type turnStarted struct {
	EventHead
	Source openclaw.Source `json:"source"`
	User   string          `json:"user"`
	Text   string          `json:"text"`
}

type textEvent struct {
	EventHead
	Text string `json:"text"`
}

type toolCalled struct {
	EventHead
	CallID string         `json:"call_id"`
	Tool   string         `json:"tool"`
	Args   jsontext.Value `json:"args"`
}

type toolReturned struct {
	EventHead
	openclaw.ToolReturned
}

type approvalRequested struct {
	EventHead
	ApprovalID string         `json:"approval_id"`
	CallID     string         `json:"call_id"`
	Tool       string         `json:"tool"`
	Args       jsontext.Value `json:"args"`
	Reason     string         `json:"reason"`
	ExpiresAt  string         `json:"expires_at"`
	Argv       []string       `json:"argv,omitempty"`
	Dir        string         `json:"dir,omitzero"`
	Env        []string       `json:"env,omitempty"`
	Needs      []string       `json:"needs,omitempty"`
}

type approvalResolved struct {
	EventHead
	openclaw.ApprovalResolved
}

type compacted struct {
	EventHead
	BeforeSeq int64  `json:"before_seq"`
	Summary   string `json:"summary"`
}

type modelSwitched struct {
	EventHead
	openclaw.ModelSwitched
}

type turnCompleted struct {
	EventHead
	Text       string         `json:"text"`
	TokensUsed int            `json:"tokens_used"`
	Usage      openclaw.Usage `json:"usage"`
	Model      string         `json:"model"`
	DurationMS int64          `json:"duration_ms"`
}

type turnFailed struct {
	EventHead
	Code    openclaw.Code `json:"code"`
	Message string        `json:"message"`
}

type turnCancelled struct {
	EventHead
	By string `json:"by"`
}

// Event is an event as a client reads it: the head, and of the other fields
// those that its kind has.
type Event struct {
	EventHead
	Source      openclaw.Source `json:"source,omitzero"`
	User        string          `json:"user,omitzero"`
	Text        string          `json:"text,omitzero"`
	CallID      string          `json:"call_id,omitzero"`
	Tool        string          `json:"tool,omitzero"`
	Args        json.RawMessage `json:"args,omitzero"`
	Output      string          `json:"output,omitzero"`
	ExitCode    int             `json:"exit_code,omitzero"`
	Truncated   bool            `json:"truncated,omitzero"`
	OutputBytes int64           `json:"output_bytes,omitzero"`
	DurationMS  int64           `json:"duration_ms,omitzero"`
	ApprovalID  string          `json:"approval_id,omitzero"`
	Reason      string          `json:"reason,omitzero"`
	ExpiresAt   string          `json:"expires_at,omitzero"`
	Argv        []string        `json:"argv,omitempty"`
	Dir         string          `json:"dir,omitzero"`
	Env         []string        `json:"env,omitempty"`
	Needs       []string        `json:"needs,omitempty"`
	Decision    string          `json:"decision,omitzero"`
	By          string          `json:"by,omitzero"`
	BeforeSeq   int64           `json:"before_seq,omitzero"`
	Summary     string          `json:"summary,omitzero"`
	From        string          `json:"from,omitzero"`
	To          string          `json:"to,omitzero"`
	TokensUsed  int             `json:"tokens_used,omitzero"`
	Usage       openclaw.Usage  `json:"usage,omitzero"`
	Model       string          `json:"model,omitzero"`
	Code        openclaw.Code   `json:"code,omitzero"`
	Message     string          `json:"message,omitzero"`
}
