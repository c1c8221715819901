package openclaw

import "errors"

// DetailKind is the member of Error.Details in which a Model says what kind of
// failure it met: one of the constants that follow, as a string. Models never
// call their API again after a failure; who calls them decides by the kind.
const DetailKind = "kind"

// The kinds of failure of a model API.
const (
	FailureAuth        = "auth"             // the key, the account or its credit
	FailureRateLimited = "rate_limited"     // too much at once; RetryAfter where the API said it
	FailureOverloaded  = "overloaded"       // the API's own trouble
	FailureOverflow    = "context_overflow" // the conversation is too long for the model
	FailureBadRequest  = "bad_request"      // the request, or an unknown model
	FailureNetwork     = "network"          // no connection
	FailureTimeout     = "timeout"          // nothing came for too long
	FailureCutStream   = "cut_stream"       // the answer broke off
	FailureFilter      = "content_filter"   // the API refuses the content
)

// FailureOf returns the kind of a model's failure. Where the error does not
// say, its code decides; "" is an error that comes from no model API.
func FailureOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	if kind, ok := e.Details[DetailKind].(string); ok && kind != "" {
		return kind
	}
	switch e.Code {
	case CodeModelUnavailable:
		return FailureOverloaded
	case CodeModelError, CodeModelNotFound:
		return FailureBadRequest
	case CodeContextOverflow:
		return FailureOverflow
	}
	return ""
}
