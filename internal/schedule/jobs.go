package schedule

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/cron"
	"github.com/openclaw/openclaw-go/protocol"
)

// check says whether a job can be kept, and reads its schedule.
func check(j openclaw.CronJob) (cron.Schedule, error) {
	bad := func(format string, a ...any) (cron.Schedule, error) {
		return cron.Schedule{}, &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf(format, a...)}
	}
	switch {
	case !openclaw.ValidJobName(j.Name):
		return bad("a job needs a name of 1 to 64 letters, digits and ._-")
	case (strings.TrimSpace(j.Message) == "") == (j.Skill == ""):
		return bad("job %s needs either a message or a skill", j.Name)
	case j.Session != "" && !protocol.ValidSession(j.Session):
		return bad("the session of job %s must be 1 to 128 letters, digits and ._:@/-", j.Name)
	case j.Missed != "run_once" && j.Missed != "skip":
		return bad("missed of job %s must be run_once or skip", j.Name)
	case j.Overlap != "queue" && j.Overlap != "skip":
		return bad("overlap of job %s must be skip or queue", j.Name)
	}
	s, err := cron.Parse(j.Schedule, j.Timezone)
	if err != nil {
		return bad("the schedule of job %s cannot be used: %v", j.Name, err)
	}
	return s, nil
}

// Set takes over the jobs of the configuration, which blocks. A job that was
// there before keeps its slots; one that is gone stops. One with the name of a
// job that was added by hand is a problem of the configuration, and is left
// out.
func (c *Cron) Set(ctx context.Context, configured []openclaw.CronJob) error {
	stored, err := c.config.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	known := map[string]openclaw.StoredJob{}
	for _, s := range stored {
		known[s.Name] = s
	}
	wanted := map[string]bool{}
	for _, j := range configured {
		s, seen := known[j.Name]
		if s.Added {
			c.config.Logger.Error("a cron job of the configuration has the name of one that was added", "job", j.Name)
			continue
		}
		wanted[j.Name] = true
		changed := s.Schedule != j.Schedule || s.Timezone != j.Timezone
		if s.CronJob = j; !seen || changed {
			s.Created = c.config.Now() // its slots begin now
		}
		if err := c.config.Store.SaveJob(ctx, s); err != nil {
			return err
		}
		if err := c.put(ctx, s, true); err != nil {
			return err
		}
	}
	c.mu.Lock()
	maps.DeleteFunc(c.jobs, func(name string, j *job) bool { return j.fixed && !wanted[name] })
	c.mu.Unlock()
	c.poke()
	return nil
}

// Add keeps a new job, which blocks.
func (c *Cron) Add(ctx context.Context, j openclaw.CronJob) error {
	j.Missed, j.Overlap = cmp.Or(j.Missed, "run_once"), cmp.Or(j.Overlap, "skip")
	schedule, err := check(j)
	if err != nil {
		return err
	}
	now := c.config.Now()
	if schedule.Next(now).IsZero() {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "the time of job " + j.Name + " has passed"}
	}
	c.mu.Lock()
	_, taken := c.jobs[j.Name]
	c.mu.Unlock()
	if taken {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "there is a job called " + j.Name + "; remove it first, or use another name"}
	}
	s := openclaw.StoredJob{CronJob: j, Added: true, Created: now}
	if err := c.config.Store.SaveJob(ctx, s); err != nil {
		return err
	}
	if err := c.put(ctx, s, false); err != nil {
		return err
	}
	c.poke()
	return nil
}

// Remove forgets a job that was added by hand, which blocks. A run under way
// goes on.
func (c *Cron) Remove(ctx context.Context, name string) error {
	j, err := c.find(name)
	if err != nil {
		return err
	}
	if j.fixed {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "job " + name + " is in the configuration; remove it there, or pause it"}
	}
	if err := c.config.Store.RemoveJob(ctx, name); err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.jobs, name)
	c.mu.Unlock()
	return nil
}

// Pause stops or continues a job, which blocks. Slots in between do not count
// as missed.
func (c *Cron) Pause(ctx context.Context, name string, paused bool) error {
	j, err := c.find(name)
	if err != nil {
		return err
	}
	s := j.StoredJob
	if s.Paused && !paused {
		s.Created = c.config.Now()
	}
	s.Paused = paused
	if err := c.config.Store.SaveJob(ctx, s); err != nil {
		return err
	}
	if err := c.put(ctx, s, j.fixed); err != nil {
		return err
	}
	c.poke()
	return nil
}

// Trigger runs a job now, beside its slots, and blocks until the run is over.
func (c *Cron) Trigger(ctx context.Context, name string) (openclaw.Run, error) {
	j, err := c.find(name)
	if err != nil {
		return openclaw.Run{}, err
	}
	if j.problem != "" {
		return openclaw.Run{}, &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: j.problem}
	}
	now := c.config.Now()
	r := openclaw.Run{Job: cronPrefix + name, Due: now, State: openclaw.RunRunning, Manual: true, Attempt: 1, Started: now}
	if err := c.config.Ledger.Record(ctx, r); err != nil {
		return r, err
	}
	return c.perform(ctx, j.CronJob, r), nil
}

// find returns a copy of the job.
func (c *Cron) find(name string) (job, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if j := c.jobs[name]; j != nil {
		return *j, nil
	}
	return job{}, &openclaw.Error{
		Code: openclaw.CodeNotFound, Message: "there is no cron job of that name; `openclaw cron list` shows those there are",
	}
}

// Runs returns the newest runs, the latest first, of one job or, for "", of
// all. It blocks.
func (c *Cron) Runs(ctx context.Context, name string, limit int) ([]openclaw.Run, error) {
	if name == "" {
		name = "*"
	} else if !openclaw.ValidJobName(name) {
		_, err := c.find(name)
		return nil, err
	}
	return c.config.Ledger.Runs(ctx, cronPrefix+name, limit)
}

// List describes every job, sorted by name. It blocks.
func (c *Cron) List(ctx context.Context) ([]protocol.CronEntry, error) {
	c.mu.Lock()
	names := slices.Sorted(maps.Keys(c.jobs))
	c.mu.Unlock()
	entries := []protocol.CronEntry{}
	for _, name := range names {
		j, err := c.find(name)
		if err != nil {
			continue // removed meanwhile
		}
		runs, err := c.config.Ledger.Runs(ctx, cronPrefix+name, 1)
		if err != nil {
			return nil, err
		}
		e := protocol.CronEntry{
			CronSpec: protocol.CronSpec(j.CronJob), Source: "added", Paused: j.Paused, Running: j.running > 0,
			NextRun: timeOrNull(j.next()), Problem: j.problem,
		}
		if j.fixed {
			e.Source = "config"
		}
		if len(runs) > 0 {
			e.LastRun, e.LastState = timeOrNull(runs[0].Due), string(runs[0].State)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
