package gateway_test

import (
	"context"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// cronJobs knows one job, "backup".
type cronJobs struct{}

var cronTime = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func backup(name string) error {
	if name == "backup" {
		return nil
	}
	return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "there is no cron job of that name"}
}

func (cronJobs) List(context.Context) ([]protocol.CronEntry, error) {
	next := protocol.FormatTime(cronTime)
	return []protocol.CronEntry{{
		CronSpec: protocol.CronSpec{Name: "backup", Schedule: "0 3 * * *", Message: "run: backup"}, Source: "added", NextRun: &next,
	}}, nil
}

func (cronJobs) Add(_ context.Context, j openclaw.CronJob) error {
	if backup(j.Name) == nil {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "there is a job called backup"}
	}
	return nil
}

func (cronJobs) Remove(_ context.Context, name string) error        { return backup(name) }
func (cronJobs) Pause(_ context.Context, name string, _ bool) error { return backup(name) }

func (cronJobs) Trigger(_ context.Context, name string) (openclaw.Run, error) {
	return openclaw.Run{
		Job: "cron:backup", Due: cronTime, State: openclaw.RunDone, Manual: true, Attempt: 1,
		Started: cronTime, Ended: cronTime.Add(time.Second), Tokens: 5, Actions: 1, Response: "saved",
	}, backup(name)
}

func (cronJobs) Runs(_ context.Context, name string, limit int) ([]openclaw.Run, error) {
	return []openclaw.Run{{
		Job: "cron:backup", Due: cronTime, State: openclaw.RunSkipped, Reason: "missed", Attempt: 1, Covers: 2, Ended: cronTime.Add(time.Hour),
	}}[:min(1, limit)], nil
}
