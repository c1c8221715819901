package openclaw

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is one entry of a conversation's log. The log is the conversation:
// what a client sees, what survives a crash and what the next turn is built
// from are the same events.
type Event struct {
	Session   string    // the conversation
	Seq       int64     // 1, 2, 3… without a gap; 0: live only, never stored
	RequestID string    // the request whose turn this belongs to; "" outside of turns
	Time      time.Time // UTC
	Body      Body
}

// Kind returns the kind of the event's body.
func (e Event) Kind() Kind { return e.Body.Kind() }

// Kind names what happened.
type Kind string

// The kinds of event, and the Body of each.
const (
	KindTurnStarted       Kind = "turn_started"       // TurnStarted
	KindText              Kind = "text"               // TextWritten
	KindToolCall          Kind = "tool_call"          // ToolCalled
	KindToolResult        Kind = "tool_result"        // ToolReturned
	KindApprovalRequested Kind = "approval_requested" // ApprovalRequested
	KindApprovalResolved  Kind = "approval_resolved"  // ApprovalResolved
	KindCompacted         Kind = "compacted"          // Compacted
	KindModelSwitched     Kind = "model_switched"     // ModelSwitched
	KindTurnCompleted     Kind = "turn_completed"     // TurnCompleted
	KindTurnFailed        Kind = "turn_failed"        // TurnFailed
	KindTurnCancelled     Kind = "turn_cancelled"     // TurnCancelled
	KindDelta             Kind = "delta"              // Delta: live only
)

// Ends says whether an event of this kind is the last of its turn.
func (k Kind) Ends() bool {
	return k == KindTurnCompleted || k == KindTurnFailed || k == KindTurnCancelled
}

// Body is what an event says. Its JSON form is what the store keeps, so a
// field may be added but never renamed.
type Body interface{ Kind() Kind }

// TurnStarted opens a turn. It holds all that is needed to go on with the turn
// after a crash.
type TurnStarted struct {
	Source  Source `json:"source"`
	User    string `json:"user,omitzero"`    // the sender's label, as the client gave it
	Channel string `json:"channel,omitzero"` // likewise
	Text    string `json:"text"`             // what the sender wrote
	// Prompt is what the model reads in place of Text, where the two differ:
	// a skill's instructions, a heartbeat's tasks.
	Prompt string `json:"prompt,omitzero"`
	// Context is the sender's context object, shown to the model as untrusted
	// data.
	Context json.RawMessage `json:"context,omitzero"`
	// Images are the pictures that came with the message.
	Images []Image `json:"images,omitzero"`
	// Recall is what the long-term memory had to say when the turn began. It
	// is kept so that the conversation reads the same ever after; the model
	// sees it after the message, fenced as data.
	Recall string `json:"recall,omitzero"`
	// UTCOffset is that of the gateway's clock when the turn began, in seconds
	// east of Greenwich: the model is told the local time.
	UTCOffset      int         `json:"utc_offset,omitzero"`
	Options        TurnOptions `json:"options,omitzero"`
	IdempotencyKey string      `json:"idempotency_key,omitzero"`
}

// Source says what started a turn.
type Source string

// The sources of turns.
const (
	SourceClient    Source = "client"
	SourceSkill     Source = "skill"
	SourceHeartbeat Source = "heartbeat"
	SourceCron      Source = "cron"
	SourceTask      Source = "task" // another turn
)

// TurnOptions are a sender's wishes for one turn; the zero value wishes
// nothing.
type TurnOptions struct {
	Model     string        `json:"model,omitzero"` // "model" or "provider/model"
	MaxTokens int           `json:"max_tokens,omitzero"`
	Thinking  string        `json:"thinking,omitzero"`
	Timeout   time.Duration `json:"timeout,omitzero"` // nanoseconds; 0: the configured bound
	Approvals bool          `json:"approvals,omitzero"`
	// NoMemory turns see nothing of the conversation or the long-term memory
	// and leave nothing: they are never stored.
	NoMemory bool `json:"no_memory,omitzero"`
	// Fresh turns see nothing of the conversation before them, but are
	// recorded like any other.
	Fresh bool `json:"fresh,omitzero"`
	// Tools are the only ones the turn may use; nil: all there are.
	Tools []string `json:"tools,omitzero"`
	// TurnTokens bounds what all model calls of the turn may use; 0: no bound
	// of its own.
	TurnTokens int `json:"turn_tokens,omitzero"`
}

