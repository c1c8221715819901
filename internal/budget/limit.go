package budget

import (
	"fmt"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// bound is one limit, and where it stands. Amounts are tokens or money.
type bound struct {
	key                      string // in the configuration
	period                   string
	resets                   time.Time
	limit, spent, held, need int64
	tokens                   bool
}

// short returns the error of a need that does not fit, and whether it would
// once the calls under way have settled. It returns nil where the need fits.
func (b *Budget) short(need spent, heartbeat bool) (err *openclaw.Error, waits bool) {
	for _, l := range b.bounds(need, heartbeat) {
		if l.limit <= 0 || l.spent+l.held+l.need <= l.limit {
			continue
		}
		if l.spent+l.need > l.limit {
			return l.exceeded(b.now()), false
		}
		err, waits = l.exceeded(b.now()), true
	}
	return err, waits
}

func (b *Budget) bounds(need spent, heartbeat bool) []bound {
	now := b.now().UTC()
	midnight := nextDay(now)
	month := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	l := b.terms.Limits
	all := []bound{
		{key: "budget.daily_limit_usd", period: "day", resets: midnight, limit: int64(dollars(l.DailyUSD)),
			spent: int64(b.today.cost), held: int64(b.held.cost), need: int64(need.cost)},
		{key: "budget.monthly_limit_usd", period: "month", resets: month, limit: int64(dollars(l.MonthlyUSD)),
			spent: int64(b.thisMonth), held: int64(b.held.cost), need: int64(need.cost)},
		{key: "budget.daily_limit_tokens", period: "day", resets: midnight, limit: int64(l.DailyTokens),
			spent: b.today.tokens, held: b.held.tokens, need: need.tokens, tokens: true},
	}
	if heartbeat {
		all = append(all, bound{key: "budget.heartbeat_daily_tokens", period: "day", resets: midnight,
			limit: int64(l.HeartbeatDailyTokens), spent: b.today.heartbeat, held: b.held.heartbeat, need: need.heartbeat, tokens: true})
	}
	return all
}

// exceeded is the error of a call that does not fit.
func (l bound) exceeded(now time.Time) *openclaw.Error {
	at := l.resets.Format(time.RFC3339)
	text := fmt.Sprintf("the budget of %s a %s does not allow this call: %s is used and the call may take up to %s; "+
		"it resets at %s, or raise %s", l.text(l.limit), l.period, l.text(l.spent), l.text(l.need), at, l.key)
	if l.need > l.limit {
		text = fmt.Sprintf("one call may take up to %s, and %s allows %s a %s; lower brain.max_tokens or raise %s (it resets at %s)",
			l.text(l.need), l.key, l.text(l.limit), l.period, l.key, at)
	}
	details := map[string]any{"limit": l.key, "resets_at": at}
	for name, amount := range map[string]int64{"limit": l.limit, "used": l.spent, "needed": l.need} {
		if l.tokens {
			details[name+"_tokens"] = amount
		} else {
			details[name+"_usd"] = money(amount).usd()
		}
	}
	return &openclaw.Error{
		Code: openclaw.CodeBudgetExceeded, Message: text, RetryAfter: l.resets.Sub(now), Details: details,
	}
}

func (l bound) text(amount int64) string {
	if l.tokens {
		return fmt.Sprintf("%d tokens", amount)
	}
	if usd := money(amount).usd(); usd >= 0.01 || amount == 0 {
		return fmt.Sprintf("$%.2f", usd)
	}
	return fmt.Sprintf("$%.4f", money(amount).usd())
}
