package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/budget"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// pricedAPI answers every call of the Chat Completions API, which costs 1,000
// tokens read and 100 written.
func pricedAPI(t *testing.T, asked *atomic.Int64) string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, data := range []string{
			`{"choices":[{"index":0,"delta":{"role":"assistant","content":"hi"}}]}`,
			`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
			`{"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`, `[DONE]`,
		} {
			fmt.Fprintf(w, "data: %s\n\n", data)
		}
	}))
	t.Cleanup(api.Close)
	return api.URL + "/v1"
}

// payloadOf asks and reads the payload of the answer.
func payloadOf[T any](t *testing.T, s *served, frame string) T {
	t.Helper()
	c := s.dial(s.listen("tcp", "127.0.0.1:0"), "/", nil)
	var m struct{ Payload T }
	if err := json.Unmarshal([]byte(ask(t, c, frame)), &m); err != nil {
		t.Fatal(err)
	}
	return m.Payload
}

// What turns cost is in their answers, the status and the ledger, those of
// turns that leave nothing too; at the cap the answer says when it is over; and
// a restart forgets none of it.
func TestSpending(t *testing.T) {
	const file = `
brain: {provider: own, model: m, max_tokens: 100}
providers: {own: {api: openai, base_url: %q, models: {m: {cost: {input: 1000, output: 10000}}}}}
budget: {daily_limit_usd: 20, monthly_limit_usd: 100}
`
	text := fmt.Sprintf(file, pricedAPI(t, &atomic.Int64{}))
	s := serveFile(t, text)
	for i := range 2 {
		r := payloadOf[protocol.Response](t, s, fmt.Sprintf(`{"type":"chat","payload":{"text":"hi","options":{"no_memory":%v}}}`, i == 1))
		if want := (openclaw.Usage{Input: 1000, Output: 100, CostUSD: 2}); r.Usage != want {
			t.Errorf("usage %+v, want %+v", r.Usage, want)
		}
	}
	check := func(s *served) {
		t.Helper()
		want := protocol.UsageToday{Tokens: 2200, CostUSD: 4, LimitUSD: 20}
		if got := payloadOf[protocol.Status](t, s, `{"type":"status"}`).UsageToday; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("status has %+v, want %+v", got, want)
		}
		u := payloadOf[protocol.Usage](t, s, `{"type":"usage"}`)
		sessions := []string{}
		for _, e := range u.Sessions {
			sessions = append(sessions, fmt.Sprintf("%s:%d:%v", e.Session, e.TokensUsed, e.Usage.CostUSD))
		}
		if u.Total.Calls != 2 || u.Total.Usage.CostUSD != 4 || u.MonthUSD != 4 || len(u.Days) != 1 || len(u.Models) != 1 ||
			u.Models[0].Model != "own/m" || strings.Join(sessions, " ") != ":1100:2 main:1100:2" {
			t.Errorf("usage %+v", u)
		}
	}
	check(s)
	s.close()

	// The same store again, with less to spend.
	path := filepath.Join(s.home, "config.yml")
	text = strings.Replace(text, "daily_limit_usd: 20", "daily_limit_usd: 5", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s = serveHome(t, s.home)
	if used := payloadOf[protocol.Status](t, s, `{"type":"status"}`).UsageToday; used.Tokens != 2200 || used.CostUSD != 4 {
		t.Errorf("after a restart: %+v", used)
	}
	e := payloadOf[protocol.Error](t, s, `{"type":"chat","payload":{"text":"hi"}}`)
	if e.Code != openclaw.CodeBudgetExceeded || !e.Retryable || e.RetryAfterMS <= 0 || e.Details["resets_at"] == nil ||
		!strings.Contains(e.Message, "budget.daily_limit_usd") {
		t.Errorf("at the cap: %+v", e)
	}
	if err := os.WriteFile(filepath.Join(s.home, ".openclaw", "HEARTBEAT.md"), []byte("- look around\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	beat := payloadOf[protocol.HeartbeatStatus](t, s, `{"type":"heartbeat_trigger"}`)
	if beat.Result != protocol.HeartbeatSkipped || beat.Reason != "budget" {
		t.Errorf("a heartbeat: %+v", beat)
	}
}

func TestPriceOf(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, "c.yml")
	text := "brain: {provider: offline}\nproviders:\n  own: {api: openai, base_url: http://127.0.0.1:1/v1, models: {a.1: {cost: {input: 2, cache_read: 1}}, free: {cost: {input: 0, output: 0}}, bare: {context_window: 9}}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(config.Options{Path: path, Home: home, Environ: []string{"HOME=" + home}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		provider, model string
		want            budget.Price
		known           bool
	}{
		{"own", "a.1", budget.Price{Input: 2, CacheRead: 1}, true},
		{"own", "free", budget.Price{}, true},
		{"own", "bare", budget.Price{}, false},
		{"own", "gpt-5", budget.Price{}, false}, // it may resell it at any price
		{"openai", "gpt-5", budget.Price{Input: 1.25, Output: 10, CacheRead: 0.125}, true},
		{"offline", "anything", budget.Price{}, true},
		{"openai", "new", budget.Price{}, false},
		{"nobody", "gpt-5", budget.Price{}, false},
	} {
		if got, known := priceOf(c, tt.provider, tt.model); got != tt.want || known != tt.known {
			t.Errorf("%s/%s: %+v, %v", tt.provider, tt.model, got, known)
		}
	}
}

// Fifty conversations at once do not pass the limit together, and those that
// meet it hear when it resets.
func TestFiftyTurnsHoldTheLimit(t *testing.T) {
	const turns, limit, each = 50, 15, 2
	var asked atomic.Int64
	s := serveFile(t, fmt.Sprintf(`
brain: {provider: own, model: m, max_tokens: 100}
providers: {own: {api: openai, base_url: %q, models: {m: {cost: {input: 1000, output: 10000}}}}}
budget: {daily_limit_usd: %d}
`, pricedAPI(t, &asked), limit))
	address := s.listen("tcp", "127.0.0.1:0")
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range turns {
		c := s.dial(address, "/", nil)
		wg.Go(func() {
			answer := ask(t, c, fmt.Sprintf(`{"type":"chat","payload":{"text":"hi","context":{"session":"s%d"}}}`, i))
			switch {
			case strings.Contains(answer, `"type":"response"`):
				answered.Add(1)
			case strings.Contains(answer, `"BUDGET_EXCEEDED"`) && strings.Contains(answer, `"resets_at"`):
				refused.Add(1)
			default:
				t.Error(answer)
			}
		})
	}
	wg.Wait()
	used := payloadOf[protocol.Status](t, s, `{"type":"status"}`).UsageToday
	if used.CostUSD > limit || used.CostUSD != float64(each*answered.Load()) || asked.Load() != answered.Load() {
		t.Errorf("$%v are used by %d answers to %d calls; the limit is $%d", used.CostUSD, answered.Load(), asked.Load(), limit)
	}
	if answered.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d answered, %d refused", answered.Load(), refused.Load())
	}
}
