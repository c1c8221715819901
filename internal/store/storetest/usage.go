package storetest

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

// charge is one call of a model.
func charge(model string, input, output int, usd float64) openclaw.Charge {
	return openclaw.Charge{Provider: "p", Model: model, Usage: openclaw.Usage{Input: input, Output: output, CostUSD: usd}}
}

func usageLines(t *testing.T, s Store, q openclaw.UsageQuery) []openclaw.UsageLine {
	t.Helper()
	lines, err := s.Usage(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func usageLine(key string, calls, input, output int, usd float64) openclaw.UsageLine {
	return openclaw.UsageLine{Key: key, Calls: calls, Usage: openclaw.Usage{Input: input, Output: output, CostUSD: usd}}
}

// testUsage checks that the ledger has what the events say, each charge once:
// those of steps, and those that only the end of a turn carries, however it
// ended; and those of turns that leave no events.
func testUsage(t *testing.T, open Open) {
	s := start(t, open)
	late := time.Date(2026, 3, 14, 23, 59, 59, 999_999_000, time.UTC)
	beat := charge("b", 40, 2, 0.125)
	beat.Heartbeat = true
	free := charge("c", 6, 1, 0)
	free.Unpriced, free.Usage.CacheRead, free.Usage.CacheWrite = true, 3, 2
	at := func(when time.Time, events []openclaw.Event) []openclaw.Event {
		for i := range events {
			events[i].Time = when
		}
		return events
	}
	used := &openclaw.Usage{Input: 10, Output: 1, CostUSD: 0.25}
	mustAppend(t, s, at(late, log("s0", 1, asked("x"),
		openclaw.TextWritten{Text: "t", Step: openclaw.Step{N: 1, Usage: used, Charges: []openclaw.Charge{charge("a", 10, 1, 0.25)}}},
		openclaw.ToolCalled{CallID: "c", Tool: "t", Step: openclaw.Step{N: 2, Charges: []openclaw.Charge{charge("a", 20, 2, 0.5), charge("b", 1, 1, 0)}}},
		openclaw.TurnCompleted{Usage: openclaw.Usage{Input: 31, Output: 4}, Charges: []openclaw.Charge{free}})))
	// The day is the one in UTC, wherever the clock was read.
	mustAppend(t, s, at(late.In(time.FixedZone("east", 5*3600)), log("s1", 1, asked("x"),
		openclaw.TurnFailed{Charges: []openclaw.Charge{charge("a", 100, 0, 1)}},
		asked("y"), openclaw.TurnCancelled{Charges: []openclaw.Charge{beat}})))
	if err := s.Charge(t.Context(), "", late.Add(time.Microsecond), []openclaw.Charge{charge("a", 7, 0, 1), {}}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		query openclaw.UsageQuery
		want  []openclaw.UsageLine
	}{
		"by day": {openclaw.UsageQuery{By: openclaw.UsageByDay}, []openclaw.UsageLine{
			{Key: "2026-03-14", Calls: 6, Unpriced: 7, Usage: openclaw.Usage{Input: 177, Output: 7, CacheRead: 3, CacheWrite: 2, CostUSD: 1.875}},
			usageLine("2026-03-15", 2, 7, 0, 1)}},
		"by session": {openclaw.UsageQuery{By: openclaw.UsageBySession, From: "2026-03-14", To: "2026-03-15"}, []openclaw.UsageLine{
			usageLine("s1", 2, 140, 2, 1.125),
			{Key: "s0", Calls: 4, Unpriced: 7, Usage: openclaw.Usage{Input: 37, Output: 5, CacheRead: 3, CacheWrite: 2, CostUSD: 0.75}},
			usageLine("", 2, 7, 0, 1)}},
		"by model": {openclaw.UsageQuery{By: openclaw.UsageByModel, To: "2026-03-14", Limit: 2}, []openclaw.UsageLine{
			usageLine("p/a", 3, 130, 3, 1.75), usageLine("p/b", 2, 41, 3, 0.125)}},
		"heartbeats": {openclaw.UsageQuery{By: openclaw.UsageByDay, Heartbeats: true}, []openclaw.UsageLine{
			usageLine("2026-03-14", 1, 40, 2, 0.125)}},
		"from a day": {openclaw.UsageQuery{By: openclaw.UsageByModel, From: "2026-03-15"}, []openclaw.UsageLine{
			usageLine("p/a", 1, 7, 0, 1), usageLine("", 1, 0, 0, 0)}},
		"another month": {openclaw.UsageQuery{By: openclaw.UsageByDay, From: "2026-04-01"}, nil},
	} {
		wantEqual(t, name, tt.want, usageLines(t, s, tt.query))
	}
	if _, err := s.Usage(t.Context(), openclaw.UsageQuery{By: "day; DROP TABLE usage"}); err == nil {
		t.Error("usage by something else")
	}
}

// testUsageOfDeleted checks that what a deleted session cost stays, and that
// its name does not.
func testUsageOfDeleted(t *testing.T, open Open) {
	s := start(t, open)
	for _, name := range []string{"secret", "main"} {
		for seq := int64(1); seq < 6; seq += 2 {
			mustAppend(t, s, log(name, seq, asked("x"), openclaw.TurnCompleted{Charges: []openclaw.Charge{charge("a", 10, 5, 0.5)}}))
		}
	}
	if err := s.Charge(t.Context(), "", noon, []openclaw.Charge{charge("a", 1, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "by session", []openclaw.UsageLine{usageLine("", 4, 31, 16, 2.5), usageLine("main", 3, 30, 15, 1.5)},
		usageLines(t, s, openclaw.UsageQuery{By: openclaw.UsageBySession}))
}
