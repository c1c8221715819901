package budget_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/budget"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tenth is a price of 10 cents a call of one token each way.
func tenth(string, string) (budget.Price, bool) {
	return budget.Price{Input: 50_000, Output: 50_000}, true
}

func call(input, output int) openclaw.Charge {
	return openclaw.Charge{Provider: "p", Model: "m", Usage: openclaw.Usage{Input: input, Output: output}}
}

func heartbeat(input, output int) openclaw.Charge {
	c := call(input, output)
	c.Heartbeat = true
	return c
}

func want(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Fifty turns at once, which ask for more than there is and use less than they
// ask for, never pass a bound, not for a moment; and they use it up, as far as
// a call still fits.
func TestConcurrentTurnsHold(t *testing.T) {
	const limitUSD, limitTokens = 3.0, 4000
	for name, terms := range map[string]budget.Terms{
		"usd":     {Limits: budget.Limits{DailyUSD: limitUSD}, Price: tenth},
		"month":   {Limits: budget.Limits{MonthlyUSD: limitUSD}, Price: tenth},
		"tokens":  {Limits: budget.Limits{DailyTokens: limitTokens}},
		"at once": {Limits: budget.Limits{DailyUSD: limitUSD, DailyTokens: 50, MonthlyUSD: 2 * limitUSD}, Price: tenth},
	} {
		t.Run(name, func(t *testing.T) {
			b := budget.New(budget.Options{Terms: terms})
			worst := call(1, 5)
			if name == "tokens" {
				worst = call(100, 200)
			}
			var under, refused atomic.Int64 // tokens that may be used right now, and turns that were stopped
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					for range 40 {
						settle, err := b.Reserve(t.Context(), worst)
						if err != nil {
							if openclaw.CodeOf(err) != openclaw.CodeBudgetExceeded {
								t.Error(err)
							}
							refused.Add(1)
							return
						}
						now := under.Add(int64(worst.Usage.Total()))
						s := b.State()
						if s.CostUSD > limitUSD+1e-9 && terms.Price != nil {
							t.Errorf("$%v are used", s.CostUSD)
						}
						if terms.Limits.DailyTokens > 0 && int(now) > terms.Limits.DailyTokens {
							t.Errorf("%d tokens are under way", now)
						}
						used := worst
						used.Usage.Output = rand.IntN(worst.Usage.Output + 1)
						under.Add(-int64(worst.Usage.Total()))
						settle(used)
					}
				})
			}
			wg.Wait()
			s := b.State()
			if refused.Load() == 0 {
				t.Error("nobody met the bound")
			}
			if terms.Price != nil && (s.CostUSD > limitUSD || s.CostUSD < limitUSD-0.3 && name != "at once") {
				t.Errorf("$%v are used of $%v", s.CostUSD, limitUSD)
			}
			if most := terms.Limits.DailyTokens; most > 0 && (s.Tokens > most || name == "tokens" && s.Tokens < most-300) {
				t.Errorf("%d tokens are used of %d", s.Tokens, most)
			}
		})
	}
}

func TestReserveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Options{Terms: budget.Terms{Limits: budget.Limits{DailyTokens: 100}}})
		settle, err := b.Reserve(t.Context(), call(40, 40))
		if err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		given := make(chan error)
		go func() { _, err := b.Reserve(ctx, call(10, 30)); given <- err }()
		synctest.Wait()
		cancel(stop)
		if err := <-given; !errors.Is(err, stop) {
			t.Errorf("cancelled: %v", err)
		}
		go func() {
			done, err := b.Reserve(t.Context(), call(10, 30))
			if err == nil {
				done(call(1, 1))
			}
			given <- err
		}()
		synctest.Wait()
		settle(call(30, 10))
		if err := <-given; err != nil {
			t.Errorf("after the other has settled: %v", err)
		}
		want(t, "tokens", 42, b.State().Tokens)
		b.Set(budget.Terms{Limits: budget.Limits{DailyTokens: 43}})
		if _, err := b.Reserve(t.Context(), call(1, 1)); openclaw.CodeOf(err) != openclaw.CodeBudgetExceeded {
			t.Errorf("over a bound that was lowered: %v", err)
		}
	})
}

