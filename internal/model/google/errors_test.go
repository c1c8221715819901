package google

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

const (
	unavailable = openclaw.CodeModelUnavailable
	overflow    = openclaw.CodeContextOverflow
	notFound    = openclaw.CodeModelNotFound
	modelError  = openclaw.CodeModelError
)

// failures are refusals in the API's own words.
var failures = []modeltest.Failure{
	{Name: "bad key", Status: 400, Body: `{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "the test API refused the key; set providers.test.api_key"},
	{Name: "no key", Status: 403, Body: `{"error":{"code":403,"message":"Method doesn't allow unregistered callers (callers without established identity).","status":"PERMISSION_DENIED"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "unregistered callers"},
	{Name: "unauthenticated", Status: 401, Body: `{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth},
	{Name: "location", Status: 400, Body: `{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}`,
		Code: unavailable, Kind: openclaw.FailureAuth, Says: "User location"},
	{Name: "model", Status: 404, Body: `{"error":{"code":404,"message":"models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}`,
		Code: notFound, Kind: openclaw.FailureBadRequest, Says: "does not serve the model \"test-model\""},
	{Name: "context", Status: 400, Body: `{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}`,
		Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "rate", Status: 429, Body: `{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}`,
		Code: unavailable, Kind: openclaw.FailureRateLimited, RetryAfter: 34500 * time.Millisecond},
	{Name: "rate by header", Status: 429, Header: map[string]string{"Retry-After": "3"}, Body: `{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"9s"}]}}`,
		Code: unavailable, Kind: openclaw.FailureRateLimited, RetryAfter: 3 * time.Second},
	{Name: "internal", Status: 500, Body: `{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}`, Code: unavailable, Kind: openclaw.FailureOverloaded},
	{Name: "overloaded", Status: 503, Body: `{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}`,
		Code: unavailable, Kind: openclaw.FailureOverloaded, Says: "overloaded"},
	{Name: "deadline", Status: 504, Body: `{"error":{"code":504,"message":"Deadline expired before operation could complete.","status":"DEADLINE_EXCEEDED"}}`,
		Code: unavailable, Kind: openclaw.FailureTimeout},
	{Name: "request timeout", Status: 408, Code: unavailable, Kind: openclaw.FailureTimeout},
	{Name: "too large", Status: 413, Body: `Request Entity Too Large`, Code: overflow, Kind: openclaw.FailureOverflow},
	{Name: "bad request", Status: 400, Body: `{"error":{"code":400,"message":"Please ensure that the number of function response parts is equal to the number of function call parts.","status":"INVALID_ARGUMENT"}}`,
		Code: modelError, Kind: openclaw.FailureBadRequest, Says: "function response parts"},
	{Name: "echoed key", Status: 400, Body: `{"error":{"message":"key AIza-secret-0123 is odd"}}`, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "key [key] is odd"},
	{Name: "redirect", Status: 302, Header: map[string]string{"Location": "http://127.0.0.1:1/elsewhere"}, Code: modelError, Kind: openclaw.FailureBadRequest, Says: "base_url"},
}

func TestNoConnection(t *testing.T) {
	m := adapter(t, modeltest.Bodies(func(*http.Request) *http.Response { return nil }), Options{BaseURL: "http://u:hunter2@127.0.0.1:1/v1?key=hunter2"})
	a := modeltest.Collect(t, m.Stream(t.Context(), ask()))
	if a.Kind() != openclaw.FailureNetwork || strings.Contains(a.Err.Error(), "hunter2") {
		t.Errorf("got\n%s", a)
	}
}

// TestOddNames: a name that would change the path is no model's, and nothing
// is sent.
func TestOddNames(t *testing.T) {
	m := adapter(t, modeltest.Bodies(func(r *http.Request) *http.Response {
		t.Errorf("asked %s", r.URL)
		return nil
	}), Options{})
	for _, name := range []string{"", "../v1/x", "a b", "x?key=1", "x#y", "gemini%2f", strings.Repeat("x", 300)} {
		req := ask()
		req.Model = name
		a := modeltest.Collect(t, m.Stream(t.Context(), req))
		if openclaw.CodeOf(a.Err) != notFound {
			t.Errorf("%q: got\n%s", name, a)
		}
	}
}
