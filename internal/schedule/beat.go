package schedule

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// heartbeatJob is what the ledger calls heartbeats; its tasks have their name
// behind it.
const heartbeatJob = "heartbeat"

func jobOf(task string) string { return heartbeatJob + ":" + task }

func taskOf(job string) (string, bool) { return strings.CutPrefix(job, heartbeatJob+":") }

// okWithin is how many characters a reply that says HEARTBEAT_OK may have
// beside it and still mean that nothing needed doing.
const okWithin = 300

// beat is one heartbeat.
type beat struct {
	due    time.Time // its slot
	whole  bool      // also what HEARTBEAT.md says in free form
	manual bool
	start  time.Time
}

// run is what the ledger keeps of it.
func (b beat) run(s protocol.HeartbeatStatus, ended time.Time) openclaw.Run {
	r := openclaw.Run{
		Job: heartbeatJob, Due: b.due, State: openclaw.RunDone, Manual: b.manual, Attempt: 1, Started: b.start, Ended: ended,
		Result: s.Result, Reason: s.Reason, Tokens: s.TokensUsed, Actions: s.ActionsTaken, Response: beginning(s.Text),
	}
	switch s.Result {
	case protocol.HeartbeatFailed:
		r.State, r.Reason = openclaw.RunFailed, s.Error
	case protocol.HeartbeatSkipped:
		r.State = openclaw.RunSkipped
	case "":
		r.State, r.Ended = openclaw.RunRunning, time.Time{}
	}
	return r
}

// maxResponse bounds what the ledger keeps of an answer, in bytes.
const maxResponse = 2000

func beginning(text string) string {
	if len(text) <= maxResponse {
		return text
	}
	return strings.ToValidUTF8(text[:maxResponse], "") + "…"
}

// Trigger runs a heartbeat now, whatever the hour and also where scheduled
// ones are disabled, and blocks until it is over. A dry run only says what
// would run.
func (h *Heart) Trigger(dryRun bool) protocol.HeartbeatStatus {
	if dryRun {
		return h.dryRun()
	}
	return h.beat(context.Background(), beat{due: h.config.Now(), whole: true, manual: true})
}

func (h *Heart) dryRun() protocol.HeartbeatStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, err := readChecklist(h.settings.Tasks)
	if err != nil {
		return failed(err)
	}
	status := protocol.HeartbeatStatus{Result: protocol.HeartbeatOK, Due: []protocol.Due{}}
	now := h.config.Now()
	for _, task := range h.due(list, now, true) {
		status.Due = append(status.Due, protocol.Due{
			Task: task.Name, IntervalSeconds: int64(task.Interval / time.Second),
			LastRun: timeOrNull(h.ran[task.Name]), Reason: h.reason(task, now),
		})
	}
	return status
}

// due returns the tasks whose interval has passed, and with whole what the
// file says besides.
func (h *Heart) due(list checklist, now time.Time, whole bool) []Task {
	var due []Task
	for _, task := range list.tasks {
		last := h.ran[task.Name]
		if last.After(now) { // the clock was set back
			last = time.Time{}
		}
		if last.IsZero() || now.Sub(last) >= task.Interval {
			due = append(due, task)
		}
	}
	if whole && list.text != "" {
		due = append(due, Task{Name: freeForm, Interval: h.settings.Interval, Prompt: list.text})
	}
	return due
}

func (h *Heart) reason(task Task, now time.Time) string {
	last := h.ran[task.Name]
	switch {
	case task.Name == freeForm:
		return "a heartbeat reads the whole file each time"
	case last.IsZero():
		return "it has never run"
	}
	return "it last ran " + now.Sub(last).Round(time.Second).String() + " ago"
}

// beat runs one heartbeat, unless one runs already.
func (h *Heart) beat(ctx context.Context, b beat) protocol.HeartbeatStatus {
	h.mu.Lock()
	if h.beating {
		h.mu.Unlock()
		return skipped("busy")
	}
	h.beating = true
	settings, now := h.settings, h.config.Now()
	list, err := readChecklist(settings.Tasks)
	due := h.due(list, now, b.whole)
	h.mu.Unlock()
	b.start = now
	var status protocol.HeartbeatStatus
	switch {
	case err != nil:
		status = failed(err)
	case len(due) == 0: // decided without a model
		status = protocol.HeartbeatStatus{Result: protocol.HeartbeatOK}
	default:
		status = h.perform(ctx, b, settings, due)
	}
	h.mu.Lock()
	h.beating = false
	h.mu.Unlock()
	if ctx.Err() == nil { // else the next start finds it running, and the turn goes on there
		run := b.run(status, h.config.Now())
		if err == nil && len(due) == 0 {
			run.Reason = reasonIdle
		}
		h.note(ctx, run)
	}
	return status
}

