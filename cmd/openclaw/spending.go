package main

import (
	"context"
	"strconv"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/budget"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/protocol"
)

// budgetTerms are the bounds and the prices of the configuration.
func budgetTerms(c *config.Config) budget.Terms {
	return budget.Terms{
		Limits: budget.Limits{
			DailyUSD: c.Budget.DailyLimitUSD, MonthlyUSD: c.Budget.MonthlyLimitUSD,
			DailyTokens: c.Budget.DailyLimitTokens, HeartbeatDailyTokens: c.Budget.HeartbeatDailyTokens,
		},
		Price: func(provider, model string) (budget.Price, bool) { return priceOf(c, provider, model) },
	}
}

// priceOf returns what a model costs: as configured, nothing where the API is
// this machine's own, or as its maker publishes it.
func priceOf(c *config.Config, provider, model string) (budget.Price, bool) {
	endpoint, known := c.Endpoint(provider)
	if !known {
		return budget.Price{}, false
	}
	cost := endpoint.Models[model].Cost
	said := c.IsSet("providers."+provider+".models."+strconv.Quote(model)+".cost") ||
		c.IsSet("providers."+provider+".models."+model+".cost")
	switch {
	case said || cost != (config.Cost{}):
		return budget.Price{Input: cost.Input, Output: cost.Output, CacheRead: cost.CacheRead, CacheWrite: cost.CacheWrite}, true
	case endpoint.API == offlineModel, endpoint.API == "ollama":
		return budget.Price{}, true
	case endpoint.API == provider: // others set prices of their own
		return budget.Known(endpoint.API, model)
	}
	return budget.Price{}, false
}

// restoreBudget tells the budget what the store's ledger has of this month.
func restoreBudget(ctx context.Context, b *budget.Budget, store *sqlite.Store) (err error) {
	now := time.Now().UTC()
	today := now.Format(time.DateOnly)
	first := now.Format("2006-01") + "-01"
	var r budget.Record
	for _, part := range []struct {
		into  *[]openclaw.UsageLine
		query openclaw.UsageQuery
	}{
		{&r.Days, openclaw.UsageQuery{By: openclaw.UsageByDay, From: first}},
		{&r.Heartbeats, openclaw.UsageQuery{By: openclaw.UsageByDay, From: today, Heartbeats: true}},
		{&r.Models, openclaw.UsageQuery{By: openclaw.UsageByModel, From: today}},
	} {
		if *part.into, err = store.Usage(ctx, part.query); err != nil {
			return err
		}
	}
	b.Restore(r)
	return nil
}

// usageToday is the budget's part of the status.
func usageToday(s budget.State) protocol.UsageToday {
	return protocol.UsageToday{Tokens: s.Tokens, CostUSD: s.CostUSD, LimitUSD: s.Limits.DailyUSD, Unpriced: s.Unpriced}
}

// mostLines bounds the lists of sessions and models in a usage.
const mostLines = 100

// used reports what models used on the last days, today included.
func (a *app) used(ctx context.Context, days int) (u protocol.Usage, err error) {
	state := a.parts.budget.State()
	now := time.Now().UTC()
	u = protocol.Usage{
		From: now.AddDate(0, 0, 1-days).Format(time.DateOnly), To: now.Format(time.DateOnly),
		Today: usageToday(state), MonthUSD: state.MonthUSD,
		Limits: protocol.UsageLimits{
			DailyUSD: state.Limits.DailyUSD, MonthlyUSD: state.Limits.MonthlyUSD,
			DailyTokens: state.Limits.DailyTokens, HeartbeatDailyTokens: state.Limits.HeartbeatDailyTokens,
		},
	}
	for _, part := range []struct {
		into  *[]protocol.UsageEntry
		query openclaw.UsageQuery
	}{
		{&u.Days, openclaw.UsageQuery{By: openclaw.UsageByDay}},
		{&u.Heartbeats, openclaw.UsageQuery{By: openclaw.UsageByDay, Heartbeats: true}},
		{&u.Sessions, openclaw.UsageQuery{By: openclaw.UsageBySession, Limit: mostLines}},
		{&u.Models, openclaw.UsageQuery{By: openclaw.UsageByModel, Limit: mostLines}},
	} {
		part.query.From, part.query.To = u.From, u.To
		lines, err := a.store.Usage(ctx, part.query)
		if err != nil {
			return u, err
		}
		*part.into = usageEntries(part.query.By, lines)
	}
	for _, day := range u.Days {
		u.Total.Calls += day.Calls
		u.Total.TokensUsed += day.TokensUsed
		u.Total.Unpriced += day.Unpriced
		u.Total.Usage = u.Total.Usage.Add(day.Usage)
	}
	return u, nil
}

func usageEntries(by string, lines []openclaw.UsageLine) []protocol.UsageEntry {
	entries := make([]protocol.UsageEntry, len(lines))
	for i, l := range lines {
		e := protocol.UsageEntry{Calls: l.Calls, TokensUsed: l.Usage.Total(), Usage: l.Usage, Unpriced: l.Unpriced}
		switch by {
		case openclaw.UsageByDay:
			e.Day = l.Key
		case openclaw.UsageBySession:
			e.Session = l.Key
		case openclaw.UsageByModel:
			e.Model = l.Key
		}
		entries[i] = e
	}
	return entries
}

// sessionCount remembers how many sessions there are until something is
// stored.
type sessionCount struct {
	mu    sync.Mutex
	known bool
	at    int64
	n     int
}

func (s *sessionCount) read(ctx context.Context, store *sqlite.Store, commits int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known && s.at == commits {
		return s.n, nil
	}
	n, err := store.Count(ctx)
	if err != nil {
		return 0, err
	}
	s.known, s.at, s.n = true, commits, n
	return n, nil
}
