// Package schedule is the clock among the clients: it decides when a heartbeat
// is due and starts it as a turn, like anybody else who submits one.
//
// It owns the timer and the memory of the last heartbeat. It runs no turn
// itself and knows no socket.
package schedule

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// Session is the conversation heartbeats run in.
const Session = "heartbeat"

// okWithin is how many characters a reply that says HEARTBEAT_OK may have
// beside it and still mean that nothing needed doing.
const okWithin = 300

// Submitter starts turns; a session.Hub does.
type Submitter interface {
	Submit(r session.Request)
}

// Settings say when and how heartbeats run. They may change while it runs.
type Settings struct {
	Enabled   bool
	Interval  time.Duration // at least 1 s
	Quiet     Quiet
	MaxTokens int  // per model answer; 0: the agent's own
	Isolated  bool // each heartbeat sees nothing of the ones before
	Tasks     string
}

// Config is what a Heart is made of.
type Config struct {
	Settings  Settings
	Submitter Submitter // required
	// Broadcast tells every client what a scheduled heartbeat came to.
	// Required.
	Broadcast func(protocol.HeartbeatStatus)
	// Broke says that the budget allows no heartbeat; nil: it always does.
	Broke  func() bool
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// Heart runs heartbeats. Run is its goroutine.
type Heart struct {
	config Config
	change chan struct{} // settings have changed

	mu       sync.Mutex
	settings Settings
	beating  bool
	last     time.Time // when the last one ended; zero: none has
	result   string
	next     time.Time // zero: none is planned
}

// NewHeart checks the configuration.
func NewHeart(config Config) (*Heart, error) {
	if config.Submitter == nil || config.Broadcast == nil {
		return nil, errors.New("schedule: Config.Submitter and Broadcast are required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	h := &Heart{config: config, settings: config.Settings, change: make(chan struct{}, 1)}
	h.plan()
	return h, nil
}

// Set changes the settings; the next heartbeat is planned anew from now if the
// interval is another.
func (h *Heart) Set(s Settings) {
	h.mu.Lock()
	replan := s.Interval != h.settings.Interval || s.Enabled != h.settings.Enabled
	h.settings = s
	h.mu.Unlock()
	if !replan {
		return
	}
	h.plan()
	select {
	case h.change <- struct{}{}:
	default:
	}
}

func (h *Heart) plan() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = time.Time{}
	if h.settings.Enabled {
		h.next = h.config.Now().Add(max(h.settings.Interval, time.Second))
	}
}

// Run starts a heartbeat at each interval until ctx ends, and returns when the
// one that runs has ended. A time that has passed while the machine slept
// counts once.
func (h *Heart) Run(ctx context.Context) {
	for {
		h.mu.Lock()
		next := h.next
		h.mu.Unlock()
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(next.Sub(h.config.Now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-h.change:
		case <-due:
			h.scheduled(ctx)
			h.plan()
		}
	}
}

// scheduled runs one heartbeat by the clock.
func (h *Heart) scheduled(ctx context.Context) {
	h.mu.Lock()
	quiet := h.settings.Quiet.Holds(h.config.Now())
	h.mu.Unlock()
	var status protocol.HeartbeatStatus
	if quiet {
		status = skipped("quiet_hours")
		h.note(status)
	} else {
		status = h.beat(ctx)
	}
	h.config.Logger.Info("heartbeat", "result", status.Result, "reason", status.Reason, "tokens", status.TokensUsed)
	if ctx.Err() == nil {
		h.config.Broadcast(status)
	}
}

// Trigger runs a heartbeat now, whatever the hour and also where scheduled
// ones are disabled, and blocks until it is over. A dry run only says what
// would run.
func (h *Heart) Trigger(dryRun bool) protocol.HeartbeatStatus {
	if dryRun {
		return h.dryRun()
	}
	return h.beat(context.Background())
}

func (h *Heart) dryRun() protocol.HeartbeatStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	status := protocol.HeartbeatStatus{Result: protocol.HeartbeatOK, Due: []protocol.Due{}}
	tasks, err := readTasks(h.settings.Tasks)
	if err != nil {
		return failed(err)
	}
	if tasks != "" {
		status.Due = append(status.Due, protocol.Due{
			Task: "HEARTBEAT.md", IntervalSeconds: int64(h.settings.Interval / time.Second),
			LastRun: timeOrNull(h.last), Reason: "a heartbeat reads the whole file each time",
		})
	}
	return status
}

// beat runs one heartbeat, unless one runs already.
func (h *Heart) beat(ctx context.Context) protocol.HeartbeatStatus {
	h.mu.Lock()
	if h.beating {
		h.mu.Unlock()
		return skipped("busy")
	}
	h.beating = true
	settings := h.settings
	h.mu.Unlock()
	status := h.run(ctx, settings)
	h.mu.Lock()
	h.beating = false
	h.mu.Unlock()
	h.note(status)
	return status
}

// run decides without a model when there is nothing to do; else it is a turn.
func (h *Heart) run(ctx context.Context, s Settings) protocol.HeartbeatStatus {
	tasks, err := readTasks(s.Tasks)
	if err != nil {
		return failed(err)
	}
	if tasks == "" {
		return protocol.HeartbeatStatus{Result: protocol.HeartbeatOK}
	}
	if h.config.Broke != nil && h.config.Broke() {
		return skipped("budget")
	}
	done := make(outcome, 1)
	h.config.Submitter.Submit(session.Request{
		Session: Session, ID: ulid.Make().String(), Observer: done,
		Started: openclaw.TurnStarted{
			Source: openclaw.SourceHeartbeat, Text: "Heartbeat", Prompt: prompt(tasks),
			Options: openclaw.TurnOptions{MaxTokens: s.MaxTokens, Fresh: s.Isolated},
		},
	})
	select {
	case o := <-done:
		return judge(o)
	case <-ctx.Done(): // the hub ends the turn
		return failed(context.Cause(ctx))
	}
}

// outcome is an observer that waits for the end of a turn.
type outcome chan session.Outcome

func (outcome) Event(*session.Delivery)  {}
func (o outcome) Done(s session.Outcome) { o <- s }

// judge says what a heartbeat's turn came to.
func judge(o session.Outcome) protocol.HeartbeatStatus {
	status := protocol.HeartbeatStatus{ActionsTaken: len(o.Calls), TokensUsed: o.Usage.Total()}
	text := strings.TrimSpace(o.Text)
	rest, ok := strings.CutPrefix(text, protocol.HeartbeatOK)
	if !ok {
		rest, ok = strings.CutSuffix(text, protocol.HeartbeatOK)
	}
	switch {
	case o.Err != nil && o.Err.Code == openclaw.CodeBudgetExceeded && len(o.Calls) == 0:
		status.Result, status.Reason = protocol.HeartbeatSkipped, "budget"
	case o.Err != nil:
		status.Result, status.Error = protocol.HeartbeatFailed, o.Err.Message
	case ok && utf8.RuneCountInString(rest) <= okWithin:
		status.Result = protocol.HeartbeatOK
	default:
		status.Result, status.Text = protocol.HeartbeatActed, o.Text
	}
	return status
}

func skipped(reason string) protocol.HeartbeatStatus {
	return protocol.HeartbeatStatus{Result: protocol.HeartbeatSkipped, Reason: reason}
}

func failed(err error) protocol.HeartbeatStatus {
	return protocol.HeartbeatStatus{Result: protocol.HeartbeatFailed, Error: openclaw.AsError(err).Message}
}

// note remembers a heartbeat for State.
func (h *Heart) note(s protocol.HeartbeatStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last, h.result = h.config.Now(), s.Result
}

// State returns the heartbeat's part of the gateway's status.
func (h *Heart) State() protocol.HeartbeatState {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := protocol.HeartbeatState{
		Enabled: h.settings.Enabled, IntervalSeconds: int64(h.settings.Interval / time.Second),
		LastRun: timeOrNull(h.last), NextRun: timeOrNull(h.next),
	}
	if h.result != "" {
		state.LastResult = &h.result
	}
	return state
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := protocol.FormatTime(t)
	return &s
}
