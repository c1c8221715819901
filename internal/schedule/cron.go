package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/cron"
)

// JobStore keeps jobs beyond the end of the process; sqlite.Store does.
type JobStore interface {
	Jobs(ctx context.Context) ([]openclaw.StoredJob, error)
	SaveJob(ctx context.Context, job openclaw.StoredJob) error
	RemoveJob(ctx context.Context, name string) error
}

// CronConfig is what a Cron is made of.
type CronConfig struct {
	Submitter Submitter // required
	Ledger    Ledger    // required
	Store     JobStore  // required
	// Skill returns what the model reads for a skill and the only tools it may
	// use, nil for all there are. Required.
	Skill  func(name string) (prompt string, tools []string, err error)
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// Cron runs jobs by the clock. Each slot of a job has one durable record, so
// none runs twice: not after a crash, a restart or a clock that was set back.
// Run is its goroutine, and waits for those of the runs.
type Cron struct {
	config CronConfig
	wake   chan struct{} // the jobs have changed
	wg     sync.WaitGroup
	began  time.Time // when Run began; nobody could start the slots before that

	mu   sync.Mutex
	jobs map[string]*job
}

// job is one job and how far it is.
type job struct {
	openclaw.StoredJob
	schedule cron.Schedule
	fixed    bool      // in the configuration
	problem  string    // why it cannot run; "": it can
	last     time.Time // its last slot that has a record; before the first, when it was created
	running  int
}

// next returns the job's next slot; zero: none.
func (j *job) next() time.Time {
	if j.Paused || j.problem != "" {
		return time.Time{}
	}
	return j.schedule.Next(j.last)
}

// What the ledger calls the jobs of cron.
const cronPrefix = "cron:"

// NewCron reads the jobs that were added by hand, which blocks; Set adds those
// of the configuration.
func NewCron(ctx context.Context, config CronConfig) (*Cron, error) {
	if config.Submitter == nil || config.Ledger == nil || config.Store == nil || config.Skill == nil {
		return nil, errors.New("schedule: CronConfig.Submitter, Ledger, Store and Skill are required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	c := &Cron{config: config, wake: make(chan struct{}, 1), jobs: map[string]*job{}}
	stored, err := config.Store.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		if s.Added {
			if err := c.put(ctx, s, false); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// put makes a job of what is stored, with the last slot the ledger knows. A
// schedule that cannot be read any more is a problem of this job alone.
func (c *Cron) put(ctx context.Context, s openclaw.StoredJob, fixed bool) error {
	runs, err := c.config.Ledger.Runs(ctx, cronPrefix+s.Name, 100)
	if err != nil {
		return err
	}
	j := &job{StoredJob: s, fixed: fixed, last: s.Created}
	for _, r := range runs {
		if !r.Manual && r.Due.After(j.last) {
			j.last = r.Due
		}
	}
	if j.schedule, err = check(s.CronJob); err != nil {
		j.problem = openclaw.AsError(err).Message
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.jobs[s.Name]; old != nil {
		j.running = old.running
	}
	c.jobs[s.Name] = j
	return nil
}

// Run starts what is due until ctx ends, and returns when everything it has
// started has ended or been left to the next start.
func (c *Cron) Run(ctx context.Context) {
	defer c.wg.Wait()
	c.began = c.config.Now()
	c.resume(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-time.After(c.pause()):
		}
		c.look(ctx)
	}
}

// resume goes on with the slots that were running when the gateway stopped.
// Their turns are in the log: asking again with the same key gives the outcome.
func (c *Cron) resume(ctx context.Context) {
	runs, err := c.config.Ledger.Runs(ctx, cronPrefix+"*", 1000)
	switch {
	case ctx.Err() != nil:
		return // the gateway stops before it has begun: the next start reads them
	case err != nil:
		c.config.Logger.Error("interrupted jobs cannot be read", "err", err)
		return
	}
	now := c.config.Now()
	for _, r := range runs {
		if r.State != openclaw.RunRunning {
			continue
		}
		c.mu.Lock()
		j := c.jobs[r.Job[len(cronPrefix):]]
		c.mu.Unlock()
		if j == nil || j.problem != "" || now.Sub(r.Started) > keyLife {
			r.State, r.Reason, r.Ended = openclaw.RunFailed, "the gateway stopped while it ran, and its outcome is lost", now
			c.record(ctx, r)
			continue
		}
		c.start(ctx, j, r)
	}
}

// keyLife is how long the outcome of a turn can be asked for again, with some
// room for the turn itself.
const keyLife = 23 * time.Hour

// pause is how long nothing can be due.
func (c *Cron) pause() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, pause := c.config.Now(), lookEvery
	for _, j := range c.jobs {
		if next := j.next(); !next.IsZero() {
			pause = min(pause, next.Sub(now))
		}
	}
	return max(0, pause)
}

func (c *Cron) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// punctual is how late a slot may be, in a gateway that runs, and still not
// count as missed: a machine may be busy.
const punctual = time.Minute

// look starts or skips every slot that has come.
func (c *Cron) look(ctx context.Context) {
	now := c.config.Now()
	c.mu.Lock()
	type slot struct {
		job *job
		run openclaw.Run
	}
	var slots []slot
	for _, j := range c.jobs {
		if run, ok := j.slot(now, c.began); ok {
			slots = append(slots, slot{j, run})
		}
	}
	c.mu.Unlock()
	for _, s := range slots {
		if s.run.State == openclaw.RunRunning {
			if !c.record(ctx, s.run) {
				c.forget(s.job, s.run) // the disk failed: the next look tries again
				continue
			}
			c.start(ctx, s.job, s.run)
			continue
		}
		c.record(ctx, s.run)
		c.config.Logger.Info("cron slot skipped", "job", s.job.Name, "reason", s.run.Reason, "covers", s.run.Covers)
	}
}

// maxMissed bounds how many missed slots are counted.
const maxMissed = 100_000

// slot takes the job's newest slot that has come, if there is one, and decides
// what to do with it. Earlier ones, which were missed, are counted with it.
func (j *job) slot(now, began time.Time) (openclaw.Run, bool) {
	run := openclaw.Run{Job: cronPrefix + j.Name, State: openclaw.RunRunning, Attempt: 1}
	slots := 0
	for next := j.next(); !next.IsZero() && !next.After(now) && slots < maxMissed; next = j.next() {
		j.last, run.Due = next, next
		slots++
	}
	if slots == 0 {
		return run, false
	}
	run.Covers = slots - 1
	late := slots > 1 || now.Sub(run.Due) > punctual || run.Due.Before(began)
	switch {
	case late && j.Missed == "skip":
		run.State, run.Reason, run.Ended = openclaw.RunSkipped, "missed", now
	case j.running > 0 && j.Overlap != "queue":
		run.State, run.Reason, run.Ended = openclaw.RunSkipped, "overlap", now
	default:
		run.Started = now
		j.running++
	}
	return run, true
}

// forget takes back that a slot has been started.
func (c *Cron) forget(j *job, r openclaw.Run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j.running--
	if j.last.Equal(r.Due) {
		j.last = r.Due.Add(-time.Second)
	}
}

// record keeps a run and says whether that worked.
func (c *Cron) record(ctx context.Context, r openclaw.Run) bool {
	err := c.config.Ledger.Record(ctx, r)
	if err != nil && ctx.Err() == nil { // else the gateway stops, and the next start goes on with it
		c.config.Logger.Error("cron run not recorded", "job", r.Job, "err", err)
	}
	return err == nil
}
