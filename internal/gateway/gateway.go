// Package gateway is the table of the protocol's methods: what each request
// does, who may send it, and the limits that protect one client from another.
//
// It owns the state of a client that has nothing to do with bytes: requests in
// flight, the rate, the subscriptions. It knows no sockets (package ws has
// them) and keeps no conversation (package session does).
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// Skills finds skills for skill_invoke, chat and skill_list.
type Skills interface {
	// Invoke returns the turn that runs a skill with args, the user's own
	// words. It fails with SKILL_NOT_FOUND.
	Invoke(name, args string) (Invocation, error)
	// Fit returns the turn of a chat message: that of a skill which the message
	// names ("/name args") or which its triggers fit, else one with an empty
	// Prompt. It fails as Invoke does. It must not block for long.
	Fit(text string) (Invocation, error)
	List() []protocol.SkillEntry
	Counts() protocol.SkillCounts
}

// Invocation is the part of a turn that a skill decides.
type Invocation struct {
	Prompt string   // what the model reads; "": the text itself
	Tools  []string // the only tools it may use; nil: all there are
	Hint   string   // what the sender should know, "" for nothing
}

// Facts are what status and the lists report of parts the gateway does not
// know. Every field is required.
type Facts struct {
	Model  func() (provider, name string)
	Models func() []protocol.ModelEntry
	Tools  func() []protocol.ToolEntry
	// Tools and ToolNames, which are in alphabetical order, return slices that
	// are not changed afterwards.
	ToolNames func() []string
	Memory    func() protocol.MemoryState
	Sandbox   func() string // how commands are confined; "": nothing to say
	Problems  func() []string
	// Stored reports what the store counts: today's usage and how many
	// sessions there are.
	Stored func(context.Context) (protocol.UsageToday, int, error)
	// Usage reports what models used on the last days, today included.
	Usage func(ctx context.Context, days int) (protocol.Usage, error)
}

// Config is what a Gateway is made of.
type Config struct {
	Version  string
	Hub      *session.Hub // required
	Skills   Skills       // required
	Heart    Heart        // required
	CronJobs CronJobs     // nil: there is no cron
	CronRuns CronRuns     // likewise
	Facts    Facts        // required
	// Approvals answer approval_list, approval_revoke and approval_explain;
	// nil: none are kept.
	Approvals Approvals
	Limits    Limits
	Logger    *slog.Logger     // default: discards
	Now       func() time.Time // default: time.Now
}

// Limits bound what one client can ask for. The zero value of a field stands
// for the default.
type Limits struct {
	Depth             int     // of the JSON; 64
	InFlight          int     // requests without an answer; 64
	MessagesPerSecond float64 // 60
	Burst             int     // 120
	Subscriptions     int     // 256; each keeps its session in memory
}

func (l Limits) filled() Limits {
	if l.Depth <= 0 {
		l.Depth = 64
	}
	if l.InFlight <= 0 {
		l.InFlight = 64
	}
	if l.MessagesPerSecond <= 0 {
		l.MessagesPerSecond = 60
	}
	if l.Burst <= 0 {
		l.Burst = 120
	}
	if l.Subscriptions <= 0 {
		l.Subscriptions = 256
	}
	return l
}

// Gateway answers requests. Close it with Close.
type Gateway struct {
	config  Config
	limits  atomic.Pointer[Limits]
	started time.Time

	startedAt string // started, as the protocol writes it
	status    statusText
	tools     toolsText

	mu       sync.Mutex
	clients  map[*Client]struct{}
	draining bool
	wg       sync.WaitGroup // requests that run on goroutines of their own
}

// New checks the configuration.
func New(config Config) (*Gateway, error) {
	if config.Hub == nil || config.Skills == nil || config.Heart == nil || config.Facts.Model == nil {
		return nil, errors.New("gateway: Config.Hub, Skills, Heart and Facts are required")
	}
	if config.CronJobs == nil || config.CronRuns == nil {
		config.CronJobs, config.CronRuns = noCron{}, noCron{}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	g := &Gateway{config: config, started: config.Now(), clients: map[*Client]struct{}{}}
	g.startedAt = protocol.FormatTime(g.started)
	g.SetLimits(config.Limits)
	return g, nil
}

// SetLimits changes the limits of every client from its next message on.
func (g *Gateway) SetLimits(l Limits) {
	l = l.filled()
	g.limits.Store(&l)
}

// Broadcast sends a message without an id to every client.
func (g *Gateway) Broadcast(t protocol.Type, payload any) {
	frame := protocol.Encode(t, "", payload, g.config.Now())
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.clients {
		c.conn.Send(frame)
	}
}

// Drain answers new requests with SHUTTING_DOWN from now on; those that serve
// running turns (cancel, approve) still work.
func (g *Gateway) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

// Close waits until no request is being worked on.
func (g *Gateway) Close() {
	g.Drain()
	g.wg.Wait()
}

// Draining says whether Drain was called.
func (g *Gateway) Draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// connections returns how many clients are connected.
func (g *Gateway) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.clients)
}

// spawn runs f on a goroutine that Close waits for. It returns false, and does
// nothing, once the gateway drains, unless the work serves what still runs.
func (g *Gateway) spawn(serves bool, f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining && !serves {
		return false
	}
	g.wg.Go(f)
	return true
}
