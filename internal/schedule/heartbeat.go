// Package schedule is the clock among the clients: it decides when a heartbeat
// or a job of cron is due and starts it as a turn, like anybody else who
// submits one.
//
// It owns the timers. What it must not forget (which slot has run, what came
// of it, which jobs there are) is in a Ledger. It runs no turn itself and
// knows no socket. Package cron has the arithmetic.
package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// Session is the conversation heartbeats run in.
const Session = "heartbeat"

// Submitter starts turns; a session.Hub does.
type Submitter interface {
	Submit(r session.Request)
}

// Ledger keeps runs beyond the end of the process; sqlite.Store does.
type Ledger interface {
	// Record keeps runs, each in the place of the one of the same job and
	// time, and returns when they are durable.
	Record(ctx context.Context, runs ...openclaw.Run) error
	// Runs returns the newest runs, the latest first, of the jobs that match
	// pattern, in which * stands for anything.
	Runs(ctx context.Context, pattern string, limit int) ([]openclaw.Run, error)
}

// Settings say when and how heartbeats run. They may change while it runs.
type Settings struct {
	Enabled   bool
	Interval  time.Duration // at least 1 s
	Quiet     Quiet
	Model     string // "provider/model"; "": the agent's own
	MaxTokens int    // per model answer; 0: the agent's own
	Isolated  bool   // each heartbeat sees nothing of the ones before
	Tasks     string // the path of HEARTBEAT.md
}

// Config is what a Heart is made of.
type Config struct {
	Settings  Settings
	Submitter Submitter // required
	Ledger    Ledger    // required
	// Broadcast tells every client what a scheduled heartbeat came to.
	// Required.
	Broadcast func(protocol.HeartbeatStatus)
	// Broke says that the budget allows no heartbeat; nil: it always does.
	Broke func() bool
	// Busy says whether people's turns are running: a scheduled heartbeat
	// lets them go first. nil: never.
	Busy   func() bool
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// lookEvery is how often the wall clock and HEARTBEAT.md are looked at: timers
// stand still while a machine sleeps, and clocks are set.
const lookEvery = 30 * time.Second

// A scheduled heartbeat waits for people's turns for patience, and looks every
// lookAgain whether they have ended.
const (
	patience  = 5 * time.Minute
	lookAgain = 5 * time.Second
)

// Heart runs heartbeats. Run is its goroutine.
type Heart struct {
	config Config
	change chan struct{} // settings have changed

	mu        sync.Mutex
	settings  Settings
	beating   bool
	last      time.Time            // when the last one ended; zero: none has
	result    string               // of the last one
	ran       map[string]time.Time // when each task was last started
	next      time.Time            // the next slot; zero: none is planned
	postponed time.Time            // since when it waits for people's turns; zero: it does not
}

// NewHeart checks the configuration and reads what the ledger says of earlier
// heartbeats, which blocks: the interval is kept across restarts.
func NewHeart(ctx context.Context, config Config) (*Heart, error) {
	if config.Submitter == nil || config.Broadcast == nil || config.Ledger == nil {
		return nil, errors.New("schedule: Config.Submitter, Ledger and Broadcast are required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Busy == nil {
		config.Busy = func() bool { return false }
	}
	h := &Heart{config: config, settings: config.Settings, change: make(chan struct{}, 1), ran: map[string]time.Time{}}
	return h, h.recall(ctx)
}

// recall restores the state from the ledger. A heartbeat that was running when
// the gateway stopped has had its time.
func (h *Heart) recall(ctx context.Context) error {
	runs, err := h.config.Ledger.Runs(ctx, heartbeatJob+"*", 1000)
	if err != nil {
		return err
	}
	var slot time.Time // the last that was not asked for by hand
	for _, r := range runs {
		if r.State == openclaw.RunRunning {
			r.State, r.Result, r.Reason, r.Ended = openclaw.RunFailed, protocol.HeartbeatFailed, "the gateway stopped while it ran", r.Started
			if err := h.config.Ledger.Record(ctx, r); err != nil {
				return err
			}
		}
		if task, ok := taskOf(r.Job); ok {
			if r.Due.After(h.ran[task]) {
				h.ran[task] = r.Due
			}
			continue
		}
		if h.last.IsZero() {
			h.last, h.result = r.Ended, r.Result
		}
		if slot.IsZero() && !r.Manual {
			slot = r.Due
		}
	}
	h.plan(slot)
	return nil
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
	h.plan(time.Time{})
	select {
	case h.change <- struct{}{}:
	default:
	}
}

// plan sets the next slot: an interval after the one given, and where that has
// passed, or there is none, an interval from now. A slot that passed while the
// gateway did not run is due at once.
func (h *Heart) plan(slot time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, interval := h.config.Now(), max(h.settings.Interval, time.Second)
	switch {
	case !h.settings.Enabled:
		h.next = time.Time{}
	case slot.IsZero() || slot.After(now): // the clock was set back
		h.next = now.Add(interval)
	default:
		h.next = slot.Add(interval)
	}
}

// Run starts heartbeats until ctx ends, and returns when the one that runs has
// ended. Slots that have passed while the machine slept count once.
func (h *Heart) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.change:
		case <-time.After(h.pause()):
			h.look(ctx)
		}
	}
}

