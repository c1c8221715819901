// Package session owns conversations. Each one that is in use has one
// goroutine, and everything that belongs to it (the queue of turns, the
// running turn, the sequence of its events, its subscribers) is touched by
// that goroutine alone; others post to it and never wait while they post.
//
// Turns of one conversation run one at a time, first in first out; different
// conversations run in parallel. An event is committed to the store before
// anybody sees it, a tool call before the tool starts, a result before the
// model reads it. A conversation that nobody uses ends its goroutine and is
// loaded again from its log.
//
// The package does not know who its callers are (a socket, the clock, a
// test), and it decides nothing about permissions.
package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// Log keeps the events of conversations.
type Log interface {
	// Append stores events of one conversation, all or none, and returns when
	// they are durable.
	Append(ctx context.Context, events []openclaw.Event) error
	Events(ctx context.Context, session string, r openclaw.EventRange) ([]openclaw.Event, error)
	// Keyed finds the newest TurnStarted with the idempotency key since then;
	// 0: there is none.
	Keyed(ctx context.Context, session, key string, since time.Time) (seq int64, err error)
	// Delete fails with SESSION_NOT_FOUND.
	Delete(ctx context.Context, session string) error
}

// Catalog describes conversations without their events.
type Catalog interface {
	// Session fails with SESSION_NOT_FOUND.
	Session(ctx context.Context, name string) (openclaw.SessionInfo, error)
	// Sessions lists them, the newest first; next is the after of the
	// following page, "" on the last.
	Sessions(ctx context.Context, after string, limit int) (list []openclaw.SessionInfo, next string, err error)
	// Unfinished lists the conversations whose last turn has not ended, and
	// counts, durably, that each is about to be resumed once more.
	Unfinished(ctx context.Context) ([]openclaw.Unfinished, error)
}

// Ledger keeps what models used beside the log, which says it for its own
// events.
type Ledger interface {
	// Charge adds what no event of the session carries; "" is no session.
	Charge(ctx context.Context, session string, at time.Time, charges []openclaw.Charge) error
}

// Store is what a Hub needs of a store.
type Store interface {
	Log
	Catalog
	Ledger
}

