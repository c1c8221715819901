package protocol

// HeartbeatHistory is the payload of heartbeat_history.
type HeartbeatHistory struct {
	Limit int `json:"limit,omitzero"`
}

// Heartbeats completes heartbeat_history: the newest first.
type Heartbeats struct {
	Runs []ClockRun `json:"runs"`
}

// ClockRun is one time that the clock started something, or should have.
type ClockRun struct {
	Job       string  `json:"job"`
	Due       string  `json:"due"`
	State     string  `json:"state"`           // running, done, failed or skipped
	Result    string  `json:"result,omitzero"` // of a heartbeat
	Reason    string  `json:"reason,omitzero"` // why it was skipped or failed
	Manual    bool    `json:"manual,omitzero"` // somebody asked for it
	Missed    int     `json:"missed,omitzero"` // earlier slots that it stands for
	Attempt   int     `json:"attempt"`         // 1 for the first
	StartedAt *string `json:"started_at"`      // null: not at all
	EndedAt   *string `json:"ended_at"`        // null: not yet
	Tokens    int     `json:"tokens_used"`     //
	Actions   int     `json:"actions_taken"`   // tool calls
	Text      string  `json:"text,omitzero"`   // the beginning of the answer
}

// CronSpec is the payload of cron_add: a turn that starts by the clock.
type CronSpec struct {
	Name     string `json:"name"`              // 1 to 64 letters, digits and ._-
	Schedule string `json:"schedule"`          // five fields, "@every 90m" or "@at 2027-01-31T09:00"
	Timezone string `json:"timezone,omitzero"` // "": UTC
	Message  string `json:"message,omitzero"`  // or skill
	Skill    string `json:"skill,omitzero"`
	Session  string `json:"session,omitzero"` // "": cron:NAME
	Missed   string `json:"missed,omitzero"`  // run_once (default) or skip
	Overlap  string `json:"overlap,omitzero"` // skip (default) or queue
}

// CronRef is the payload of cron_remove and cron_run.
type CronRef struct {
	Name string `json:"name"`
}

// CronPause is the payload of cron_pause.
type CronPause struct {
	Name   string `json:"name"`
	Paused bool   `json:"paused"`
}

// CronHistory is the payload of cron_history.
type CronHistory struct {
	Name  string `json:"name,omitzero"` // "": of all jobs
	Limit int    `json:"limit,omitzero"`
}

// CronJobs completes cron_list.
type CronJobs struct {
	Jobs []CronEntry `json:"jobs"`
}

// CronEntry is one job of a list. Times are null when there is none.
type CronEntry struct {
	CronSpec
	Source    string  `json:"source"` // config or added
	Paused    bool    `json:"paused"`
	Running   bool    `json:"running"`
	NextRun   *string `json:"next_run"`
	LastRun   *string `json:"last_run"`
	LastState string  `json:"last_state,omitzero"`
	Problem   string  `json:"problem,omitzero"` // why it cannot run
}

// CronRuns completes cron_run and cron_history: the newest first.
type CronRuns struct {
	Runs []ClockRun `json:"runs"`
}
