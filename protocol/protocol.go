// Package protocol is the wire format of the gateway: the frames, the payload
// of each message, the error codes and the bounds that belong to the format.
//
// The server and the Go client share it, and other programs may import it. It
// decodes and encodes; it decides nothing, opens no connection and owns no
// state. docs/protocol.md describes the same thing in prose, and Schema and
// AsyncAPI describe it to machines.
package protocol

import "time"

// DefaultPort is the TCP port of a gateway that is not told otherwise.
const DefaultPort = 18789

// Bounds that are part of the format.
const (
	MaxID             = 128 // code points in an envelope's id
	MaxIdempotencyKey = 256 // bytes in options.idempotency_key
	DefaultSession    = "main"
)

// Type is the type of a message.
type Type string

// Messages from a client to the gateway.
const (
	TypeChat             Type = "chat"
	TypeHeartbeatTrigger Type = "heartbeat_trigger"
	TypeSkillInvoke      Type = "skill_invoke"
	TypeCancel           Type = "cancel"
	TypeSubscribe        Type = "subscribe"
	TypeUnsubscribe      Type = "unsubscribe"
	TypeApprove          Type = "approve"
	TypeApprovalList     Type = "approval_list"
	TypeApprovalRevoke   Type = "approval_revoke"
	TypeApprovalExplain  Type = "approval_explain"
	TypeSessionList      Type = "session_list"
	TypeSessionHistory   Type = "session_history"
	TypeSessionReset     Type = "session_reset"
	TypeSessionDelete    Type = "session_delete"
	TypeSkillList        Type = "skill_list"
	TypeToolList         Type = "tool_list"
	TypeModelList        Type = "model_list"
	TypeHeartbeatHistory Type = "heartbeat_history"
	TypeCronList         Type = "cron_list"
	TypeCronAdd          Type = "cron_add"
	TypeCronRemove       Type = "cron_remove"
	TypeCronPause        Type = "cron_pause"
	TypeCronRun          Type = "cron_run"
	TypeCronHistory      Type = "cron_history"
)

// Types that are both a request and its reply.
const (
	TypeStatus Type = "status"
	TypeUsage  Type = "usage"
)

// Messages from the gateway to a client.
const (
	TypeResponse          Type = "response"
	TypeToolCall          Type = "tool_call"
	TypeToolResult        Type = "tool_result"
	TypeError             Type = "error"
	TypeHeartbeatStatus   Type = "heartbeat_status"
	TypeOK                Type = "ok"
	TypeSubscribed        Type = "subscribed"
	TypeEvent             Type = "event"
	TypeSessions          Type = "sessions"
	TypeHistory           Type = "history"
	TypeSkills            Type = "skills"
	TypeTools             Type = "tools"
	TypeModels            Type = "models"
	TypeHeartbeats        Type = "heartbeats"
	TypeCronJobs          Type = "cron_jobs"
	TypeCronRuns          Type = "cron_runs"
	TypeApprovals         Type = "approvals"
	TypeApprovalExplained Type = "approval_explained"
)

// Completes says whether a frame of this type, when it carries an id, is the
// one answer to the request with that id.
func (t Type) Completes() bool {
	return t != TypeToolCall && t != TypeToolResult && t != TypeEvent
}

// CloseCode is a WebSocket close code (RFC 6455, section 7.4) with the meaning
// this protocol gives it.
type CloseCode int

// The codes the gateway closes a connection with.
const (
	CloseGoingAway CloseCode = 1001 // the gateway stops: connect again later
	CloseNotText   CloseCode = 1003 // a binary frame
	CloseNotUTF8   CloseCode = 1007
	ClosePolicy    CloseCode = 1008 // not authenticated, too many messages, or not reading
	CloseTooLarge  CloseCode = 1009
	CloseTryAgain  CloseCode = 1013 // the gateway is full: try again later
	ReasonSlow               = "slow consumer"
	ReasonAuth               = "authentication required"
	ReasonRate               = "rate limit exceeded"
	ReasonBusy               = "too many connections"
	ReasonShutdown           = "shutting down"
)

// FormatTime writes t as the protocol does: RFC 3339, UTC, milliseconds. The
// zero time is "".
func FormatTime(t time.Time) string {
	var buf [len(time.RFC3339)]byte
	return string(appendTime(buf[:0], t))
}

func appendTime(text []byte, t time.Time) []byte {
	if t.IsZero() {
		return text
	}
	// Package time has a fast path for time.RFC3339, and each frame has a time.
	text = t.UTC().AppendFormat(text, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(text[:len(text)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// ValidSession says whether name may be the name of a session: 1 to 128
// letters, digits and ._:@/- of ASCII. A name is a label: no code uses it as a
// path.
func ValidSession(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == ':', c == '@', c == '/', c == '-':
		default:
			return false
		}
	}
	return name != "" && len(name) <= 128
}
