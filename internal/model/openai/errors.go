package openai

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/openclaw/openclaw-go"
)

// The values of Details["kind"], which say what failed more finely than the
// code.
const (
	kindAuth       = "auth"
	kindRate       = "rate_limited"
	kindOverloaded = "overloaded"
	kindOverflow   = "context_overflow"
	kindBadRequest = "bad_request"
	kindNetwork    = "network"
	kindTimeout    = "timeout"
	kindCut        = "cut_stream"
	kindFilter     = "content_filter"
)

// maxMessage bounds what of an API's own message is passed on, in runes;
// maxRetryAfter what it may ask to wait.
const (
	maxMessage    = 300
	maxRetryAfter = time.Hour
)

var codes = map[string]openclaw.Code{
	kindOverflow:   openclaw.CodeContextOverflow,
	kindBadRequest: openclaw.CodeModelError,
	kindFilter:     openclaw.CodeModelError,
}

// failure returns the error of a kind: "the NAME API " and what is said.
func (a *Adapter) failure(kind string, status int, said string) *openclaw.Error {
	code, ok := codes[kind]
	if !ok {
		code = openclaw.CodeModelUnavailable
	}
	details := map[string]any{"kind": kind}
	if status != 0 {
		details["status"] = status
	}
	return &openclaw.Error{Code: code, Message: "the " + a.name + " API " + said, Details: details}
}

func (a *Adapter) tooLarge() *openclaw.Error {
	return a.failure(kindBadRequest, 0, "sent more than any answer can hold; the request was ended")
}

func (a *Adapter) cut(cause error) *openclaw.Error {
	e := a.failure(kindCut, 0, "broke off its answer: the stream was cut; try again")
	e.Err = cause
	return e
}

// transportError says what a failed exchange of bytes means. The caller's own
// context error is returned as it is.
func (a *Adapter) transportError(w *watch, err error) error {
	if parent := w.parent.Err(); parent != nil {
		return parent
	}
	if errors.Is(err, errRunaway) {
		return a.tooLarge()
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // without the URL, which may hold a key
	}
	var ne net.Error
	var e *openclaw.Error
	switch {
	case w.silent():
		e = a.failure(kindTimeout, 0, fmt.Sprintf("sent nothing for %s; try again later, or raise the provider's timeout", w.limit))
	case errors.As(err, &ne) && ne.Timeout():
		e = a.failure(kindTimeout, 0, "did not answer in time; try again later")
	case w.begun:
		return a.cut(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		e = a.failure(kindNetwork, 0, "closed the connection before it answered; try again")
	default:
		e = a.failure(kindNetwork, 0, "cannot be reached; check base_url and that the server is running")
	}
	e.Err = err
	return e
}

// statusError says what a status other than 2xx means.
func (a *Adapter) statusError(resp *http.Response, body []byte, model string) *openclaw.Error {
	e := a.classify(resp.StatusCode, readReport(body), model)
	if e.Code == openclaw.CodeModelUnavailable {
		e.RetryAfter = retryAfter(resp.Header, time.Now())
	}
	return e
}

// streamError says what an error inside an accepted stream means.
func (a *Adapter) streamError(body []byte, model string) *openclaw.Error {
	rep := readReport(body)
	status, _ := strconv.Atoi(rep.code)
	if status < 400 || status > 599 {
		status = 0
	}
	return a.classify(status, rep, model)
}

// classify finds the kind of an error. The wording is asked first: servers
// disagree on the status for a history that is too long.
func (a *Adapter) classify(status int, rep report, model string) *openclaw.Error {
	words := rep.words()
	var e *openclaw.Error
	switch {
	case isOverflow(words) && status != http.StatusUnauthorized, status == http.StatusRequestEntityTooLarge:
		e = a.failure(kindOverflow, status, "found the conversation too long for the model; compact or reset the session")
	case isUnknownModel(words), status == http.StatusNotFound:
		e = a.failure(kindBadRequest, status, fmt.Sprintf("does not serve the model %q%s; choose another model, or check base_url, which usually ends in /v1", model, a.quote(rep)))
		e.Code = openclaw.CodeModelNotFound
	case isUnpaid(words), status == http.StatusPaymentRequired:
		e = a.failure(kindAuth, status, "says the account has no credit left; add some, or choose another provider")
	case status == http.StatusUnauthorized, status == 0 && containsAny(words, "invalid_api_key", "authentication"):
		e = a.failure(kindAuth, status, a.keyAdvice())
	case status == http.StatusForbidden:
		e = a.failure(kindAuth, status, "refused access"+a.quote(rep)+"; check the key's permissions")
	case status == http.StatusTooManyRequests, status == 0 && containsAny(words, "rate_limit", "rate limit", "too many requests"):
		e = a.failure(kindRate, status, "is over its rate limit; wait, or choose another provider")
	case containsAny(words, "content_filter", "content_policy", "content management policy"):
		e = a.failure(kindFilter, status, "refused the content of the request"+a.quote(rep)+"; rephrase it")
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		e = a.failure(kindTimeout, status, "did not answer in time; try again later")
	case status >= 500, status == 0 && !strings.Contains(words, "invalid_request"):
		e = a.failure(kindOverloaded, status, "cannot answer now"+a.quote(rep)+"; try again later")
	case status >= 300 && status < 400:
		e = a.failure(kindBadRequest, status, "redirects elsewhere, which is not followed; set base_url to where it leads")
	default:
		e = a.failure(kindBadRequest, status, "refused the request"+a.quote(rep)+"; check the model and its options")
	}
	e.Err = fmt.Errorf("status %d, type %q, code %q: %s", status, a.clean(rep.kind), a.clean(rep.code), a.clean(rep.message))
	return e
}

// keyAdvice names the setting that holds the key.
func (a *Adapter) keyAdvice() string {
	setting := "providers." + a.name + ".api_key"
	if a.name == DefaultName {
		setting = "brain.api_key or OPENAI_API_KEY"
	}
	if !a.keyed {
		return "wants a key; set " + setting
	}
	return "refused the key; set " + setting
}

// quote returns the API's own message in brackets, "" for none.
func (a *Adapter) quote(rep report) string {
	if m := a.clean(rep.message); m != "" {
		return " (" + m + ")"
	}
	return ""
}

// clean makes a text of the API fit to be shown: one line, bounded, without
// the secrets of this adapter.
func (a *Adapter) clean(s string) string {
	for _, secret := range a.secrets {
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

// retryAfter reads how long the API asks to wait, 0 where it does not.
func retryAfter(h http.Header, now time.Time) time.Duration {
	clamp := func(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
	seconds := func(s string, unit time.Duration) (time.Duration, bool) {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || f != f {
			return 0, false
		}
		return time.Duration(min(max(f, 0), 1e6) * float64(unit)), true
	}
	if d, ok := seconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return clamp(d)
	}
	v := h.Get("Retry-After")
	if d, ok := seconds(v, time.Second); ok {
		return clamp(d)
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent // the server's clock, not this one
	}
	return clamp(at.Sub(now))
}
