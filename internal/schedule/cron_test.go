package schedule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// jobs is a JobStore in memory.
type jobs struct {
	mu   sync.Mutex
	list map[string]openclaw.StoredJob
}

func (j *jobs) Jobs(context.Context) (list []openclaw.StoredJob, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, job := range j.list {
		list = append(list, job)
	}
	return list, nil
}

func (j *jobs) SaveJob(_ context.Context, job openclaw.StoredJob) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list[job.Name] = job
	return nil
}

func (j *jobs) RemoveJob(_ context.Context, name string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.list, name)
	return nil
}

// hub answers each key once, as a session does: the outcomes in order, the
// last one for ever.
type hub struct {
	takes    time.Duration
	outcomes []session.Outcome

	mu    sync.Mutex
	ran   []openclaw.TurnStarted // each key once
	known map[string]session.Outcome
	asked int
}

func (h *hub) Submit(r session.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	key := r.Started.IdempotencyKey
	o, seen := h.known[key]
	if !seen {
		h.ran = append(h.ran, r.Started)
		o = h.outcomes[min(len(h.ran), len(h.outcomes))-1]
		h.known[key] = o
	}
	time.AfterFunc(h.takes, func() { r.Observer.Done(o) })
}

func (h *hub) keys() (keys []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.ran {
		keys = append(keys, s.IdempotencyKey)
	}
	return keys
}

// clockwork is a Cron whose process can be stopped and started again.
type clockwork struct {
	t      *testing.T
	ledger *ledger
	store  *jobs
	hub    *hub
	cron   *Cron
	stop   func()
	log    bytes.Buffer
}

func newClockwork(t *testing.T, outcomes ...session.Outcome) *clockwork {
	if outcomes == nil {
		outcomes = []session.Outcome{{Text: "done"}}
	}
	w := &clockwork{
		t: t, ledger: &ledger{}, store: &jobs{list: map[string]openclaw.StoredJob{}},
		hub: &hub{outcomes: outcomes, known: map[string]session.Outcome{}, takes: time.Second},
	}
	w.start()
	return w
}

