package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"unicode"

	"github.com/openclaw/openclaw-go"
)

// maxMessage bounds what of an API's own message is passed on, in runes.
const maxMessage = 300

var codes = map[string]openclaw.Code{
	openclaw.FailureOverflow:   openclaw.CodeContextOverflow,
	openclaw.FailureBadRequest: openclaw.CodeModelError,
	openclaw.FailureFilter:     openclaw.CodeModelError,
}

// Failure returns the error of a kind: "the NAME API " and what is said. A
// status of 0 is none.
func (e *Endpoint) Failure(kind string, status int, said string) *openclaw.Error {
	code, ok := codes[kind]
	if !ok {
		code = openclaw.CodeModelUnavailable
	}
	details := map[string]any{openclaw.DetailKind: kind}
	if status != 0 {
		details["status"] = status
	}
	return &openclaw.Error{Code: code, Message: "the " + e.name + " API " + said, Details: details}
}

// TooLarge is the error of an answer without end.
func (e *Endpoint) TooLarge() *openclaw.Error {
	return e.Failure(openclaw.FailureBadRequest, 0, "sent more than any answer can hold; the request was ended")
}

// Cut is the error of an answer that broke off.
func (e *Endpoint) Cut(cause error) *openclaw.Error {
	f := e.Failure(openclaw.FailureCutStream, 0, "broke off its answer: the stream was cut; try again")
	f.Err = cause
	return f
}

// Broken says what a failed exchange of bytes means. The caller's own context
// error is returned as it is.
func (x *Exchange) Broken(err error) error {
	if parent := x.parent.Err(); parent != nil {
		return parent
	}
	if Runaway(err) {
		return x.end.TooLarge()
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // without the URL, which may hold a key
	}
	var ne net.Error
	var f *openclaw.Error
	switch {
	case x.Silent():
		f = x.end.Failure(openclaw.FailureTimeout, 0, fmt.Sprintf("sent nothing for %s; try again later, or raise the provider's timeout", x.limit))
	case errors.As(err, &ne) && ne.Timeout():
		f = x.end.Failure(openclaw.FailureTimeout, 0, "did not answer in time; try again later")
	case x.begun:
		return x.end.Cut(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		f = x.end.Failure(openclaw.FailureNetwork, 0, "closed the connection before it answered; try again")
	default:
		f = x.end.Failure(openclaw.FailureNetwork, 0, "cannot be reached; check base_url and that the server is running")
	}
	f.Err = err
	return f
}

// Runaway says whether a read failed because the stream is larger than any
// answer.
func Runaway(err error) bool { return errors.Is(err, errRunaway) }

// Clean makes a text of the API fit to be shown: one line, bounded, without
// the secrets of this endpoint.
func (e *Endpoint) Clean(s string) string {
	for _, secret := range e.secrets {
		s = strings.ReplaceAll(s, secret, "[key]")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxMessage {
		s = string(r[:maxMessage-1]) + "…"
	}
	return s
}
