package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

// job is a command in the background.
type job struct {
	id      string
	session string
	text    string          // the command line
	action  openclaw.Action // what was approved
	began   time.Time
	limit   time.Duration
	cancel  context.CancelCauseFunc
	done    chan struct{}
	output  *output

	writing sync.Mutex
	input   io.WriteCloser // what the command reads; nil: it has been ended

	mu    sync.Mutex
	ended time.Time // zero: it runs
	how   string    // it ended, as the end of a sentence
	notes []string
	told  bool // the model knows that it has ended
}

// end notes how the command ended.
func (j *job) end(exit Exit, err, cause error) {
	j.mu.Lock()
	j.ended, j.notes = time.Now(), exit.Notes
	switch {
	case errors.Is(cause, errTooLong):
		j.how = fmt.Sprintf("was stopped after %v, with all it had started", j.limit)
	case cause != nil:
		j.how = "was killed, with all it had started"
	case err != nil:
		j.how = "failed: " + openclaw.AsError(err).Message
	default:
		j.how = fmt.Sprintf("ended with exit code %d", exitCode(exit))
	}
	j.mu.Unlock()
	j.output.finish()
	j.closeInput()
	close(j.done)
}

func (j *job) running() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

// over says when the job ended.
func (j *job) over() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}

// state says how the job is, as a sentence, for the model, and whether it has
// ended.
func (j *job) state() (text string, notes []string, over bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended.IsZero() {
		return fmt.Sprintf("%s runs, for %s", j.id, seconds(time.Since(j.began))), nil, false
	}
	j.told = true
	return fmt.Sprintf("%s %s, after %s", j.id, j.how, seconds(j.ended.Sub(j.began))), slices.Clone(j.notes), true
}

// news is state for a job that has ended, once.
func (j *job) news() (text string, ok bool) {
	if j.running() {
		return "", false
	}
	j.mu.Lock()
	told := j.told
	j.mu.Unlock()
	if told {
		return "", false
	}
	text, _, _ = j.state()
	return text + "; process, action poll, shows what it printed", true
}

// seconds are fine enough that no two results about a job are the same.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// quiet is how long a command must have printed nothing more before its output
// is shown.
const quiet = 300 * time.Millisecond

// wait returns when the job has ended, when it has printed something and then
// nothing for a moment, when within is over, or with ctx's error.
func (j *job) wait(ctx context.Context, within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		var pause <-chan time.Time
		if j.output.waiting() {
			pause = time.After(quiet)
		}
		select {
		case <-j.done:
			return nil
		case <-late.C:
			return nil
		case <-pause:
			return nil
		case <-j.output.more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// patience is how long a job may take to read what is written to it; tests
// have less.
var patience = 5 * time.Second

// write gives the command something to read.
func (j *job) write(text string) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.input == nil {
		return badArgs(j.id + " reads nothing any more: its input was ended, or it has")
	}
	if file, ok := j.input.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = file.SetWriteDeadline(time.Now().Add(patience)) // it was opened for that
	}
	n, err := io.WriteString(j.input, text)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return badArgs(fmt.Sprintf("%s does not read what is written to it; it took %d of %d bytes", j.id, n, len(text)))
	}
	if err != nil {
		return badArgs(fmt.Sprintf("%s could not be written to (%d of %d bytes were): %v", j.id, n, len(text), err))
	}
	return nil
}

// closeInput ends what the command reads.
func (j *job) closeInput() {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.input != nil {
		_ = j.input.Close()
		j.input = nil
	}
}