func (w *clockwork) start() {
	c, err := NewCron(w.t.Context(), CronConfig{
		Submitter: w.hub, Ledger: w.ledger, Store: w.store, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		Skill: func(skill string) (string, []string, error) {
			if skill != "tidy" {
				return "", nil, &openclaw.Error{Code: openclaw.CodeSkillNotFound, Message: "no skill is named " + skill}
			}
			return "instructions", []string{"shell"}, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { c.Run(ctx) })
	w.cron, w.stop = c, func() { cancel(); wg.Wait() }
}

func (w *clockwork) add(j openclaw.CronJob) {
	w.t.Helper()
	if err := w.cron.Add(w.t.Context(), j); err != nil {
		w.t.Fatal(err)
	}
}

// lines are the runs, the oldest first, in the minutes of the bubble's clock.
func (w *clockwork) lines(began time.Time) (lines []string) {
	runs, _ := w.ledger.Runs(w.t.Context(), "cron:*", 100)
	for _, r := range slices.Backward(runs) {
		line := fmt.Sprintf("%d %s", int(r.Due.Sub(began).Minutes()), r.State)
		for _, more := range []string{r.Reason, r.Response} {
			if more != "" {
				line += " " + more
			}
		}
		if r.Covers > 0 {
			line += fmt.Sprintf(" +%d", r.Covers)
		}
		if r.Attempt > 1 {
			line += fmt.Sprintf(" attempt %d", r.Attempt)
		}
		lines = append(lines, line)
	}
	return lines
}

func (w *clockwork) want(began time.Time, want ...string) {
	w.t.Helper()
	if got := w.lines(began); !slices.Equal(got, want) {
		w.t.Errorf("runs:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func bubble(t *testing.T, test func(t *testing.T, began time.Time)) {
	synctest.Test(t, func(t *testing.T) { test(t, time.Now()) })
}

func TestJobsRunAtTheirSlots(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		w.add(openclaw.CronJob{Name: "quarters", Schedule: "*/15 * * * *", Message: "look"})
		w.add(openclaw.CronJob{Name: "often", Schedule: "@every 20m", Skill: "tidy"})
		w.add(openclaw.CronJob{Name: "once", Schedule: "@at 2000-01-01T00:07", Message: "now"})
		time.Sleep(31 * time.Minute)
		w.stop()
		w.want(began, "7 done done", "15 done done", "20 done done", "30 done done")
		first, third := w.hub.ran[0], w.hub.ran[2]
		if first.Text != "now" || first.Source != openclaw.SourceCron || third.Text != "/tidy" || third.Prompt != "instructions" || len(third.Options.Tools) != 1 {
			t.Errorf("turns %+v", w.hub.ran)
		}
	})
}

// TestMissedSlots turns the gateway off over three slots.
func TestMissedSlots(t *testing.T) {
	for missed, want := range map[string][]string{
		"run_once": {"10 done done", "40 done done +2", "50 done done"},
		"skip":     {"10 done done", "40 skipped missed +2", "50 done done"},
	} {
		bubble(t, func(t *testing.T, began time.Time) {
			w := newClockwork(t)
			w.add(openclaw.CronJob{Name: "j", Schedule: "*/10 * * * *", Message: "look", Missed: missed})
			time.Sleep(15 * time.Minute)
			w.stop()
			time.Sleep(30 * time.Minute)
			w.start()
			time.Sleep(10 * time.Minute)
			w.stop()
			w.want(began, want...)
		})
	}
}

// A slot at which no gateway ran is missed, however little later one does.
func TestMissedByALittle(t *testing.T) {
	for missed, want := range map[string]string{"run_once": "10 done done", "skip": "10 skipped missed"} {
		bubble(t, func(t *testing.T, began time.Time) {
			w := newClockwork(t)
			w.add(openclaw.CronJob{Name: "j", Schedule: "*/10 * * * *", Message: "look", Missed: missed})
			time.Sleep(10*time.Minute - 10*time.Second)
			w.stop()
			time.Sleep(20 * time.Second)
			w.start()
			time.Sleep(10 * time.Minute)
			w.stop()
			w.want(began, want, "20 done done")
		})
	}
}

func TestOverlap(t *testing.T) {
	for overlap, want := range map[string][]string{
		"skip":  {"10 done done", "20 skipped overlap", "30 skipped overlap", "40 done done"},
		"queue": {"10 done done", "20 done done", "30 done done", "40 done done"},
	} {
		bubble(t, func(t *testing.T, began time.Time) {
			w := newClockwork(t)
			w.hub.takes = 25 * time.Minute
			w.add(openclaw.CronJob{Name: "j", Schedule: "*/10 * * * *", Message: "look", Overlap: overlap})
			time.Sleep(49 * time.Minute)
			if err := w.cron.Pause(t.Context(), "j", true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			w.stop()
			w.want(began, want...)
		})
	}
}

func failure(code openclaw.Code) session.Outcome {
	return session.Outcome{Err: &openclaw.Error{Code: code, Message: "no"}}
}

func TestRetries(t *testing.T) {
	away := failure(openclaw.CodeModelUnavailable)
	for name, tt := range map[string]struct {
		outcomes []session.Outcome
		want     string
	}{
		"succeeds later": {[]session.Outcome{away, {Text: "done"}}, "10 done done attempt 2"},
		"gives up":       {[]session.Outcome{away}, "10 failed MODEL_UNAVAILABLE: no attempt 3"},
		"of no use":      {[]session.Outcome{failure(openclaw.CodeModelError)}, "10 failed MODEL_ERROR: no"},
		"no budget":      {[]session.Outcome{failure(openclaw.CodeBudgetExceeded)}, "10 skipped budget"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, began time.Time) {
				w := newClockwork(t, tt.outcomes...)
				w.add(openclaw.CronJob{Name: "j", Schedule: "10 0 * * *", Message: "look"})
				time.Sleep(20 * time.Minute)
				w.stop()
				w.want(began, tt.want)
			})
		})
	}
}

// TestStopWhileARunGoesOn stops the gateway in the middle of a run. The next
// start asks for the same turn again, and gets its one outcome.
func TestStopWhileARunGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		w.hub.takes = 5 * time.Minute
		w.add(openclaw.CronJob{Name: "j", Schedule: "10 0 * * *", Message: "look"})
		time.Sleep(12 * time.Minute)
		w.stop()
		w.want(began, "10 running")
		w.start()
		time.Sleep(10 * time.Minute)
		w.stop()
		w.want(began, "10 done done")
		if keys := w.hub.keys(); len(keys) != 1 || w.hub.asked != 2 {
			t.Errorf("%d turns, asked for %d times", len(keys), w.hub.asked)
		}
	})
}

