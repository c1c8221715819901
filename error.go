package openclaw

import (
	"errors"
	"time"
)

// Code names a kind of failure, the same from the database to the wire.
type Code string

// The codes of the protocol (docs/protocol.md, "Errors").
const (
	CodeAuthRequired     Code = "AUTH_REQUIRED"
	CodeAuthInvalid      Code = "AUTH_INVALID"
	CodeRateLimited      Code = "RATE_LIMITED"
	CodeSkillNotFound    Code = "SKILL_NOT_FOUND"
	CodeGatewayBusy      Code = "GATEWAY_BUSY"
	CodeWebhookInvalid   Code = "WEBHOOK_INVALID"
	CodeInvalidMessage   Code = "INVALID_MESSAGE"
	CodeUnknownType      Code = "UNKNOWN_TYPE"
	CodeMessageTooLarge  Code = "MESSAGE_TOO_LARGE"
	CodeDuplicateID      Code = "DUPLICATE_ID"
	CodeSessionNotFound  Code = "SESSION_NOT_FOUND"
	CodeSessionBusy      Code = "SESSION_BUSY"
	CodeModelNotFound    Code = "MODEL_NOT_FOUND"
	CodeModelUnavailable Code = "MODEL_UNAVAILABLE"
	CodeModelError       Code = "MODEL_ERROR"
	CodeContextOverflow  Code = "CONTEXT_OVERFLOW"
	CodeBudgetExceeded   Code = "BUDGET_EXCEEDED"
	CodeLoopDetected     Code = "LOOP_DETECTED"
	CodeApprovalDenied   Code = "APPROVAL_DENIED"
	CodeNotFound         Code = "NOT_FOUND"
	CodeCancelled        Code = "CANCELLED"
	CodeTimeout          Code = "TIMEOUT"
	CodeTurnLimit        Code = "TURN_LIMIT"
	CodeShuttingDown     Code = "SHUTTING_DOWN"
	CodeInternal         Code = "INTERNAL"
)

// Retryable says whether the same request may succeed later, unchanged.
func (c Code) Retryable() bool {
	switch c {
	case CodeRateLimited, CodeGatewayBusy, CodeSessionBusy, CodeModelUnavailable,
		CodeBudgetExceeded, CodeTimeout, CodeShuttingDown:
		return true
	}
	return false
}

// Error is a failure that may be shown to a client.
type Error struct {
	Code    Code
	Message string // says what to do about it; safe to show: no secret, no stack, no other client's data

	RetryAfter time.Duration  // when trying again makes sense; 0: not said
	Details    map[string]any // facts a program can use; may be nil

	Err error // the private cause, for the log; may be nil
}

// Error returns the public message and, behind it, the private cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf would invite secrets into messages, so there is none: a message is
// written whole, and the cause stays in Err.

// AsError returns err as an *Error, wrapping what is none as CodeInternal with
// a message that gives nothing away. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: "internal error; the gateway's log has the details", Err: err}
}

// CodeOf returns the code of err: CodeInternal for an error without one, and
// "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}
