package agent

import (
	"context"
	"errors"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Retry says how often and how soon a model that failed is asked again. The
// zero value of a field stands for the default.
type Retry struct {
	// Attempts is how often one model is asked where no other can take over;
	// default 4.
	Attempts int
	// First is the wait before the second attempt, at the most; it doubles with
	// each attempt, up to Longest. Half of it is left to chance. Defaults: 1 s
	// and 8 s.
	First, Longest time.Duration
	// Patience is the longest wait that an API may ask for; one that asks for
	// more counts as failed. Default 30 s.
	Patience time.Duration
	// Haste takes the place of Patience where another model can take over;
	// default 1 s.
	Haste time.Duration
}

func (r *Retry) fill() {
	if r.Attempts <= 0 {
		r.Attempts = 4
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{{&r.First, time.Second}, {&r.Longest, 8 * time.Second}, {&r.Patience, 30 * time.Second}, {&r.Haste, time.Second}} {
		if *d.field <= 0 {
			*d.field = d.standard
		}
	}
}

// remedy is what can be done about a kind of failure.
type remedy struct {
	again   bool // the same model may answer if it is asked again
	another bool // another model may answer
	lasting bool // it stays so until somebody mends it
}

// remedies by kind; what is not here only the sender can do something about.
var remedies = map[string]remedy{
	openclaw.FailureAuth:        {another: true, lasting: true},
	openclaw.FailureRateLimited: {again: true, another: true},
	openclaw.FailureOverloaded:  {again: true, another: true},
	openclaw.FailureNetwork:     {again: true, another: true},
	openclaw.FailureTimeout:     {again: true, another: true},
	openclaw.FailureCutStream:   {again: true, another: true},
}

// remedyFor returns what can be done about err. A model that was asked for by
// name and does not exist is not replaced.
func remedyFor(err error, named bool) remedy {
	if openclaw.CodeOf(err) == openclaw.CodeModelNotFound {
		return remedy{another: !named, lasting: true}
	}
	return remedies[openclaw.FailureOf(err)]
}

// attempts is how often a model is asked before it is given up. One that has
// a successor gets a second chance only where the first cost no time; a
// silent one costs minutes.
func (r *Retry) attempts(kind string, successor bool) int {
	switch {
	case successor && kind == openclaw.FailureTimeout:
		return 1
	case successor, kind == openclaw.FailureTimeout:
		return 2
	}
	return r.Attempts
}

// wait returns how long to wait before attempt n+1, and whether to wait at
// all. chance is in [0, 1).
func (r *Retry) wait(err error, n int, successor bool, chance float64) (time.Duration, bool) {
	kind := openclaw.FailureOf(err)
	if n >= r.attempts(kind, successor) {
		return 0, false
	}
	var asked time.Duration
	if e, ok := errors.AsType[*openclaw.Error](err); ok {
		asked = e.RetryAfter
	}
	patience := r.Patience
	if successor {
		patience = r.Haste
		if kind == openclaw.FailureRateLimited && asked == 0 {
			return 0, false // nothing says that it would soon be over
		}
	}
	if asked > patience {
		return 0, false
	}
	backoff := min(r.First<<min(n-1, 20), r.Longest, patience)
	if backoff <= 0 { // shifted out of its range
		backoff = r.Longest
	}
	return max(asked, backoff/2+time.Duration(chance*float64(backoff/2))), true
}

// pause waits, unless the turn ends before: then it says so at once.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
