package endpoint

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

// maxRetryAfter is the longest that an API may ask to wait.
const maxRetryAfter = time.Hour

// Refused says what a status other than 2xx means. The model is the one that
// was asked.
func (e *Endpoint) Refused(resp *http.Response, body []byte, model string) *openclaw.Error {
	rep := readReport(body)
	f := e.classify(resp.StatusCode, rep, model)
	if f.Code == openclaw.CodeModelUnavailable {
		f.RetryAfter = retryAfter(resp.Header, time.Now())
		if f.RetryAfter == 0 {
			f.RetryAfter = rep.wait
		}
	}
	return f
}

// RefusedInStream says what an error inside an accepted answer means.
func (e *Endpoint) RefusedInStream(body []byte, model string) *openclaw.Error {
	rep := readReport(body)
	status, _ := strconv.Atoi(rep.code)
	if status < 400 || status > 599 {
		status = 0
	}
	f := e.classify(status, rep, model)
	if f.Code == openclaw.CodeModelUnavailable {
		f.RetryAfter = rep.wait
	}
	return f
}

// classify finds the kind of an error. The wording is asked first: servers
// disagree on the status for a history that is too long.
func (e *Endpoint) classify(status int, rep report, model string) *openclaw.Error {
	kind, said := e.verdict(status, rep, model)
	f := e.Failure(kind, status, said)
	if kind == openclaw.FailureBadRequest && isUnknownModel(status, rep.words()) {
		f.Code = openclaw.CodeModelNotFound
	}
	f.Err = fmt.Errorf("status %d, type %q, code %q: %s", status, e.Clean(rep.kind), e.Clean(rep.code), e.Clean(rep.message))
	return f
}

func (e *Endpoint) verdict(status int, rep report, model string) (kind, said string) {
	words := rep.words()
	switch {
	case isOverflow(words) && status != http.StatusUnauthorized, status == http.StatusRequestEntityTooLarge:
		return openclaw.FailureOverflow, "found the conversation too long for the model; compact or reset the session"
	case isUnknownModel(status, words):
		return openclaw.FailureBadRequest, fmt.Sprintf("does not serve the model %q%s; choose another model, or check base_url%s", model, e.quote(rep), e.baseHint)
	case isUnpaid(words), status == http.StatusPaymentRequired:
		return openclaw.FailureAuth, "says the account has no credit left; add some, or choose another provider"
	case status == http.StatusUnauthorized, isBadKey(status, words):
		return openclaw.FailureAuth, e.keyAdvice()
	case status == http.StatusForbidden, strings.Contains(words, "location is not supported"):
		return openclaw.FailureAuth, "refused access" + e.quote(rep) + "; check the key's permissions"
	case status == http.StatusTooManyRequests, status == 0 && containsAny(words, "rate_limit", "rate limit", "too many requests", "resource_exhausted"):
		return openclaw.FailureRateLimited, "is over its rate limit; wait, or choose another provider"
	case isFiltered(words):
		return openclaw.FailureFilter, "refused the content of the request" + e.quote(rep) + "; rephrase it"
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return openclaw.FailureTimeout, "did not answer in time; try again later"
	case status >= 500, status == 0 && !containsAny(words, "invalid_request", "invalid_argument", "invalid_prompt", "image"):
		return openclaw.FailureOverloaded, "cannot answer now" + e.quote(rep) + "; try again later"
	case status >= 300 && status < 400:
		return openclaw.FailureBadRequest, "redirects elsewhere, which is not followed; set base_url to where it leads"
	}
	return openclaw.FailureBadRequest, "refused the request" + e.quote(rep) + "; check the model and its options"
}

// keyAdvice names the setting that holds the key.
func (e *Endpoint) keyAdvice() string {
	if !e.keyed {
		return "wants a key; set " + e.keySetting
	}
	return "refused the key; set " + e.keySetting
}

// quote returns the API's own message in brackets, "" for none.
func (e *Endpoint) quote(rep report) string {
	if m := e.Clean(rep.message); m != "" {
		return " (" + m + ")"
	}
	return ""
}

// retryAfter reads how long the API asks to wait, 0 where it does not.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := seconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	v := h.Get("Retry-After")
	if d, ok := seconds(v, time.Second); ok {
		return d
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

func clamp(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }

// seconds reads a number of units.
func seconds(s string, unit time.Duration) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || f != f {
		return 0, false
	}
	return clamp(time.Duration(min(max(f, 0), 1e6) * float64(unit))), true
}
