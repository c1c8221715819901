package budget

import (
	"math"

	openclaw "github.com/openclaw/openclaw-go"
)

// Price is what a model costs, in US dollars per million tokens.
type Price struct {
	Input, Output float64
	// CacheRead and CacheWrite are the prices of input that the provider's cache
	// has and takes; 0: as Input.
	CacheRead, CacheWrite float64
	// Long is the price of a whole call whose input is longer than LongFrom
	// tokens; nil: the same.
	Long     *Price
	LongFrom int
}

// of returns the price of a call with so much input.
func (p Price) of(input int) Price {
	if p.Long != nil && input > p.LongFrom {
		p = *p.Long
	}
	if p.CacheRead == 0 {
		p.CacheRead = p.Input
	}
	if p.CacheWrite == 0 {
		p.CacheWrite = p.Input
	}
	return p
}

// Cost returns what a call cost, in US dollars.
func (p Price) Cost(u openclaw.Usage) float64 {
	p = p.of(u.Input)
	plain := max(u.Input-u.CacheRead-u.CacheWrite, 0)
	return (float64(plain)*p.Input + float64(u.CacheRead)*p.CacheRead +
		float64(u.CacheWrite)*p.CacheWrite + float64(u.Output)*p.Output) / 1e6
}

// Most returns the most that a call can cost, wherever its input comes from.
func (p Price) Most(u openclaw.Usage) float64 {
	p = p.of(u.Input)
	return (float64(u.Input)*max(p.Input, p.CacheRead, p.CacheWrite) + float64(u.Output)*p.Output) / 1e6
}

// money is an amount in 1e-12 US dollars: adding and taking away leaves no
// rest, as it would with floating point, and the cheapest token is many of
// them.
type money int64

// most is more than anybody pays: a million dollars.
const most money = 1e18

func dollars(usd float64) money {
	return money(math.Ceil(min(max(usd*1e12, 0), float64(most))))
}

func (m money) usd() float64 { return float64(m) / 1e12 }
