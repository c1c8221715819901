package protocol

import (
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// Response completes chat and skill_invoke.
type Response struct {
	Text       string     `json:"text"`
	ToolCalls  []CallDone `json:"tool_calls"`
	TokensUsed int        `json:"tokens_used"`

	Session    string         `json:"session,omitzero"`
	Model      string         `json:"model,omitzero"`
	Usage      openclaw.Usage `json:"usage"`
	DurationMS int64          `json:"duration_ms"`
	Seq        int64          `json:"seq,omitzero"` // of the turn_completed event; absent where nothing was stored
	// Hint tells the sender of a chat what became of it that the text does not
	// show: a skill was used, or "/name" is none.
	Hint string `json:"hint,omitzero"`
}

// CallDone is one tool call of a finished turn.
type CallDone struct {
	Tool       string         `json:"tool"`
	Args       jsontext.Value `json:"args"`
	ExitCode   int            `json:"exit_code"`
	DurationMS int64          `json:"duration_ms"`
}

// ToolCall tells the requester that a tool starts.
type ToolCall struct {
	Tool   string         `json:"tool"`
	Args   jsontext.Value `json:"args"`
	Status string         `json:"status"` // executing

	RequestID string `json:"request_id"`
	CallID    string `json:"call_id"`
	Session   string `json:"session"`
	Seq       int64  `json:"seq,omitzero"`
}

// ToolResult tells the requester what came of a ToolCall.
type ToolResult struct {
	Tool     string `json:"tool"`
	Output   string `json:"output"`
	ExitCode int    `json:"exit_code"`

	Truncated   bool   `json:"truncated,omitzero"`
	OutputBytes int64  `json:"output_bytes,omitzero"`
	RequestID   string `json:"request_id"`
	CallID      string `json:"call_id"`
	Session     string `json:"session"`
	Seq         int64  `json:"seq,omitzero"`
}

// Error completes a request that failed.
type Error struct {
	Code         openclaw.Code  `json:"code"`
	Message      string         `json:"message"`
	Retryable    bool           `json:"retryable"`
	RetryAfterMS int64          `json:"retry_after_ms,omitzero"`
	Details      map[string]any `json:"details,omitempty"`
}

// NewError returns what a client may know of err.
func NewError(err *openclaw.Error) Error {
	return Error{
		Code: err.Code, Message: err.Message, Retryable: err.Code.Retryable(),
		RetryAfterMS: err.RetryAfter.Milliseconds(), Details: err.Details,
	}
}

// HeartbeatStatus completes heartbeat_trigger, and is broadcast without an id
// after each scheduled heartbeat.
type HeartbeatStatus struct {
	Result       string `json:"result"`
	ActionsTaken int    `json:"actions_taken"`
	TokensUsed   int    `json:"tokens_used"`

	Text   string `json:"text,omitzero"`   // with HEARTBEAT_ACTED
	Reason string `json:"reason,omitzero"` // with HEARTBEAT_SKIPPED
	Error  string `json:"error,omitzero"`  // with HEARTBEAT_FAILED
	Due    []Due  `json:"due,omitzero"`    // with dry_run
}

// The results of a heartbeat.
const (
	HeartbeatOK      = "HEARTBEAT_OK"
	HeartbeatActed   = "HEARTBEAT_ACTED"
	HeartbeatSkipped = "HEARTBEAT_SKIPPED"
	HeartbeatFailed  = "HEARTBEAT_FAILED"
)

// Due is a task that a heartbeat would run now.
type Due struct {
	Task            string  `json:"task"`
	IntervalSeconds int64   `json:"interval_seconds"`
	LastRun         *string `json:"last_run"` // null: never
	Reason          string  `json:"reason"`
}

// Status completes status.
type Status struct {
	State         string            `json:"state"` // running or draining
	Version       string            `json:"version"`
	StartedAt     string            `json:"started_at"`
	UptimeSeconds int64             `json:"uptime_seconds"`
	Model         string            `json:"model"`
	Provider      string            `json:"provider"`
	Connections   int               `json:"connections"`
	Sessions      int               `json:"sessions"`
	ActiveTurns   int               `json:"active_turns"`
	QueuedTurns   int               `json:"queued_turns"`
	Heartbeat     HeartbeatState    `json:"heartbeat"`
	Skills        SkillCounts       `json:"skills"`
	Tools         []string          `json:"tools"`
	Memory        MemoryState       `json:"memory"`
	UsageToday    UsageToday        `json:"usage_today"`
	Channels      map[string]string `json:"channels"`
	// Sandbox is how commands are confined: namespaces, landlock, seccomp,
	// sandbox-exec or none.
	Sandbox string `json:"sandbox,omitempty"`
	// Problems are faults that need the owner, such as a configuration file
	// that could not be reloaded.
	Problems []string `json:"problems,omitempty"`
}

// HeartbeatState is the heartbeat part of Status. Times are null when there is
// none.
type HeartbeatState struct {
	Enabled         bool    `json:"enabled"`
	IntervalSeconds int64   `json:"interval_seconds"`
	LastRun         *string `json:"last_run"`
	LastResult      *string `json:"last_result"`
	NextRun         *string `json:"next_run"`
}

// SkillCounts is the skills part of Status.
type SkillCounts struct {
	Loaded  int `json:"loaded"`
	Skipped int `json:"skipped"`
}

// MemoryState is the memory part of Status.
type MemoryState struct {
	Entries int `json:"entries"`
}

// UsageToday is the usage_today part of Status; a limit of 0 means none.
type UsageToday struct {
	Tokens   int     `json:"tokens"`
	CostUSD  float64 `json:"cost_usd"`
	LimitUSD float64 `json:"limit_usd"`
	// Unpriced are the models, as provider/model, whose price is not known:
	// their use counts in tokens only.
	Unpriced []string `json:"unpriced,omitempty"`
}

// OK completes requests that have nothing else to say.
type OK struct {
	// Cancelled is set by cancel alone.
	Cancelled *int `json:"cancelled,omitzero"`
}

// Subscribed completes subscribe.
type Subscribed struct {
	Session string `json:"session"`
	LastSeq int64  `json:"last_seq"`
}

// Sessions completes session_list.
type Sessions struct {
	Sessions []SessionEntry `json:"sessions"`
	Next     string         `json:"next,omitzero"` // the after of the next page; absent on the last
}

// SessionEntry is one session of a list.
type SessionEntry struct {
	Session    string `json:"session"`
	Title      string `json:"title"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
	LastSeq    int64  `json:"last_seq"`
	Turns      int    `json:"turns"`
	Active     bool   `json:"active"`
	TokensUsed int    `json:"tokens_used"`
}

// History completes session_history.
type History struct {
	Session string `json:"session"`
	Events  []any  `json:"events"` // EventPayload of each, oldest first
	LastSeq int64  `json:"last_seq"`
	More    bool   `json:"more"` // older events are there
}

// Skills completes skill_list.
type Skills struct {
	Skills []SkillEntry `json:"skills"`
}

// SkillEntry is one skill of a list.
type SkillEntry struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Source      string `json:"source"`
	Enabled     bool   `json:"enabled"`
	Reason      string `json:"reason,omitzero"` // why it is not enabled
	File        string `json:"file,omitzero"`
	// Warnings are faults that did not keep it from loading, and other skills
	// of its name, which are not used.
	Warnings []string `json:"warnings,omitempty"`
}

// Tools completes tool_list.
type Tools struct {
	Tools []ToolEntry `json:"tools"`
}

// ToolEntry is one tool of a list.
type ToolEntry struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"` // a JSON Schema
}

// Models completes model_list.
type Models struct {
	Models []ModelEntry `json:"models"`
}

// ModelEntry is one model of a list.
type ModelEntry struct {
	ID            string `json:"id"`
	Provider      string `json:"provider"`
	Default       bool   `json:"default"`
	ContextWindow int    `json:"context_window,omitzero"`
}
