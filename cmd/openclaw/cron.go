package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) cronCommand() *cobra.Command {
	var noStart bool
	cmd := group("cron", "Start turns by the clock",
		c.linkCommand("list", "List the jobs and when each runs next", takes(), &noStart, c.listJobs),
		c.addJobCommand(&noStart),
		c.linkCommand("remove NAME", "Forget a job that was added", takes("NAME"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				return c.changeJob(ctx, l, protocol.TypeCronRemove, protocol.CronRef{Name: args[0]}, args[0], "removed")
			}),
		c.linkCommand("run NAME", "Run a job now, and wait for it", takes("NAME"), &noStart, c.runJob),
		c.linkCommand("pause NAME", "Let a job's times pass", takes("NAME"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				return c.changeJob(ctx, l, protocol.TypeCronPause, protocol.CronPause{Name: args[0], Paused: true}, args[0], "paused")
			}),
		c.linkCommand("resume NAME", "Let a paused job go on", takes("NAME"), &noStart,
			func(ctx context.Context, l *link, args []string) error {
				return c.changeJob(ctx, l, protocol.TypeCronPause, protocol.CronPause{Name: args[0]}, args[0], "resumed")
			}),
		c.jobHistoryCommand(&noStart),
	)
	cmd.Long = "Start turns by the clock. Jobs are those of `cron` in the configuration and those that are added here; they run while a gateway runs."
	cmd.PersistentFlags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	return cmd
}

func (c *cli) addJobCommand(noStart *bool) *cobra.Command {
	var job protocol.CronSpec
	cmd := c.linkCommand("add NAME", "Add a job", takes("NAME"), noStart, func(ctx context.Context, l *link, args []string) error {
		job.Name = args[0]
		return c.changeJob(ctx, l, protocol.TypeCronAdd, job, job.Name, "added")
	})
	cmd.Example = `  openclaw cron add standup --schedule "0 9 * * 1-5" --timezone Europe/Berlin --message "What is on today?"
  openclaw cron add disk --schedule "@every 6h" --message "run: df -h ~"
  openclaw cron add reminder --schedule "@at 2027-01-31T09:00" --message "Remind me to renew the domain."`
	f := cmd.Flags()
	f.StringVar(&job.Schedule, "schedule", "", `when: five fields as in crontab, "@every 90m", or once: "@at 2027-01-31T09:00"`)
	f.StringVar(&job.Timezone, "timezone", "", "the time zone of the schedule, as Europe/Berlin (default UTC)")
	f.StringVar(&job.Message, "message", "", "what to say to the agent; or --skill")
	f.StringVar(&job.Skill, "skill", "", "the skill to run; or --message")
	f.StringVar(&job.Session, "session", "", "the conversation (default one of its own)")
	f.StringVar(&job.Missed, "missed", "", "times at which no gateway ran: run_once (default) or skip")
	f.StringVar(&job.Overlap, "overlap", "", "times at which the run before has not ended: skip (default) or queue")
	return cmd
}

func (c *cli) changeJob(ctx context.Context, l *link, kind protocol.Type, payload any, name, done string) error {
	if _, err := l.ask(ctx, kind, payload); err != nil {
		return err
	}
	return c.say(map[string]any{"job": name, done: true}, "job %s: %s", name, done)
}

func (c *cli) listJobs(ctx context.Context, l *link, _ []string) error {
	reply, err := client.Ask[protocol.CronJobs](ctx, l.Client, protocol.TypeCronList, protocol.Empty{})
	if err != nil {
		return connectionError(err)
	}
	if c.flags.json {
		return c.printJSON(reply)
	}
	if len(reply.Jobs) == 0 {
		c.remark("there are no jobs; openclaw cron add --help shows how to add one")
		return nil
	}
	t := newTable(c.stdout)
	t.row("JOB", "SCHEDULE", "NEXT", "LAST", "SOURCE", "WHAT")
	for _, j := range reply.Jobs {
		t.row(j.Name, scheduleText(j.CronSpec), nextText(j), lastText(j), j.Source, cut(oneLine(whatText(j.CronSpec)), 50))
	}
	return t.flush()
}

func scheduleText(j protocol.CronSpec) string {
	if j.Timezone == "" {
		return j.Schedule
	}
	return j.Schedule + " " + j.Timezone
}

func whatText(j protocol.CronSpec) string {
	if j.Skill != "" {
		return "/" + j.Skill
	}
	return j.Message
}

func nextText(j protocol.CronEntry) string {
	switch {
	case j.Problem != "":
		return "never: " + j.Problem
	case j.Running:
		return "running"
	case j.Paused:
		return "paused"
	case j.NextRun == nil:
		return "-"
	}
	return *j.NextRun
}

func lastText(j protocol.CronEntry) string {
	if j.LastRun == nil {
		return "-"
	}
	return j.LastState + " " + ago(*j.LastRun, time.Now())
}

// runJob waits for the run and prints what the agent said.
func (c *cli) runJob(ctx context.Context, l *link, args []string) error {
	reply, err := client.Ask[protocol.CronRuns](ctx, l.Client, protocol.TypeCronRun, protocol.CronRef{Name: args[0]})
	if err != nil {
		return connectionError(err)
	}
	run := reply.Runs[0]
	switch {
	case c.flags.json:
		err = c.printJSON(run)
	case run.Text != "":
		_, err = fmt.Fprintln(c.stdout, clean(run.Text))
	}
	if err == nil && run.State != "done" {
		return &failure{exit: exitFailed, err: fmt.Errorf("job %s: %s: %s", args[0], run.State, run.Reason)}
	}
	return err
}

func (c *cli) jobHistoryCommand(noStart *bool) *cobra.Command {
	var limit int
	cmd := c.linkCommand("history [NAME]", "List past runs, the latest first", takes("[NAME]"), noStart, func(ctx context.Context, l *link, args []string) error {
		p := protocol.CronHistory{Limit: limit}
		if len(args) > 0 {
			p.Name = args[0]
		}
		reply, err := client.Ask[protocol.CronRuns](ctx, l.Client, protocol.TypeCronHistory, p)
		if err != nil {
			return connectionError(err)
		}
		return c.printRuns(reply.Runs)
	})
	cmd.Flags().IntVar(&limit, "limit", pageSize, "how many")
	return cmd
}

// printRuns prints what the clock has started, or should have.
func (c *cli) printRuns(runs []protocol.ClockRun) error {
	if c.flags.json {
		return c.printJSON(map[string]any{"runs": runs})
	}
	if len(runs) == 0 {
		c.remark("nothing has run yet")
		return nil
	}
	t := newTable(c.stdout)
	t.row("DUE", "JOB", "STATE", "MISSED", "TOKENS", "WHY OR WHAT")
	for _, r := range runs {
		state := r.State
		if r.Result != "" {
			state = r.Result
		}
		why := r.Reason
		if why == "" {
			why = r.Text
		}
		t.row(r.Due, r.Job, state, strconv.Itoa(r.Missed), strconv.Itoa(r.Tokens), cut(oneLine(why), 60))
	}
	return t.flush()
}
