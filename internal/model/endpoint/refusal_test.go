package endpoint

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMessagesAreBounded(t *testing.T) {
	long := strings.Repeat("prompt é ", 10_000)
	for _, secret := range []string{"sk-secret-0123", "other-key-4567"} {
		m := at(t, Options{APIKey: "sk-secret-0123", Headers: map[string]string{"X-Key": "Bearer other-key-4567"}})
		e := m.classify(400, readReport(fmt.Appendf(nil, `{"error":{"message":"%s %s","code":"%s"}}`, secret, long, secret)), "m")
		for _, s := range []string{e.Message, e.Error()} {
			if strings.Contains(s, secret) || !utf8.ValidString(s) {
				t.Errorf("a secret or broken text in %q", s)
			}
		}
		if n := utf8.RuneCountInString(e.Message); n > maxMessage+100 {
			t.Errorf("the message has %d runes", n)
		}
	}
}

// at returns an endpoint nobody asks.
func at(t *testing.T, o Options) *Endpoint {
	t.Helper()
	o.Adapter, o.Name, o.BaseURL, o.KeyHeader = "test", "test", "http://127.0.0.1:1/v1", "Authorization"
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestKeyAdvice(t *testing.T) {
	tests := []struct{ name, key, want string }{
		{"openai", "", "the test API wants a key; set brain.api_key or OPENAI_API_KEY"},
		{"openai", "k", "the test API refused the key; set brain.api_key or OPENAI_API_KEY"},
		{"groq", "k", "the test API refused the key; set providers.groq.api_key"},
	}
	for _, tt := range tests {
		e := at(t, Options{APIKey: tt.key, KeySetting: KeySetting(tt.name, "openai", "OPENAI_API_KEY")})
		if got := e.classify(401, report{}, "m").Message; got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestAt: a query of the base URL stays, and the path goes below its own.
func TestAt(t *testing.T) {
	e, err := New(Options{BaseURL: "http://127.0.0.1:1/v1/?api-version=1"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.At("/models/a:b", "alt=sse"), "http://127.0.0.1:1/v1/models/a:b?api-version=1&alt=sse"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0}, {"0", 0}, {"1.5", 1500 * time.Millisecond}, {" 20 ", 20 * time.Second}, {"-3", 0}, {"soon", 0}, {"NaN", 0},
		{"1e300", maxRetryAfter}, {"999999", maxRetryAfter},
		{"Sat, 22 Nov 2025 12:00:10 GMT", 10 * time.Second}, {"Sat, 22 Nov 2025 11:00:00 GMT", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(http.Header{"Retry-After": {tt.value}}, now); got != tt.want {
			t.Errorf("Retry-After %q: got %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestReadReport(t *testing.T) {
	tests := []struct {
		body string
		want report
	}{
		{``, report{}},
		{`null`, report{message: "null"}},
		{`plain words`, report{message: "plain words"}},
		{`"quoted"`, report{message: "quoted"}},
		{`{"error":"text"}`, report{message: "text"}},
		{`{"error":{"message":"m","type":"t","code":7,"param":null}}`, report{message: "m", kind: "t", code: "7"}},
		{`{"code":3,"error":{"message":"m"}}`, report{message: "m", code: "3"}},
		{`{"detail":"d"}`, report{message: "d"}},
		{`{"errors":[{"message":"first"},{"message":"second"}]}`, report{message: "first"}},
		{`{"error":null,"message":"m"}`, report{message: "m"}},
		{`[[[[[["deep"]]]]]]`, report{}},
		{`{"error":{"message":"m","metadata":"none"}}`, report{message: "m"}},
		{`{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x","reason":"R"},{"retryDelay":"34.5s"}]}}`,
			report{message: "m", kind: "RESOURCE_EXHAUSTED", code: "429", reason: "R", wait: 34500 * time.Millisecond}},
		{`{"error":{"message":"m","details":{"reason":"R"}}}`, report{message: "m"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, readReport([]byte(tt.body)), cmp.AllowUnexported(report{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}