// Step ties the parts of one model answer together: every TextWritten and
// ToolCalled of the turn's n-th model call has N = n.
type Step struct {
	N int `json:"n"`
	// Usage is what the model call cost, on the first event of the step;
	// Charges say the same for each attempt it took.
	Usage   *Usage   `json:"usage,omitzero"`
	Charges []Charge `json:"charges,omitzero"`
	// Before are the thinking parts the model wrote just before this one, kept
	// because some APIs want them back unchanged.
	Before []Part `json:"before,omitzero"`
	// Opaque and Provider are those of the part itself (see Part).
	Opaque   json.RawMessage `json:"opaque,omitzero"`
	Provider string          `json:"provider,omitzero"`
}

// TextWritten is a text the model finished.
type TextWritten struct {
	Text string `json:"text"`
	Step Step   `json:"step"`
}

// ToolCalled is committed before the tool starts.
type ToolCalled struct {
	CallID string          `json:"call_id"`
	Tool   string          `json:"tool"`
	Args   json.RawMessage `json:"args"`
	Step   Step            `json:"step"`
}

// ToolReturned is committed before the model hears of the result.
type ToolReturned struct {
	CallID      string `json:"call_id"`
	Tool        string `json:"tool"`
	Output      string `json:"output"`
	ExitCode    int    `json:"exit_code"`
	Truncated   bool   `json:"truncated,omitzero"`
	OutputBytes int64  `json:"output_bytes,omitzero"`
	DurationMS  int64  `json:"duration_ms"`
	// Dir is Result.Dir: from now on the conversation's commands start there.
	Dir string `json:"dir,omitzero"`
}

// ApprovalRequested asks the people who watch a session whether a call may
// run. Argv, Dir, Env and Needs are the Action's: exactly what will run.
type ApprovalRequested struct {
	ApprovalID string          `json:"approval_id"`
	CallID     string          `json:"call_id"`
	Tool       string          `json:"tool"`
	Args       json.RawMessage `json:"args"`
	Reason     string          `json:"reason"`
	ExpiresAt  time.Time       `json:"expires_at"`
	Argv       []string        `json:"argv,omitempty"`
	Dir        string          `json:"dir,omitzero"`
	Env        []string        `json:"env,omitempty"`
	Needs      []string        `json:"needs,omitempty"`
}

// ApprovalResolved is the answer to an ApprovalRequested.
type ApprovalResolved struct {
	ApprovalID string `json:"approval_id"`
	Decision   string `json:"decision"` // DecideOnce, DecideSession, DecideAlways or DecideDeny
	By         string `json:"by"`       // ByClient, or why nobody decided: ByTimeout and the like
}

// Compacted says that the model no longer sees the events before BeforeSeq,
// but Summary instead. An empty summary starts an empty context.
type Compacted struct {
	BeforeSeq int64  `json:"before_seq"`
	Summary   string `json:"summary"`
	// Limit is the most bytes that the model sees of each tool result that
	// came before this event; 0: all of it.
	Limit int `json:"limit,omitzero"`
	// Dir is where the conversation's commands start now; "": where they start at
	// first.
	Dir string `json:"dir,omitzero"`
	// Usage is what the model calls for the summary cost; Charges say the same
	// for each of them.
	Usage   *Usage   `json:"usage,omitzero"`
	Charges []Charge `json:"charges,omitzero"`
}

// ModelSwitched says that another model goes on with the turn than the one that
// was chosen.
type ModelSwitched struct {
	From   string `json:"from"`   // provider/model
	To     string `json:"to"`     // provider/model
	Reason string `json:"reason"` // the kind of failure (see FailureOf)
}

// TurnCompleted ends a turn with an answer. Charges, here and in the other
// ends, are those of calls that no Step of the turn carries.
type TurnCompleted struct {
	Text       string `json:"text"`
	Usage      Usage  `json:"usage"`
	Model      string `json:"model"`
	DurationMS int64  `json:"duration_ms"`

	Charges []Charge `json:"charges,omitzero"`
}

