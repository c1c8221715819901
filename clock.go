package openclaw

import "time"

// Run is one time that the clock started something, or should have. The store
// keeps one for each slot of a job, so that no slot runs twice.
type Run struct {
	Job      string // a job's name behind its kind, such as "cron:backup"
	Due      time.Time
	State    RunState
	Manual   bool // somebody asked for it
	Attempt  int  // 1 for the first
	Covers   int  // earlier slots that were missed and that this one stands for
	Started  time.Time
	Ended    time.Time // zero: not yet
	Result   string    // in the words of the kind of job
	Reason   string    // why it was skipped or failed
	Tokens   int
	Actions  int    // tool calls
	Response string // the beginning of what the model said
}

// RunState is how far a Run has got.
type RunState string

// The states of a Run. Only a running one is ever taken up again.
const (
	RunRunning RunState = "running"
	RunDone    RunState = "done"
	RunFailed  RunState = "failed"
	RunSkipped RunState = "skipped"
)

// CronJob is a turn that starts by the clock.
type CronJob struct {
	Name     string `json:"name"` // see ValidJobName
	Schedule string `json:"schedule"`
	Timezone string `json:"timezone,omitzero"` // "": UTC
	Message  string `json:"message,omitzero"`  // or Skill
	Skill    string `json:"skill,omitzero"`
	Session  string `json:"session,omitzero"` // "": one of its own
	Missed   string `json:"missed,omitzero"`  // run_once or skip
	Overlap  string `json:"overlap,omitzero"` // skip or queue
}

// StoredJob is what the store knows of a job: all of one that was added by
// hand, and of one from the configuration that it was seen.
type StoredJob struct {
	CronJob
	Added   bool // by hand
	Paused  bool
	Created time.Time // when it was first seen; slots before it are none of its own
}

// ValidJobName says whether a job may have the name: 1 to 64 letters, digits
// and ._- of ASCII.
func ValidJobName(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return name != "" && len(name) <= 64
}