// TestStopBeforeItHasBegun is no error, and keeps what was running for the next
// start.
func TestStopBeforeItHasBegun(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		w.hub.takes = 5 * time.Minute
		w.add(openclaw.CronJob{Name: "j", Schedule: "10 0 * * *", Message: "look"})
		time.Sleep(12 * time.Minute)
		w.stop()
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		w.cron.Run(stopped)
		w.want(began, "10 running")
		if w.log.Len() > 0 {
			t.Errorf("logged: %s", &w.log)
		}
	})
}

// TestOutcomeLost: a run of which nobody can tell any more is failed, not
// repeated.
func TestOutcomeLost(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		w.hub.takes = time.Hour
		w.add(openclaw.CronJob{Name: "j", Schedule: "@at 2000-01-01T00:10", Message: "look"})
		time.Sleep(12 * time.Minute)
		w.stop()
		time.Sleep(48 * time.Hour)
		w.start()
		time.Sleep(time.Minute)
		w.stop()
		w.want(began, "10 failed the gateway stopped while it ran, and its outcome is lost")
	})
}

// TestJobsOfTheConfiguration come, change, and go with a reload, and cannot be
// removed by hand.
func TestJobsOfTheConfiguration(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		set := func(list ...openclaw.CronJob) {
			if err := w.cron.Set(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		j := openclaw.CronJob{Name: "j", Schedule: "*/10 * * * *", Message: "look", Missed: "run_once", Overlap: "skip"}
		set(j)
		time.Sleep(15 * time.Minute)
		j.Schedule = "25 * * * *"
		set(j)
		time.Sleep(15 * time.Minute)
		if err := w.cron.Remove(t.Context(), "j"); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
			t.Errorf("removed: %v", err)
		}
		set()
		time.Sleep(3 * time.Hour)
		w.stop()
		w.want(began, "10 done done", "25 done done")
	})
}

func TestJobsByHand(t *testing.T) {
	bubble(t, func(t *testing.T, began time.Time) {
		w := newClockwork(t)
		defer func() { w.stop() }()
		good := openclaw.CronJob{Name: "j", Schedule: "@daily", Message: "look"}
		w.add(good)
		for name, change := range map[string]func(*openclaw.CronJob){
			"taken name":   func(*openclaw.CronJob) {},
			"no name":      func(j *openclaw.CronJob) { j.Name = "" },
			"bad name":     func(j *openclaw.CronJob) { j.Name = "a*" },
			"both":         func(j *openclaw.CronJob) { j.Name, j.Skill = "k", "s" },
			"neither":      func(j *openclaw.CronJob) { j.Name, j.Message = "k", " " },
			"bad schedule": func(j *openclaw.CronJob) { j.Name, j.Schedule = "k", "often" },
			"bad zone":     func(j *openclaw.CronJob) { j.Name, j.Timezone = "k", "Mars" },
			"passed":       func(j *openclaw.CronJob) { j.Name, j.Schedule = "k", "@at 1999-01-01T00:00" },
			"bad session":  func(j *openclaw.CronJob) { j.Name, j.Session = "k", "a b" },
			"bad missed":   func(j *openclaw.CronJob) { j.Name, j.Missed = "k", "x" },
			"bad overlap":  func(j *openclaw.CronJob) { j.Name, j.Overlap = "k", "x" },
		} {
			bad := good
			change(&bad)
			if err := w.cron.Add(t.Context(), bad); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
				t.Errorf("%s: %v", name, err)
			}
		}
		run, err := w.cron.Trigger(t.Context(), "j")
		if err != nil || run.State != openclaw.RunDone || !run.Manual {
			t.Errorf("by hand: %+v, %v", run, err)
		}
		for _, err := range []error{
			w.cron.Remove(t.Context(), "k"), w.cron.Pause(t.Context(), "k", true), errors.Join(w.cron.Remove(t.Context(), "j"), w.cron.Remove(t.Context(), "j")),
		} {
			if e, _ := errors.AsType[*openclaw.Error](err); e == nil || e.Code != openclaw.CodeNotFound {
				t.Errorf("unknown job: %v", err)
			}
		}
		if list, err := w.cron.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("left: %+v, %v", list, err)
		}
	})
}