func TestExceeded(t *testing.T) {
	now := time.Date(2026, 11, 28, 18, 30, 0, 0, time.FixedZone("", 3600))
	b := budget.New(budget.Options{
		Terms: budget.Terms{Limits: budget.Limits{DailyUSD: 1}, Price: tenth},
		Now:   func() time.Time { return now },
	})
	settle, err := b.Reserve(t.Context(), call(5, 10))
	if err != nil {
		t.Fatal(err)
	}
	settle(call(5, 10))
	_, err = b.Reserve(t.Context(), call(1, 9))
	e := openclaw.AsError(err)
	want(t, "message", "the budget of $1.00 a day does not allow this call: $0.75 is used and the call may take up to $0.50; "+
		"it resets at 2026-11-29T00:00:00Z, or raise budget.daily_limit_usd", e.Message)
	want(t, "details", map[string]any{"limit": "budget.daily_limit_usd", "resets_at": "2026-11-29T00:00:00Z",
		"limit_usd": 1.0, "used_usd": 0.75, "needed_usd": 0.5}, e.Details)
	want(t, "retry after", 6*time.Hour+30*time.Minute, e.RetryAfter)
	want(t, "retryable", true, e.Code.Retryable())
	_, err = b.Reserve(t.Context(), call(1, 99))
	want(t, "message", "one call may take up to $5.00, and budget.daily_limit_usd allows $1.00 a day; "+
		"lower brain.max_tokens or raise budget.daily_limit_usd (it resets at 2026-11-29T00:00:00Z)", openclaw.AsError(err).Message)
	if b.Exceeded(false) != nil {
		t.Error("there is something left")
	}

	now = now.Add(7 * time.Hour) // a new day
	if _, err = b.Reserve(t.Context(), call(1, 9)); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestMonth(t *testing.T) {
	now := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	b := budget.New(budget.Options{
		Terms: budget.Terms{Limits: budget.Limits{MonthlyUSD: 2}, Price: tenth},
		Now:   func() time.Time { return now },
	})
	line := func(day string, usd float64, tokens int) openclaw.UsageLine {
		return openclaw.UsageLine{Key: day, Usage: openclaw.Usage{Input: tokens, CostUSD: usd}}
	}
	b.Restore(budget.Record{
		Days:       []openclaw.UsageLine{line("2026-11-30", 50, 1), line("2026-12-01", 1.5, 7), line("2026-12-31", 0.5, 9)},
		Heartbeats: []openclaw.UsageLine{line("2026-12-01", 1, 7), line("2026-12-31", 0.5, 4)},
		Models:     []openclaw.UsageLine{{Key: "x/y", Unpriced: 3}, {Key: "p/m"}},
	})
	want(t, "state", budget.State{Tokens: 9, CostUSD: 0.5, MonthUSD: 2, Limits: budget.Limits{MonthlyUSD: 2}, Unpriced: []string{"x/y"}}, b.State())
	e := openclaw.AsError(b.Exceeded(false))
	if e == nil || e.Details["resets_at"] != "2027-01-01T00:00:00Z" || e.RetryAfter != time.Hour {
		t.Errorf("%+v", e)
	}
	now = now.Add(2 * time.Hour)
	if err := b.Exceeded(false); err != nil {
		t.Errorf("in the next month: %v", err)
	}
	want(t, "state", budget.State{Limits: budget.Limits{MonthlyUSD: 2}}, b.State())
}

func TestHeartbeats(t *testing.T) {
	b := budget.New(budget.Options{Terms: budget.Terms{Limits: budget.Limits{HeartbeatDailyTokens: 100}}})
	settle, err := b.Reserve(t.Context(), heartbeat(40, 60))
	if err != nil {
		t.Fatal(err)
	}
	settle(heartbeat(40, 60))
	if _, err := b.Reserve(t.Context(), heartbeat(1, 0)); openclaw.AsError(err).Details["limit"] != "budget.heartbeat_daily_tokens" {
		t.Errorf("a heartbeat: %v", err)
	}
	if b.Exceeded(true) == nil || b.Exceeded(false) != nil {
		t.Error("the bound is one of heartbeats alone")
	}
	if _, err := b.Reserve(t.Context(), call(1000, 1000)); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// A price that is not known counts tokens only, and says so.
func TestUnknownPrice(t *testing.T) {
	var log bytes.Buffer
	b := budget.New(budget.Options{
		Terms:  budget.Terms{Limits: budget.Limits{DailyUSD: 0.01}, Price: func(string, string) (budget.Price, bool) { return budget.Price{}, false }},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for range 3 {
		settle, err := b.Reserve(t.Context(), call(1e6, 1e6))
		if err != nil {
			t.Fatal(err)
		}
		if c := settle(call(10, 20)); !c.Unpriced || c.Usage.CostUSD != 0 {
			t.Errorf("charged %+v", c)
		}
	}
	want(t, "state", budget.State{Tokens: 90, Limits: budget.Limits{DailyUSD: 0.01}, Unpriced: []string{"p/m"}}, b.State())
	want(t, "lines in the log", 1, strings.Count(log.String(), "\n"))

	settle, _ := b.Reserve(t.Context(), call(1, 1))
	said := call(1, 1)
	said.Usage.CostUSD = 0.5 // by the API itself
	want(t, "charge", said, settle(said))
	want(t, "cost", 0.5, b.State().CostUSD)
}

func TestPrices(t *testing.T) {
	price := budget.Price{Input: 10, Output: 50, CacheRead: 1, CacheWrite: 12.5,
		Long: &budget.Price{Input: 20, Output: 100}, LongFrom: 1_000_000}
	usage := openclaw.Usage{Input: 1_000_000, Output: 100_000, CacheRead: 500_000, CacheWrite: 100_000}
	want(t, "cost", 4+5+0.5+1.25, price.Cost(usage))
	want(t, "most", 12.5+5, price.Most(usage))
	usage.Input++
	want(t, "long", 20*0.4+2e-5+20*0.5+20*0.1+10, price.Cost(usage))

	for _, tt := range []struct {
		api, model string
		input      float64
	}{
		{"anthropic", "claude-opus-4-6", 5}, {"anthropic", "claude-opus-4-20250514", 15}, {"anthropic", "claude-3-5-haiku-latest", 0.80},
		{"anthropic", "claude-haiku-4-5-20251001", 1}, {"openai", "gpt-5", 1.25}, {"openai", "gpt-5-2025-08-07", 1.25},
		{"openai", "gpt-5-mini", 0.25}, {"google", "models/gemini-3.1-pro-preview", 2}, {"google", "gemini-2.5-flash-preview-09-2025", 0.30},
	} {
		if p, ok := budget.Known(tt.api, tt.model); !ok || p.Input != tt.input {
			t.Errorf("%s/%s: %+v %v", tt.api, tt.model, p, ok)
		}
	}
	for _, unknown := range [][2]string{{"openai", "claude-opus-4-6"}, {"openai", "gpt-5-turbo"}, {"openai", "gpt-"}, {"ollama", "llama3"}, {"google", ""}} {
		if _, ok := budget.Known(unknown[0], unknown[1]); ok {
			t.Errorf("%v has a price", unknown)
		}
	}
}