// pause is how long nothing can be due.
func (h *Heart) pause() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.postponed.IsZero():
		return lookAgain
	case h.next.IsZero():
		return lookEvery
	}
	return max(0, min(lookEvery, h.next.Sub(h.config.Now())))
}

// look runs a heartbeat if one is due: the regular one, or the tasks of
// HEARTBEAT.md whose own time has come.
func (h *Heart) look(ctx context.Context) {
	now := h.config.Now()
	h.mu.Lock()
	s, slot := h.settings, h.next
	h.mu.Unlock()
	if !s.Enabled {
		return
	}
	if slot.Sub(now) > max(s.Interval, time.Second) { // the clock was set back
		h.plan(now)
		return
	}
	whole, quiet := !now.Before(slot), s.Quiet.Holds(now)
	switch {
	case quiet && !whole:
		return
	case !quiet && !whole && !h.tasksDue(now):
		return
	case !quiet && h.postpone(now):
		return
	}
	h.scheduled(ctx, slot, whole, quiet)
}

// tasksDue says whether tasks are due between two regular heartbeats. A file
// that cannot be read is reported by the regular one.
func (h *Heart) tasksDue(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, err := readChecklist(h.settings.Tasks)
	return err == nil && len(h.due(list, now, false)) > 0
}

// postpone says whether to wait for people's turns.
func (h *Heart) postpone(now time.Time) bool {
	busy := h.config.Busy()
	h.mu.Lock()
	defer h.mu.Unlock()
	if busy && h.postponed.IsZero() {
		h.postponed = now
	}
	if busy && now.Sub(h.postponed) < patience {
		return true
	}
	h.postponed = time.Time{}
	return false
}

// scheduled runs one heartbeat by the clock. One that tasks alone are due for
// leaves the next slot where it is.
func (h *Heart) scheduled(ctx context.Context, slot time.Time, whole, quiet bool) {
	due := h.config.Now()
	if whole {
		due = slot
	}
	b := beat{due: due, whole: whole}
	var status protocol.HeartbeatStatus
	if quiet {
		status = skipped("quiet_hours")
		h.note(ctx, b.run(status, h.config.Now()))
	} else {
		status = h.beat(ctx, b)
	}
	if ctx.Err() != nil {
		return
	}
	if whole {
		h.plan(slot)
		h.catchUp()
	}
	h.config.Logger.Info("heartbeat", "result", status.Result, "reason", status.Reason, "tokens", status.TokensUsed)
	h.config.Broadcast(status)
}

// catchUp leaves out the slots that have passed.
func (h *Heart) catchUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.config.Now(); !h.next.IsZero() && !h.next.After(now) {
		interval := max(h.settings.Interval, time.Second)
		h.next = h.next.Add(now.Sub(h.next).Truncate(interval) + interval)
	}
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

// History returns the newest heartbeats, the latest first. It blocks.
func (h *Heart) History(ctx context.Context, limit int) ([]openclaw.Run, error) {
	return h.config.Ledger.Runs(ctx, heartbeatJob, limit)
}

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := protocol.FormatTime(t)
	return &s
}
