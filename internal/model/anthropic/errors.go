package anthropic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// The values of Details["kind"] in errors.
const (
	kindAuth        = "auth"
	kindRateLimited = "rate_limited"
	kindOverloaded  = "overloaded"
	kindOverflow    = "context_overflow"
	kindBadRequest  = "bad_request"
	kindNetwork     = "network"
	kindTimeout     = "timeout"
	kindCutStream   = "cut_stream"
	kindFilter      = "content_filter"
)

const (
	statusOverloaded = 529
	maxMessage       = 300
	maxRetryAfter    = 24 * time.Hour
)

// refusal is the cause of an error that the API itself sent.
type refusal struct {
	status  int
	kind    string // the API's error type
	message string // the API's words: bounded, without secrets
	request string // the API's id of the request
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("status %d %s: %s", r.status, r.kind, r.message)
	if r.request != "" {
		s += " (request " + r.request + ")"
	}
	return s
}

// apiFault is the error object of the API.
type apiFault struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (f *apiFault) Error() string { return f.Type + ": " + f.Message }

// status is the HTTP status that would have come with the error, had it
// occurred before the stream began.
func (f *apiFault) status() int {
	switch f.Type {
	case "invalid_request_error":
		return http.StatusBadRequest
	case "authentication_error":
		return http.StatusUnauthorized
	case "billing_error":
		return http.StatusPaymentRequired
	case "permission_error":
		return http.StatusForbidden
	case "not_found_error":
		return http.StatusNotFound
	case "request_too_large":
		return http.StatusRequestEntityTooLarge
	case "rate_limit_error":
		return http.StatusTooManyRequests
	case "timeout_error":
		return http.StatusGatewayTimeout
	case "overloaded_error":
		return statusOverloaded
	}
	return http.StatusInternalServerError
}

// readFault finds the error in an error event or the body of a refusal, in the
// shapes that the API and the servers copying it use.
func readFault(fault, whole []byte) *apiFault {
	var f apiFault
	if jsontext.Value(fault).Kind() == '"' {
		_ = decode(fault, &f.Message) // what cannot be read is left out
		return &f
	}
	if decode(fault, &f) == nil && f.Message != "" {
		return &f
	}
	var flat struct {
		Message string         `json:"message"`
		Detail  jsontext.Value `json:"detail"`
	}
	if decode(whole, &flat) == nil {
		f.Message = flat.Message
		if flat.Detail.Kind() == '"' {
			_ = decode(flat.Detail, &f.Message)
		}
	}
	return &f
}

// fault translates what went wrong between sending the request and the end of
// the stream.
func (r *reply) fault(err error, model string) error {
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	cause := context.Cause(r.watch.ctx)
	var api *anthropic.Error
	switch {
	case errors.Is(cause, errSilent):
		return r.adapter.failure(openclaw.CodeModelUnavailable, kindTimeout, 0,
			r.adapter.label+" stopped answering; try again", cause)
	case errors.As(err, &api):
		var body envelope
		_ = decode([]byte(api.RawJSON()), &body) // a body that is no JSON says nothing
		said := readFault(body.Error, []byte(api.RawJSON()))
		return r.adapter.refused(api.StatusCode, said.Type, said.Message, api.Response.Header, model)
	case r.events != nil:
		return r.adapter.cutStream(err)
	}
	return r.adapter.unreachable(err)
}

// refused translates the API's own refusal.
func (a *Adapter) refused(status int, kind, message string, header http.Header, model string) *openclaw.Error {
	cause := &refusal{status: status, kind: a.clean(kind), message: a.clean(message), request: a.clean(header.Get("Request-Id"))}
	v := judge(status, strings.ToLower(cause.message))
	text := a.label + v.text
	switch {
	case v.code == openclaw.CodeModelNotFound:
		text = fmt.Sprintf("%s does not know the model %q; set brain.model to one it serves, or check the base URL", a.label, a.clean(model))
	case v.askKey:
		return a.refusedKey(status, cause)
	case v.quote && cause.message != "":
		text += ": " + cause.message
	}
	e := a.failure(v.code, v.kind, status, text, cause)
	if v.code == openclaw.CodeModelUnavailable {
		e.RetryAfter = retryAfter(header, time.Now())
	}
	return e
}

// verdict is what a refusal means.
type verdict struct {
	code   openclaw.Code
	kind   string
	text   string // follows the name of the API
	quote  bool   // the API's own words help the reader
	askKey bool
}