// perform runs the tasks as one turn.
func (h *Heart) perform(ctx context.Context, b beat, s Settings, due []Task) protocol.HeartbeatStatus {
	if h.config.Broke != nil && h.config.Broke() {
		status := skipped(reasonBudget)
		h.finish(ctx, b, due, status)
		return status
	}
	if err := h.begin(ctx, b, due); err != nil {
		return failed(err)
	}
	done := make(outcome, 1)
	h.config.Submitter.Submit(session.Request{
		Session: Session, ID: ulid.Make().String(), Observer: done,
		Started: openclaw.TurnStarted{
			Source: openclaw.SourceHeartbeat, Text: "Heartbeat", Prompt: prompt(due),
			Options: openclaw.TurnOptions{Model: s.Model, MaxTokens: s.MaxTokens, Fresh: s.Isolated},
		},
	})
	select {
	case o := <-done:
		status := judge(o)
		h.finish(ctx, b, due, status)
		return status
	case <-ctx.Done(): // the hub ends the turn
		return failed(context.Cause(ctx))
	}
}

// begin records that the tasks have been started, so that a stop in between
// does not start them a second time.
func (h *Heart) begin(ctx context.Context, b beat, due []Task) error {
	runs := []openclaw.Run{b.run(protocol.HeartbeatStatus{}, time.Time{})}
	for _, task := range due {
		if task.Name != freeForm {
			runs = append(runs, openclaw.Run{Job: jobOf(task.Name), Due: b.start, State: openclaw.RunRunning, Manual: b.manual, Attempt: 1, Started: b.start})
		}
	}
	return h.config.Ledger.Record(ctx, runs...)
}

// finish records what came of the tasks. Those of a heartbeat that gave way to
// a person stay due.
func (h *Heart) finish(ctx context.Context, b beat, due []Task, status protocol.HeartbeatStatus) {
	gaveWay := status.Result == protocol.HeartbeatSkipped && status.Reason == reasonBusy
	whole := b.run(status, h.config.Now())
	var runs []openclaw.Run
	h.mu.Lock()
	for _, task := range due {
		if task.Name == freeForm {
			continue
		}
		r := whole
		r.Job, r.Due, r.Tokens, r.Actions, r.Response = jobOf(task.Name), b.start, 0, 0, ""
		if !gaveWay {
			h.ran[task.Name] = b.start
		}
		runs = append(runs, r)
	}
	h.mu.Unlock()
	if err := h.config.Ledger.Record(ctx, runs...); err != nil && ctx.Err() == nil { // else the next start finds it running
		h.config.Logger.Error("heartbeat not recorded", "err", err)
	}
}

// note remembers a heartbeat.
func (h *Heart) note(ctx context.Context, r openclaw.Run) {
	h.mu.Lock()
	h.last, h.result = r.Ended, r.Result
	h.mu.Unlock()
	if err := h.config.Ledger.Record(ctx, r); err != nil && ctx.Err() == nil {
		h.config.Logger.Error("heartbeat not recorded", "err", err)
	}
}

// outcome is an observer that waits for the end of a turn.
type outcome chan session.Outcome

func (outcome) Event(*session.Delivery)  {}
func (o outcome) Done(s session.Outcome) { o <- s }

// Why a heartbeat does not run, or asks no model.
const (
	reasonBusy   = "busy"
	reasonBudget = "budget"
	reasonIdle   = "nothing was due"
)

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
		status.Result, status.Reason = protocol.HeartbeatSkipped, reasonBudget
	case o.Err != nil && o.Err.Code == openclaw.CodeCancelled && o.Err.Details["by"] == session.ByUser:
		status.Result, status.Reason = protocol.HeartbeatSkipped, reasonBusy
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