// TurnFailed ends a turn without an answer.
type TurnFailed struct {
	Code         Code           `json:"code"`
	Message      string         `json:"message"`
	RetryAfterMS int64          `json:"retry_after_ms,omitzero"`
	Details      map[string]any `json:"details,omitzero"`
	Usage        Usage          `json:"usage,omitzero"`
	Charges      []Charge       `json:"charges,omitzero"`
}

// TurnCancelled ends a turn that somebody stopped.
type TurnCancelled struct {
	By      string   `json:"by"`
	Usage   Usage    `json:"usage,omitzero"`
	Charges []Charge `json:"charges,omitzero"`
}

// Delta is a piece of text as the model writes it. It is never stored; the
// whole text follows as TextWritten.
type Delta struct {
	Text string `json:"text"`
}

// Kind implements Body for each of the bodies.
func (TurnStarted) Kind() Kind       { return KindTurnStarted }
func (TextWritten) Kind() Kind       { return KindText }
func (ToolCalled) Kind() Kind        { return KindToolCall }
func (ToolReturned) Kind() Kind      { return KindToolResult }
func (ApprovalRequested) Kind() Kind { return KindApprovalRequested }
func (ApprovalResolved) Kind() Kind  { return KindApprovalResolved }
func (Compacted) Kind() Kind         { return KindCompacted }
func (ModelSwitched) Kind() Kind     { return KindModelSwitched }
func (TurnCompleted) Kind() Kind     { return KindTurnCompleted }
func (TurnFailed) Kind() Kind        { return KindTurnFailed }
func (TurnCancelled) Kind() Kind     { return KindTurnCancelled }
func (Delta) Kind() Kind             { return KindDelta }

// DecodeBody reads the JSON form of a stored body back. The body is a value,
// never a pointer.
func DecodeBody(kind Kind, data []byte) (Body, error) {
	switch kind {
	case KindTurnStarted:
		return decode[TurnStarted](data)
	case KindText:
		return decode[TextWritten](data)
	case KindToolCall:
		return decode[ToolCalled](data)
	case KindToolResult:
		return decode[ToolReturned](data)
	case KindApprovalRequested:
		return decode[ApprovalRequested](data)
	case KindApprovalResolved:
		return decode[ApprovalResolved](data)
	case KindCompacted:
		return decode[Compacted](data)
	case KindModelSwitched:
		return decode[ModelSwitched](data)
	case KindTurnCompleted:
		return decode[TurnCompleted](data)
	case KindTurnFailed:
		return decode[TurnFailed](data)
	case KindTurnCancelled:
		return decode[TurnCancelled](data)
	}
	return nil, fmt.Errorf("event kind %q is not known to this version", kind)
}

func decode[B Body](data []byte) (Body, error) {
	var b B
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("%s event: %w", b.Kind(), err)
	}
	return b, nil
}

// SessionInfo describes a conversation without its events.
type SessionInfo struct {
	Name       string
	Title      string // the beginning of its first message
	CreatedAt  time.Time
	UpdatedAt  time.Time
	LastSeq    int64
	ContextSeq int64 // the model sees events from here on: the seq of the last Compacted, else 0
	Turns      int
	TokensUsed int
}

// EventRange selects events of one conversation: After < Seq < Before.
type EventRange struct {
	After  int64
	Before int64 // 0: no bound
	Limit  int   // the most to return; 0: all
	Bytes  int   // how large what is returned may be, as it is stored; one event is always returned; 0: any size
	Newest bool  // return the last events of the range rather than the first; always oldest first
}

// Unfinished is a conversation whose last turn has not ended.
type Unfinished struct {
	Session string
	Seq     int64 // of the turn's TurnStarted
	Resumes int   // how often it has been resumed, this time included
}

// Unread is a conversation that has not been looked through to its end for
// facts to remember.
type Unread struct {
	Session   string
	After     int64 // the seq up to which it has been
	LastSeq   int64
	UpdatedAt time.Time
}
