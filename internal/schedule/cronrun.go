package schedule

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// attempts is how often a run is tried where the same may succeed later, and
// firstRetry how long after the first failure; each next wait is four times as
// long.
const (
	attempts   = 3
	firstRetry = 30 * time.Second
)

// start runs a slot on a goroutine of its own.
func (c *Cron) start(ctx context.Context, j *job, r openclaw.Run) {
	definition := j.CronJob
	c.wg.Go(func() {
		defer c.ended(j.Name)
		c.perform(ctx, definition, r)
	})
}

// ended counts a run of the job as over.
func (c *Cron) ended(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if j := c.jobs[name]; j != nil && j.running > 0 {
		j.running--
	}
}

// perform runs a slot to its outcome, with retries, and returns the run as it
// was recorded last. When ctx ends first the run stays as it is and goes on at
// the next start.
func (c *Cron) perform(ctx context.Context, j openclaw.CronJob, r openclaw.Run) openclaw.Run {
	for wait := firstRetry; ; wait *= 4 {
		o, ended := c.turn(ctx, j, r)
		if !ended {
			return r
		}
		r = concluded(r, o, c.config.Now())
		if r.State != openclaw.RunFailed || !o.Err.Code.Retryable() || r.Attempt >= attempts {
			c.record(ctx, r)
			c.config.Logger.Info("cron run ended", "job", j.Name, "state", string(r.State), "reason", r.Reason, "tokens", r.Tokens)
			return r
		}
		r.State, r.Ended, r.Attempt = openclaw.RunRunning, time.Time{}, r.Attempt+1
		if !c.record(ctx, r) {
			return r
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(max(wait, o.Err.RetryAfter)):
		}
	}
}

// turn submits one attempt and waits for its outcome. The key makes it the
// same turn however often it is submitted.
func (c *Cron) turn(ctx context.Context, j openclaw.CronJob, r openclaw.Run) (o session.Outcome, ended bool) {
	started := openclaw.TurnStarted{
		Source: openclaw.SourceCron, User: "cron", Text: j.Message,
		IdempotencyKey: fmt.Sprintf("%s%s:%d:%d", cronPrefix, j.Name, r.Due.UnixMicro(), r.Attempt),
	}
	if j.Skill != "" {
		prompt, tools, err := c.config.Skill(j.Skill)
		if err != nil {
			return session.Outcome{Err: openclaw.AsError(err)}, true
		}
		started.Text, started.Prompt, started.Options.Tools = "/"+j.Skill, prompt, tools
	}
	done := make(outcome, 1)
	c.config.Submitter.Submit(session.Request{Session: sessionOf(j), ID: ulid.Make().String(), Started: started, Observer: done})
	select {
	case o = <-done:
	case <-ctx.Done():
		return o, false
	}
	// A gateway that stops leaves the turn to the next start.
	return o, o.Err == nil || o.Err.Code != openclaw.CodeShuttingDown
}

func sessionOf(j openclaw.CronJob) string {
	if j.Session != "" {
		return j.Session
	}
	return cronPrefix + j.Name
}

// concluded is the run with the outcome of its turn.
func concluded(r openclaw.Run, o session.Outcome, now time.Time) openclaw.Run {
	r.Ended, r.Tokens, r.Actions = now, r.Tokens+o.Usage.Total(), r.Actions+len(o.Calls)
	switch {
	case o.Err == nil:
		r.State, r.Reason, r.Response = openclaw.RunDone, "", beginning(o.Text)
	case o.Err.Code == openclaw.CodeBudgetExceeded:
		r.State, r.Reason = openclaw.RunSkipped, reasonBudget
	default:
		r.State, r.Reason = openclaw.RunFailed, string(o.Err.Code)+": "+o.Err.Message
	}
	return r
}
