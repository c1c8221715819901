// Package budget keeps what models cost within the bounds the owner has set.
//
// A [Budget] owns, in memory, what was used today and this month (in UTC) and
// what the calls under way may use at the most. A call reserves the worst case
// before it is made and settles with what it did use, so that calls that run
// at the same time cannot overshoot a bound together. What was used before the
// process began is told to it once, by whoever keeps the ledger.
//
// The package stores nothing, makes no calls, and does not count tokens: the
// estimates come from the caller.
package budget

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Limits are the bounds; 0 is none.
type Limits struct {
	DailyUSD, MonthlyUSD float64
	DailyTokens          int
	HeartbeatDailyTokens int // of what heartbeats use
}

// Terms are the bounds and the prices in force. They may change while calls
// are under way.
type Terms struct {
	Limits Limits
	// Price returns what a model costs; ok is false where nobody knows. It is
	// called under a lock and must not block. nil: nothing has a known price.
	Price func(provider, model string) (p Price, ok bool)
}

// Options are what a Budget is made of.
type Options struct {
	Terms  Terms
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// Budget is safe for concurrent use. It needs no closing.
type Budget struct {
	logger *slog.Logger
	now    func() time.Time

	mu        sync.Mutex
	terms     Terms
	day       string // 2006-01-02, of today
	ends      int64  // when that day does, in seconds since 1970
	today     spent
	thisMonth money
	held      spent           // by the calls under way
	freed     chan struct{}   // closed when one of them settles, or the terms change
	unpriced  map[string]bool // provider/model, of today
	told      map[string]bool // of which the log knows
}

// spent is an amount of what is bounded.
type spent struct {
	tokens, heartbeat int64
	cost              money
}

func (s *spent) add(t spent, sign int64) {
	s.tokens += sign * t.tokens
	s.heartbeat += sign * t.heartbeat
	s.cost = min(s.cost+money(sign)*t.cost, 2*most)
}

// New returns a budget of which nothing has been used.
func New(o Options) *Budget {
	b := &Budget{
		logger: o.Logger, now: o.Now, terms: o.Terms, freed: make(chan struct{}),
		unpriced: map[string]bool{}, told: map[string]bool{},
	}
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	now := b.now()
	b.day, b.ends = today(now), nextDay(now).Unix()
	return b
}

func today(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// nextDay returns when the next day begins, in UTC.
func nextDay(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
}

// Set changes the bounds and prices. Calls under way keep the price they began
// with.
func (b *Budget) Set(t Terms) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.terms = t
	b.wake()
}

// Record is what a ledger says of the current month.
type Record struct {
	Days       []openclaw.UsageLine // by day
	Heartbeats []openclaw.UsageLine // by day, of heartbeats alone
	Models     []openclaw.UsageLine // by model, of today alone
}

// Restore takes over what was used before. Call it before the first Reserve.
func (b *Budget) Restore(r Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	for _, line := range r.Days {
		if line.Key[:min(len("2006-01"), len(line.Key))] != b.day[:len("2006-01")] {
			continue
		}
		b.thisMonth += dollars(line.Usage.CostUSD)
		if line.Key == b.day {
			b.today.tokens, b.today.cost = int64(line.Usage.Total()), dollars(line.Usage.CostUSD)
		}
	}
	for _, line := range r.Heartbeats {
		if line.Key == b.day {
			b.today.heartbeat = int64(line.Usage.Total())
		}
	}
	for _, line := range r.Models {
		if line.Unpriced > 0 {
			b.unpriced[line.Key] = true
		}
	}
}

// roll begins a new day, and with it a new month, when it is time. What is
// held stays held: it will be used now.
func (b *Budget) roll() {
	at := b.now()
	if at.Unix() < b.ends { // a clock that is set back does not make anything unspent
		return
	}
	b.ends = nextDay(at).Unix()
	now := today(at)
	if now[:len("2006-01")] != b.day[:len("2006-01")] {
		b.thisMonth = 0
	}
	b.day, b.today = now, spent{}
	clear(b.unpriced)
}

// wake lets those who wait look again.
func (b *Budget) wake() {
	close(b.freed)
	b.freed = make(chan struct{})
}

// Reserve sets aside what a call uses at the most; Provider, Model, Heartbeat,
// Usage.Input and Usage.Output of the charge say that. It blocks while calls
// under way hold what it needs, until they settle or ctx ends (it returns the
// cause of ctx), and fails with BUDGET_EXCEEDED where what is left would not do
// even then. The function it returns must be called once: it takes what was
// used, gives the rest back and returns the charge with its price.
func (b *Budget) Reserve(ctx context.Context, worst openclaw.Charge) (func(openclaw.Charge) openclaw.Charge, error) {
	for {
		b.mu.Lock()
		b.roll()
		price, priced := b.price(worst)
		need := amount(worst, price.Most(worst.Usage))
		short, waits := b.short(need, worst.Heartbeat)
		if short == nil {
			b.held.add(need, 1)
			b.mu.Unlock()
			return func(used openclaw.Charge) openclaw.Charge { return b.settle(need, used, price, priced) }, nil
		}
		freed := b.freed
		b.mu.Unlock()
		if !waits {
			return nil, short
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// amount is what a charge counts for.
func amount(c openclaw.Charge, usd float64) spent {
	s := spent{tokens: int64(c.Usage.Total()), cost: dollars(usd)}
	if c.Heartbeat {
		s.heartbeat = s.tokens
	}
	return s
}

// price returns what a model costs and whether that is known. Of one whose
// price is not, the log hears once.
func (b *Budget) price(c openclaw.Charge) (Price, bool) {
	if b.terms.Price != nil {
		if p, ok := b.terms.Price(c.Provider, c.Model); ok {
			return p, true
		}
	}
	name := c.Provider + "/" + c.Model
	if len(b.told) < maxTold && !b.told[name] {
		b.told[name] = true
		b.logger.Warn("the price of a model is not known, so only its tokens count; set providers.<name>.models.<id>.cost",
			"provider", c.Provider, "model", c.Model)
	}
	return Price{}, false
}

// maxTold bounds what is remembered of models without a price: clients may
// name any model.
const maxTold = 256

// settle takes what was used in the place of what was reserved.
func (b *Budget) settle(need spent, used openclaw.Charge, price Price, priced bool) openclaw.Charge {
	switch {
	case priced:
		used.Usage.CostUSD = price.Cost(used.Usage)
	case used.Usage.CostUSD == 0: // else the API itself has said it
		used.Unpriced = used.Usage.Total() > 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	b.held.add(need, -1)
	got := amount(used, used.Usage.CostUSD)
	b.today.add(got, 1)
	b.thisMonth = min(b.thisMonth+got.cost, 2*most)
	if name := used.Provider + "/" + used.Model; used.Unpriced && len(b.unpriced) < maxTold {
		b.unpriced[name] = true
	}
	b.wake()
	return used
}

// State is how far the budget of today is used up.
type State struct {
	Tokens   int
	CostUSD  float64
	Limits   Limits
	MonthUSD float64
	// Unpriced are the models, as provider/model, whose use counts in tokens
	// only.
	Unpriced []string
}

// State returns how far the budget is used up.
func (b *Budget) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	s := State{Tokens: int(b.today.tokens), CostUSD: b.today.cost.usd(), MonthUSD: b.thisMonth.usd(), Limits: b.terms.Limits}
	if len(b.unpriced) > 0 {
		s.Unpriced = slices.Sorted(maps.Keys(b.unpriced))
	}
	return s
}

// Exceeded returns the BUDGET_EXCEEDED that any call would meet now; nil:
// there is something left.
func (b *Budget) Exceeded(heartbeat bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	least := spent{tokens: 1, cost: 1}
	if heartbeat {
		least.heartbeat = 1
	}
	if short, waits := b.short(least, heartbeat); short != nil && !waits {
		return short
	}
	return nil
}