// Config is what a Hub is made of.
type Config struct {
	Store Store // required
	// Agent returns the agent for the next turn: a reloaded configuration
	// takes effect with the turn after. Required.
	Agent func() *agent.Agent
	// MaxQueue returns the most turns that may wait in one conversation;
	// nil: 20.
	MaxQueue func() int
	// IdleAfter is how long a conversation stays in memory unused; default
	// one minute.
	IdleAfter time.Duration
	// MaxResumes is how often a turn is taken up again after a stop of the
	// gateway before it fails; default 3. A turn that brings the process down
	// must not do so forever.
	MaxResumes int
	// Recall returns what the long-term memory has to say to a turn that is
	// about to begin; it is stored with the turn. It is called on the session's
	// goroutine and must not block for long. nil: nothing.
	Recall func(ctx context.Context, started openclaw.TurnStarted) string
	// Ended is called, on the session's goroutine, when a conversation has been
	// reset or deleted: what others keep for it must go. It must not block for
	// long; nil: nobody keeps anything.
	Ended  func(session string)
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// Hub finds conversations. Close it with Drain.
type Hub struct {
	config Config

	// life ends when turns must stop; its cause says why.
	life context.Context
	end  context.CancelCauseFunc

	mu       sync.Mutex
	sessions map[string]*session
	draining bool
	// questions are those of all sessions that wait for an answer, by their
	// approval ID: events with an ApprovalRequested.
	questions map[string]openclaw.Event
	approvers []Subscriber   // see FollowApprovals
	wg        sync.WaitGroup // the sessions' goroutines

	active, queued, commits atomic.Int64
}

// Stats are counters of the moment.
type Stats struct {
	Loaded int // conversations in memory
	Active int // running turns
	Queued int // waiting turns
	// Commits counts changes to the store; as long as it stays the same, so
	// does what the store says.
	Commits int64
}

// errGone says that a session's goroutine has ended; look it up again.
var errGone = errors.New("session ended")

// errStop is the cause that ends turns when the drain time is over: they stay
// unfinished in the log and go on at the next start.
var errStop = &openclaw.Error{
	Code:    openclaw.CodeShuttingDown,
	Message: "the gateway is shutting down; the turn goes on when it starts again",
	Details: map[string]any{"resumes": true},
}

func shuttingDown() *openclaw.Error {
	return &openclaw.Error{
		Code:    openclaw.CodeShuttingDown,
		Message: "the gateway is shutting down; send the request again when it is back",
		Details: map[string]any{"resumes": false},
	}
}

// NewHub checks the configuration.
func NewHub(config Config) (*Hub, error) {
	if config.Store == nil || config.Agent == nil {
		return nil, errors.New("session: Config.Store and Config.Agent are required")
	}
	if config.MaxQueue == nil {
		config.MaxQueue = func() int { return 20 }
	}
	if config.IdleAfter <= 0 {
		config.IdleAfter = time.Minute
	}
	if config.MaxResumes <= 0 {
		config.MaxResumes = 3
	}
	if config.Ended == nil {
		config.Ended = func(string) {}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	h := &Hub{config: config, sessions: map[string]*session{}}
	h.life, h.end = context.WithCancelCause(context.Background())
	return h, nil
}

// Resume takes up every turn that was running when the gateway stopped. Call
// it once, before the first Submit. It returns when all are under way.
func (h *Hub) Resume(ctx context.Context) error {
	open, err := h.config.Store.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, u := range open {
		if err := h.post(u.Session, func(s *session) { s.resume(u) }); err != nil {
			return err
		}
	}
	return nil
}

func (h *Hub) now() time.Time { return h.config.Now().UTC() }

// Stats returns counters of the moment.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Loaded: len(h.sessions), Active: int(h.active.Load()), Queued: int(h.queued.Load()), Commits: h.commits.Load()}
}

// Draining says whether Drain has begun.
func (h *Hub) Draining() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.draining
}

// Drain ends the hub: waiting turns and new ones are answered with
// SHUTTING_DOWN, running ones may finish until ctx ends; what runs then stays
// unfinished in the log and is resumed at the next start. When Drain returns
// no turn, tool or goroutine of the hub is left.
func (h *Hub) Drain(ctx context.Context) {
	h.mu.Lock()
	h.draining = true
	var all []*session
	for _, s := range h.sessions {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		_ = s.mail.post(s.drain) // one that has ended needs no telling
	}
	done := make(chan struct{})
	go func() { h.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		h.end(errStop)
		<-done
	}
	h.end(errStop)
}

// post runs f on the goroutine of the conversation, starting it if need be.
// It never waits. While the hub drains it starts none and fails with
// SHUTTING_DOWN.
func (h *Hub) post(name string, f func(*session)) error {
	for {
		s := h.lookup(name)
		if s == nil {
			return shuttingDown()
		}
		if s.mail.post(func() { f(s) }) == nil {
			return nil
		}
	}
}

// ask posts f to the goroutine of the conversation. The function it returns
// waits for what f returned, or until ctx ends.
func ask[T any](ctx context.Context, h *Hub, name string, f func(*session) (T, error)) func() (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	err := h.post(name, func(s *session) {
		value, err := f(s)
		answers <- answer{value, err}
	})
	if err != nil {
		answers <- answer{err: err}
	}
	return func() (T, error) {
		select {
		case a := <-answers:
			return a.value, a.err
		case <-ctx.Done():
			var zero T
			return zero, context.Cause(ctx)
		}
	}
}

func (h *Hub) lookup(name string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sessions[name]
	if s == nil && !h.draining {
		s = newSession(h, name)
		h.sessions[name] = s
		h.wg.Go(s.loop)
	}
	return s
}

// forget removes a session whose goroutine is about to end, unless somebody
// has posted to it since.
func (h *Hub) forget(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !s.mail.close() {
		return false
	}
	delete(h.sessions, s.name)
	return true
}
