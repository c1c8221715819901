package storetest

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

// testRuns: a run replaces the one of the same slot, survives a restart, and
// the newest come first, of the jobs that match.
func testRuns(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	run := func(job string, minute int, state openclaw.RunState) openclaw.Run {
		return openclaw.Run{
			Job: job, Due: noon.Add(time.Duration(minute) * time.Minute), State: state, Manual: minute == 1, Attempt: 2, Covers: minute,
			Started: noon, Result: "HEARTBEAT_ACTED", Reason: "because", Tokens: 5, Actions: 6, Response: "done",
		}
	}
	backup, ended := run("cron:backup", 1, openclaw.RunRunning), run("cron:backup", 1, openclaw.RunDone)
	ended.Ended = noon.Add(time.Hour)
	later := run("cron:other", 2, openclaw.RunFailed)
	for _, batch := range [][]openclaw.Run{{backup}, {ended, later}, {run("heartbeat", 3, openclaw.RunDone)}, nil} {
		if err := s.Record(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	for pattern, want := range map[string][]openclaw.Run{
		"cron:*": {later, ended}, "cron:backup": {ended}, "cron:none": nil,
	} {
		got, err := s.Runs(t.Context(), pattern, 10)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, pattern, want, got)
	}
	got, err := s.Runs(t.Context(), "*", 1)
	if err != nil || len(got) != 1 || got[0].Job != "heartbeat" {
		t.Errorf("the newest is %+v, %v", got, err)
	}
}

// testJobs: jobs are sorted, replaced by name, and gone when removed.
func testJobs(t *testing.T, open Open) {
	s := start(t, open)
	one := openclaw.StoredJob{CronJob: openclaw.CronJob{Name: "one", Schedule: "@daily", Message: "hello", Missed: "skip"}, Added: true, Created: noon}
	two := openclaw.StoredJob{CronJob: openclaw.CronJob{Name: "two", Schedule: "* * * * *", Skill: "s"}, Created: noon}
	for _, job := range []openclaw.StoredJob{two, one} {
		if err := s.SaveJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	two.Paused, two.Message = true, "é"
	if err := s.SaveJob(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	list := func() []openclaw.StoredJob {
		jobs, err := s.Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	wantEqual(t, "jobs", []openclaw.StoredJob{one, two}, list())
	for _, name := range []string{"one", "nobody"} {
		if err := s.RemoveJob(t.Context(), name); err != nil {
			t.Errorf("removing %s: %v", name, err)
		}
	}
	wantEqual(t, "jobs left", []openclaw.StoredJob{two}, list())
}
