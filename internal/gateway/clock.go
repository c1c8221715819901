package gateway

import (
	"context"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// Heart is the heartbeat.
type Heart interface {
	// Trigger runs one now and blocks until it is over.
	Trigger(dryRun bool) protocol.HeartbeatStatus
	State() protocol.HeartbeatState
	// History returns the newest heartbeats, the latest first.
	History(ctx context.Context, limit int) ([]openclaw.Run, error)
}

// CronJobs are the turns that start by the clock.
type CronJobs interface {
	List(ctx context.Context) ([]protocol.CronEntry, error)
	Add(ctx context.Context, job openclaw.CronJob) error
	Remove(ctx context.Context, name string) error
	Pause(ctx context.Context, name string, paused bool) error
}

// CronRuns are what came of them.
type CronRuns interface {
	// Trigger runs a job now and blocks until it is over.
	Trigger(ctx context.Context, name string) (openclaw.Run, error)
	// Runs returns the newest runs, the latest first; "" is every job.
	Runs(ctx context.Context, name string, limit int) ([]openclaw.Run, error)
}

func heartbeatTrigger(r *request) error {
	p, problem := protocol.DecodePayload[protocol.HeartbeatTrigger](r.message)
	if problem != nil {
		return problem
	}
	// The heartbeat is the gateway's own work: it goes on when the client
	// that triggered it has gone.
	r.reply(protocol.TypeHeartbeatStatus, r.client.gateway.config.Heart.Trigger(p.DryRun))
	return nil
}

func heartbeatHistory(r *request) error {
	p, problem := protocol.DecodePayload[protocol.HeartbeatHistory](r.message)
	if problem != nil {
		return problem
	}
	limit, err := page(p.Limit)
	if err != nil {
		return err
	}
	runs, err := r.client.gateway.config.Heart.History(r.client.life, limit)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeHeartbeats, protocol.Heartbeats{Runs: clockRuns(runs)})
	return nil
}

func cronList(r *request) error {
	jobs, err := r.client.gateway.config.CronJobs.List(r.client.life)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeCronJobs, protocol.CronJobs{Jobs: jobs})
	return nil
}

func cronAdd(r *request) error {
	p, problem := protocol.DecodePayload[protocol.CronSpec](r.message)
	if problem != nil {
		return problem
	}
	return r.done(r.client.gateway.config.CronJobs.Add(r.client.life, openclaw.CronJob(p)))
}

func cronRemove(r *request) error {
	p, problem := protocol.DecodePayload[protocol.CronRef](r.message)
	if problem != nil {
		return problem
	}
	return r.done(r.client.gateway.config.CronJobs.Remove(r.client.life, p.Name))
}

func cronPause(r *request) error {
	p, problem := protocol.DecodePayload[protocol.CronPause](r.message)
	if problem != nil {
		return problem
	}
	return r.done(r.client.gateway.config.CronJobs.Pause(r.client.life, p.Name, p.Paused))
}

// done answers ok where there is no error to answer with.
func (r *request) done(err error) error {
	if err == nil {
		r.reply(protocol.TypeOK, protocol.OK{})
	}
	return err
}

func cronRun(r *request) error {
	p, problem := protocol.DecodePayload[protocol.CronRef](r.message)
	if problem != nil {
		return problem
	}
	// The run goes on when the client that asked for it has gone.
	run, err := r.client.gateway.config.CronRuns.Trigger(context.Background(), p.Name)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeCronRuns, protocol.CronRuns{Runs: clockRuns([]openclaw.Run{run})})
	return nil
}

func cronHistory(r *request) error {
	p, problem := protocol.DecodePayload[protocol.CronHistory](r.message)
	if problem != nil {
		return problem
	}
	limit, err := page(p.Limit)
	if err != nil {
		return err
	}
	runs, err := r.client.gateway.config.CronRuns.Runs(r.client.life, p.Name, limit)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeCronRuns, protocol.CronRuns{Runs: clockRuns(runs)})
	return nil
}

func clockRuns(runs []openclaw.Run) []protocol.ClockRun {
	list := make([]protocol.ClockRun, len(runs))
	for i, r := range runs {
		list[i] = protocol.ClockRun{
			Job: r.Job, Due: protocol.FormatTime(r.Due), State: string(r.State), Result: r.Result, Reason: r.Reason,
			Manual: r.Manual, Missed: r.Covers, Attempt: r.Attempt, Tokens: r.Tokens, Actions: r.Actions, Text: r.Response,
			StartedAt: orNull(r.Started), EndedAt: orNull(r.Ended),
		}
	}
	return list
}

func orNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := protocol.FormatTime(t)
	return &s
}

// noCron stands where a gateway runs no jobs.
type noCron struct{}

func (noCron) err() error {
	return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "this gateway runs no cron jobs"}
}

func (n noCron) List(context.Context) ([]protocol.CronEntry, error)          { return nil, n.err() }
func (n noCron) Add(context.Context, openclaw.CronJob) error                 { return n.err() }
func (n noCron) Remove(context.Context, string) error                        { return n.err() }
func (n noCron) Pause(context.Context, string, bool) error                   { return n.err() }
func (n noCron) Trigger(context.Context, string) (r openclaw.Run, err error) { return r, n.err() }
func (n noCron) Runs(context.Context, string, int) ([]openclaw.Run, error)   { return nil, n.err() }