func judge(status int, said string) verdict {
	unavailable := func(kind, text string) verdict {
		return verdict{code: openclaw.CodeModelUnavailable, kind: kind, text: text}
	}
	switch {
	case isOverflow(status, said):
		return verdict{code: openclaw.CodeContextOverflow, kind: kindOverflow, text: " cannot take a conversation this long; start a new session or reset this one"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return verdict{askKey: true}
	case status == http.StatusPaymentRequired, strings.Contains(said, "credit balance"):
		v := unavailable(kindAuth, " refuses this account; check its plan and credit")
		v.quote = true
		return v
	case status == http.StatusNotFound:
		return verdict{code: openclaw.CodeModelNotFound, kind: kindBadRequest}
	case status == http.StatusTooManyRequests:
		return unavailable(kindRateLimited, " limits this account's requests; try again later")
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return unavailable(kindTimeout, " took too long; try again")
	case status >= http.StatusInternalServerError:
		return unavailable(kindOverloaded, " is overloaded or out of order; try again later")
	case strings.Contains(said, "content filter"):
		return verdict{code: openclaw.CodeModelError, kind: kindFilter, text: " blocked the answer; rephrase the request", quote: true}
	}
	return verdict{code: openclaw.CodeModelError, kind: kindBadRequest, text: " refused the request", quote: true}
}

// isOverflow tells a prompt that is too long from other bad requests, for
// which the API has no type of its own.
func isOverflow(status int, message string) bool {
	if status == http.StatusRequestEntityTooLarge {
		return true
	}
	if status != http.StatusBadRequest {
		return false
	}
	for _, sign := range []string{"prompt is too long", "exceed context limit", "context window", "context length", "input is too long"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

func (a *Adapter) refusedKey(status int, cause error) *openclaw.Error {
	return a.failure(openclaw.CodeModelUnavailable, kindAuth, status, a.label+" refused the key; set "+a.keyHint, cause)
}

func (a *Adapter) cutStream(cause error) *openclaw.Error {
	if errors.Is(cause, errTooLarge) {
		return a.failure(openclaw.CodeModelError, kindBadRequest, 0, a.label+" sent an answer without end; check the base URL", cause)
	}
	return a.failure(openclaw.CodeModelUnavailable, kindCutStream, 0, a.label+" broke off its answer; try again", cause)
}

func (a *Adapter) unreachable(err error) *openclaw.Error {
	return a.failure(openclaw.CodeModelUnavailable, kindNetwork, 0, a.label+" cannot be reached; check the network and the base URL", err)
}

// notTheAPI is the answer of something else: a login page, a redirect, a
// server that does not stream.
func (a *Adapter) notTheAPI(resp *http.Response) *openclaw.Error {
	cause := fmt.Errorf("status %d with content type %q in place of an event stream", resp.StatusCode, a.clean(resp.Header.Get("Content-Type")))
	return a.failure(openclaw.CodeModelError, kindBadRequest, resp.StatusCode,
		a.label+" did not answer as the Messages API does; check the base URL", cause)
}

func (a *Adapter) failure(code openclaw.Code, kind string, status int, message string, cause error) *openclaw.Error {
	details := map[string]any{"kind": kind}
	if status != 0 {
		details["status"] = status
	}
	return &openclaw.Error{Code: code, Message: message, Details: details, Err: cause}
}

// clean makes the API's words fit to show: one line, bounded, no secret.
func (a *Adapter) clean(message string) string {
	for _, secret := range a.secrets {
		message = strings.ReplaceAll(message, secret, "***")
	}
	message = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(message, ""))
	message = strings.TrimSpace(message)
	if runes := []rune(message); len(runes) > maxMessage {
		message = string(runes[:maxMessage]) + "…"
	}
	return message
}

// retryAfter reads when the API wants to be asked again: milliseconds, seconds
// or a date. It returns 0 where that is not said or not sensible.
func retryAfter(header http.Header, now time.Time) time.Duration {
	wait := func(value string, unit time.Duration) time.Duration {
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || math.IsNaN(n) || n <= 0 {
			return 0
		}
		return time.Duration(min(n*float64(unit), float64(maxRetryAfter)))
	}
	if d := wait(header.Get("Retry-After-Ms"), time.Millisecond); d > 0 {
		return d
	}
	value := header.Get("Retry-After")
	if d := wait(value, time.Second); d > 0 {
		return d
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), maxRetryAfter)
	}
	return 0
}
