package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// searchWith returns the tool for an engine that handler plays.
func searchWith(t *testing.T, provider string, handler http.HandlerFunc) openclaw.Tool {
	t.Helper()
	tools, err := New(Options{
		Search:  Search{Provider: provider, APIKey: "sk-very-secret", BaseURL: serve(t, handler) + "/"},
		Timeout: 5 * time.Second, UserAgent: "OpenClaw/test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return tools[1]
}

func TestSearchEngines(t *testing.T) {
	tests := map[string]struct{ request, want string }{
		"brave": {
			"GET /web/search?count=2&q=go+%26+c&text_decorations=false | X-Subscription-Token: sk-very-secret",
			"1. The Go Programming Language\n   https://go.dev/\n   Go is an open source programming language & more.\n" +
				"2. cgo command - cmd/cgo\n   https://pkg.go.dev/cmd/cgo\n",
		},
		"tavily": {
			`POST /search | Authorization: Bearer sk-very-secret | {"max_results":2,"query":"go \u0026 c","search_depth":"basic"}`,
			"1. The Go Programming Language\n   https://go.dev/\n   Build simple, secure, scalable systems with Go. 1 < 2\n" +
				"2. (no title)\n   https://go.dev/doc/\n",
		},
		"searxng": {
			"GET /search?format=json&q=go+%26+c | Authorization: Bearer sk-very-secret",
			"1. Go\n   https://go.dev/\n   The Go language\n2. Go (game)\n   https://en.wikipedia.org/wiki/Go_(game)\n   A board game\n",
		},
	}
	for provider, tt := range tests {
		t.Run(provider, func(t *testing.T) {
			recorded, err := os.ReadFile("testdata/" + provider + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var request string
			tool := searchWith(t, provider, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				request = r.Method + " " + r.URL.String()
				for _, name := range []string{"X-Subscription-Token", "Authorization"} {
					if v := r.Header.Get(name); v != "" {
						request += " | " + name + ": " + v
					}
				}
				if len(body) > 0 {
					request += " | " + string(body)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(recorded) // the client sees what is missing
			})
			res, err := run(t.Context(), t, tool, map[string]any{"query": " go & c ", "count": 2})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.request, request); diff != "" {
				t.Errorf("request: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, res.Output); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSearchFailures(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   string
	}{
		{http.StatusUnauthorized, "{}", "tell the owner"},
		{http.StatusForbidden, "", "format json"},
		{http.StatusTooManyRequests, "", "go on without"},
		{http.StatusUnprocessableEntity, "", "plain words"},
		{http.StatusInternalServerError, "", "500 Internal Server Error; try again later"},
		{http.StatusFound, "", "302 Found"}, // the key goes nowhere else
		{http.StatusOK, "<html>", "not what brave sends"},
		{http.StatusOK, `{"web": 5}`, "not what brave sends"},
	}
	for _, tt := range tests {
		tool := searchWith(t, "brave", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		})
		_, err := run(t.Context(), t, tool, map[string]any{"query": "x"})
		wantError(t, err, tt.want)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the key is in %q", err)
		}
	}
	tool := searchWith(t, "brave", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{}") })
	if res, err := run(t.Context(), t, tool, map[string]any{"query": "x", "count": 1e9}); err != nil || !strings.Contains(res.Output, "nothing found") {
		t.Errorf("%v, %v", res, err)
	}
	for _, args := range []map[string]any{{}, {"query": "  "}, {"query": 5}, {"query": strings.Repeat("x", maxQuery+1)}} {
		if _, err := run(t.Context(), t, tool, args); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run(ctx, t, tool, map[string]any{"query": "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled search: %v", err)
	}
}

func TestSearchOptions(t *testing.T) {
	if tools, err := New(Options{}); err != nil || len(tools) != 1 {
		t.Errorf("without a provider: %d tools, %v", len(tools), err)
	}
	for want, s := range map[string]Search{
		"must be brave, tavily or searxng":   {Provider: "gogle"},
		"needs hands.web.search.api_key":     {Provider: "brave"},
		"or TAVILY_API_KEY":                  {Provider: "tavily"},
		"needs hands.web.search.base_url":    {Provider: "searxng"},
		"base_url must be an address such a": {Provider: "searxng", BaseURL: "localhost:8080"},
	} {
		_, err := New(Options{Search: s})
		wantError(t, err, want)
	}
	if _, err := New(Options{MaxPage: 1}); err == nil {
		t.Error("a page of one byte is accepted")
	}
}
