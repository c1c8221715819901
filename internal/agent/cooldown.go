package agent

import (
	"sync"
	"time"
)

// How long a model rests after it was given up: longer each time it fails
// again, shorter than anybody forgets about it. What the owner has to mend
// (a key, a name) is looked at again after longestRest.
const (
	firstRest   = 30 * time.Second
	longestRest = 10 * time.Minute
	maxRest     = time.Hour // whatever an API asks for
)

// maxResting bounds what is remembered: clients may name any model.
const maxResting = 256

// Cooldowns remember which models have failed lately, so that turns begin with
// one that answers. They live in memory only: what was configured stays as it
// is, and a restart tries every model again. They are safe for concurrent use
// by the agents that share them.
type Cooldowns struct {
	now func() time.Time

	mu      sync.Mutex
	resting map[target]rest
}

// target is a model at one endpoint.
type target struct{ provider, account, name string }

// rest is why a target is left alone, and how long.
type rest struct {
	until    time.Time
	kind     string // of the failure
	failures int    // in a row
}

// NewCooldowns returns an empty memory; now nil is time.Now.
func NewCooldowns(now func() time.Time) *Cooldowns {
	if now == nil {
		now = time.Now
	}
	return &Cooldowns{now: now, resting: map[target]rest{}}
}

// Clear forgets everything: a changed configuration may have mended it.
func (c *Cooldowns) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.resting)
}

// reason returns the kind of failure for which a model rests; "": it does not.
func (c *Cooldowns) reason(m Choice) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.resting[m.target()]
	if !ok || !c.now().Before(r.until) {
		return ""
	}
	return r.kind
}

// begin lets a model rest; asked is what its API said of the time, if it did.
func (c *Cooldowns) begin(m Choice, kind string, lasting bool, asked time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	r := c.resting[m.target()]
	span := firstRest << min(r.failures, 10)
	if lasting {
		span = longestRest
	}
	span = max(min(span, longestRest), min(asked, maxRest))
	c.forget(now)
	c.resting[m.target()] = rest{until: now.Add(span), kind: kind, failures: r.failures + 1}
}

// end is for a model that has answered.
func (c *Cooldowns) end(m Choice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.resting) > 0 {
		delete(c.resting, m.target())
	}
}

// forget makes room: what has rested enough goes first, then anything.
func (c *Cooldowns) forget(now time.Time) {
	for t, r := range c.resting {
		if len(c.resting) >= maxResting && !now.Before(r.until) {
			delete(c.resting, t)
		}
	}
	for t := range c.resting {
		if len(c.resting) < maxResting {
			return
		}
		delete(c.resting, t)
	}
}
