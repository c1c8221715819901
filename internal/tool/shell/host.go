package shell

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

const (
	// maxRunning bounds the jobs of all conversations that run at a time.
	maxRunning = 64
	// maxKnown bounds those that are known, the ended ones among them.
	maxKnown = 256
)

// Host keeps what outlives a call: the commands that run in the background, and
// files with what commands have printed. Each belongs to the conversation that
// started it. One Host serves every configuration of a process; Close it.
type Host struct {
	shelf shelf

	life context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	jobs    map[string]*job // by ID
	closed  bool
	running sync.WaitGroup
}

// NewHost returns a Host without jobs. outputs is the directory of the files,
// absolute, and made when it is needed; "": nothing is kept.
func NewHost(outputs string) *Host {
	h := &Host{jobs: make(map[string]*job), shelf: shelf{dir: outputs}}
	h.life, h.stop = context.WithCancel(context.Background())
	return h
}

// Sweep removes the files that the limits leave no room for. That is done for
// each new file, too.
func (h *Host) Sweep(limits Outputs) { h.shelf.sweep(limits) }

// Forget ends the jobs of a conversation and removes its files.
func (h *Host) Forget(session string) error {
	h.EndJobs(session)
	return h.shelf.forget(session)
}

// EndJobs kills the jobs of a conversation with all that they started, and
// returns when nothing of them is left.
func (h *Host) EndJobs(session string) {
	h.mu.Lock()
	var gone []*job
	for id, j := range h.jobs {
		if j.session == session {
			gone = append(gone, j)
			delete(h.jobs, id)
		}
	}
	h.mu.Unlock()
	for _, j := range gone {
		j.cancel(errKilled)
	}
	for _, j := range gone {
		<-j.done
	}
}

// Close kills all jobs with all that they started, and returns when nothing of
// them is left. No other can be started.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.running.Wait()
}

// begin registers a job and runs it, until it ends by itself, its time is over
// or somebody kills it. run gets the context of the job.
func (h *Host) begin(j *job, most int, limit time.Duration, run func(context.Context) (Exit, error)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return &openclaw.Error{Code: openclaw.CodeShuttingDown, Message: "the gateway stops, so nothing is started"}
	}
	own, all := 0, 0
	for _, other := range h.jobs {
		if other.running() {
			all++
			if other.session == j.session {
				own++
			}
		}
	}
	if own >= most || all >= maxRunning {
		return badArgs(fmt.Sprintf("too many commands run in the background (%d in this conversation, %d in all); end one with process, action kill", own, all))
	}
	h.makeRoom()
	for j.id == "" || h.jobs[j.id] != nil {
		j.id = newID()
	}
	h.jobs[j.id] = j
	ctx, cancel := context.WithCancelCause(h.life)
	ctx, stop := context.WithTimeoutCause(ctx, limit, errTooLong)
	j.cancel, j.limit, j.began = cancel, limit, time.Now()
	h.running.Go(func() {
		defer stop()
		defer cancel(nil)
		exit, err := run(ctx)
		j.end(exit, err, context.Cause(ctx))
	})
	return nil
}

// makeRoom drops the job that ended first, if too many are known.
func (h *Host) makeRoom() {
	if len(h.jobs) < maxKnown {
		return
	}
	var first *job
	for _, j := range h.jobs {
		if !j.running() && (first == nil || j.over().Before(first.over())) {
			first = j
		}
	}
	if first != nil {
		delete(h.jobs, first.id)
	}
}

// find returns a conversation's job.
func (h *Host) find(session, id string) (*job, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if j := h.jobs[id]; j != nil && j.session == session {
		return j, nil
	}
	return nil, &openclaw.Error{
		Code:    openclaw.CodeNotFound,
		Message: fmt.Sprintf("this conversation has no job %q; the action list shows those it has (jobs end with the gateway)", id),
	}
}

// list returns a conversation's jobs in the order in which they began.
func (h *Host) list(session string) []*job {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*job
	for _, j := range h.jobs {
		if j.session == session {
			list = append(list, j)
		}
	}
	slices.SortFunc(list, func(a, b *job) int { return cmp.Or(a.began.Compare(b.began), cmp.Compare(a.id, b.id)) })
	return list
}

// news returns a line for each job of a conversation that has ended and that
// the model has not been told of.
func (h *Host) news(session string) (lines []string) {
	for _, j := range h.list(session) {
		if line, ok := j.news(); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

var (
	errKilled  = errors.New("killed")
	errTooLong = errors.New("too long")
)

// newID returns a name that no job of an earlier gateway had, in all
// likelihood: a call that is made again after a crash must not find another.
func newID() string { return "job-" + rand.Text()[:6] }
