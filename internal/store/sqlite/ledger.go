package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

// maxModel bounds the name of a model in the ledger, in runes: clients may ask
// for any.
const maxModel = 128

const (
	insertUsage = `INSERT INTO usage (day, session, model, heartbeat, calls, input, output, cache_read, cache_write, cost_usd, unpriced)`
	mergeUsage  = ` ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, input = input + excluded.input,
		output = output + excluded.output, cache_read = cache_read + excluded.cache_read,
		cache_write = cache_write + excluded.cache_write, cost_usd = cost_usd + excluded.cost_usd,
		unpriced = unpriced + excluded.unpriced`
	addUsage  = insertUsage + ` VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)` + mergeUsage
	moveUsage = insertUsage + ` SELECT day, '', model, heartbeat, calls, input, output, cache_read, cache_write, cost_usd, unpriced
		FROM usage WHERE session = ?` + mergeUsage
	removeUsage = `DELETE FROM usage WHERE session = ?`
)

// Charge adds to the ledger what no event carries: what turns used that leave
// nothing in the log (session is "" then). It blocks like Append.
func (s *Store) Charge(ctx context.Context, session string, at time.Time, charges []openclaw.Charge) error {
	if len(charges) == 0 {
		return ctx.Err()
	}
	return s.write(ctx, 64*len(charges), func(w *writer) error { return w.charge(at, session, charges) })
}

func (w *writer) charge(at time.Time, session string, charges []openclaw.Charge) error {
	for _, c := range charges {
		unpriced := 0
		if c.Unpriced {
			unpriced = c.Usage.Total()
		}
		name := c.Provider + "/" + c.Model
		if c.Provider == "" && c.Model == "" {
			name = ""
		}
		u := c.Usage
		_, err := w.spend.ExecContext(context.Background(), day(at), session, firstRunes(strings.ToValidUTF8(name, "\uFFFD"), maxModel),
			c.Heartbeat, u.Input, u.Output, u.CacheRead, u.CacheWrite, u.CostUSD, unpriced)
		if err != nil {
			return err
		}
	}
	return nil
}

// Usage sums up the ledger, turns of deleted sessions included: by day oldest
// first, else by tokens with the most first.
func (s *Store) Usage(ctx context.Context, q openclaw.UsageQuery) (list []openclaw.UsageLine, err error) {
	order := "sum(input + output) DESC, 1"
	switch q.By {
	case openclaw.UsageByDay:
		order = "1"
	case openclaw.UsageBySession, openclaw.UsageByModel:
	default:
		return nil, internal("usage can be summed up by day, session or model", fmt.Errorf("by %q", q.By))
	}
	to, limit := q.To, q.Limit
	if to == "" {
		to = "9999-12-31"
	}
	if limit <= 0 {
		limit = -1
	}
	text := `SELECT ` + q.By + `, sum(calls), sum(input), sum(output), sum(cache_read), sum(cache_write), sum(cost_usd), sum(unpriced)
		FROM usage WHERE day BETWEEN ? AND ? AND heartbeat >= ? GROUP BY 1 ORDER BY ` + order + ` LIMIT ?`
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		rows, err := r.db.QueryContext(ctx, text, q.From, to, q.Heartbeats, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l openclaw.UsageLine
			u := &l.Usage
			if err := rows.Scan(&l.Key, &l.Calls, &u.Input, &u.Output, &u.CacheRead, &u.CacheWrite, &u.CostUSD, &l.Unpriced); err != nil {
				return err
			}
			list = append(list, l)
		}
		return rows.Err()
	})
	return list, err
}
