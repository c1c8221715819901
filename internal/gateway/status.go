package gateway

import (
	"maps"
	"slices"
	"sync"

	"github.com/openclaw/openclaw-go/protocol"
)

// statusText remembers the last status as it was sent: it is asked for more
// often than anything in it changes.
type statusText struct {
	mu   sync.Mutex
	last protocol.Status
	text protocol.Encoded // nil: there is none yet
}

// of returns the payload for s, and may keep s.
func (c *statusText) of(s protocol.Status) protocol.Encoded {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == nil || !sameStatus(&c.last, &s) {
		c.last, c.text = s, protocol.EncodePayload(protocol.TypeStatus, s)
	}
	return c.text
}

// sameStatus says whether two status payloads are equal.
func sameStatus(a, b *protocol.Status) bool {
	return a.UptimeSeconds == b.UptimeSeconds && a.State == b.State && a.Version == b.Version && a.StartedAt == b.StartedAt &&
		a.Model == b.Model && a.Provider == b.Provider &&
		a.Connections == b.Connections && a.Sessions == b.Sessions &&
		a.ActiveTurns == b.ActiveTurns && a.QueuedTurns == b.QueuedTurns &&
		sameHeartbeat(&a.Heartbeat, &b.Heartbeat) && a.Skills == b.Skills && slices.Equal(a.Tools, b.Tools) &&
		a.Memory == b.Memory && sameUsage(&a.UsageToday, &b.UsageToday) && maps.Equal(a.Channels, b.Channels) &&
		a.Sandbox == b.Sandbox && slices.Equal(a.Problems, b.Problems)
}

func sameHeartbeat(a, b *protocol.HeartbeatState) bool {
	return a.Enabled == b.Enabled && a.IntervalSeconds == b.IntervalSeconds &&
		sameText(a.LastRun, b.LastRun) && sameText(a.LastResult, b.LastResult) && sameText(a.NextRun, b.NextRun)
}

func sameUsage(a, b *protocol.UsageToday) bool {
	return a.Tokens == b.Tokens && a.CostUSD == b.CostUSD && a.LimitUSD == b.LimitUSD && slices.Equal(a.Unpriced, b.Unpriced)
}

func sameText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func status(r *request) error {
	g := r.client.gateway
	facts, stats := g.config.Facts, g.config.Hub.Stats()
	usage, sessions, err := facts.Stored(r.client.life)
	if err != nil {
		return err
	}
	now := g.config.Now()
	reply := protocol.Status{
		State: "running", Version: g.config.Version,
		StartedAt: g.startedAt, UptimeSeconds: int64(now.Sub(g.started).Seconds()),
		Connections: g.connections(), Sessions: sessions,
		ActiveTurns: stats.Active, QueuedTurns: stats.Queued,
		Heartbeat: g.config.Heart.State(), Skills: g.config.Skills.Counts(), Tools: facts.ToolNames(), Memory: facts.Memory(),
		UsageToday: usage, Sandbox: facts.Sandbox(), Problems: facts.Problems(),
	}
	if g.Draining() {
		reply.State = "draining"
	}
	reply.Provider, reply.Model = facts.Model()
	r.reply(protocol.TypeStatus, g.status.of(reply))
	return nil
}
