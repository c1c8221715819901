// Package sandbox says how a child process is confined.
//
// Every command the gateway runs is started through a Runner. On Linux the
// gateway's own binary is executed once more per command, as a small
// supervisor: it has a session of its own, is the subreaper of all the command
// starts, and sets no_new_privs. When the command is over, when the gateway
// asks for it, or when the gateway dies, the supervisor kills every descendant,
// including those that called setsid or forked twice, and only then reports how
// the command ended. On other systems the Runner kills the command's process
// group.
//
// A Box adds confinement to that: which files, networks and processes a command
// reaches (Rules), by the strongest Layer this machine has. What a layer
// promises is applied or the command does not run; nothing is skipped in
// silence. A Job can carry a Grant, what one approved command may have beyond
// the rules.
//
// The Runner owns the supervisors; a supervisor owns its command's processes; a
// Box owns the temporary directories of its jobs. This package does not decide
// which commands may run or be granted more, and does not shorten or interpret
// their output.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// Options configure a Runner. The zero value is ready to use.
type Options struct {
	// Grace is how long a command may go on after it was asked to stop
	// (SIGTERM), before it is killed. 0: 200 ms; at most 250 ms, since whoever
	// cancels is promised dead processes within a second.
	Grace time.Duration

	// WaitDelay is how long Run waits for the end of the output once all
	// processes are gone. It only matters when a process outside of the tree
	// got hold of the output. 0: 250 ms.
	WaitDelay time.Duration

	// Processes is how many processes one confined command may have at a time;
	// with more it is stopped. 0: 2048; at least 16.
	Processes int

	// Without names layers not to use although they may work, for tests and for
	// machines on which one misbehaves.
	Without []Layer
}

const (
	defaultGrace     = 200 * time.Millisecond
	defaultProcesses = 2048
	minProcesses     = 16
	maxGrace         = 250 * time.Millisecond
	defaultWaitDelay = 250 * time.Millisecond
)

func (o Options) withDefaults() (Options, error) {
	if o.Grace < 0 || o.Grace > maxGrace {
		return o, errors.New("sandbox: Grace must be between 0 and 250 ms")
	}
	if o.WaitDelay < 0 {
		return o, errors.New("sandbox: WaitDelay must not be negative")
	}
	if o.Processes == 0 {
		o.Processes = defaultProcesses
	}
	if o.Processes < minProcesses {
		return o, fmt.Errorf("sandbox: Processes must be at least %d", minProcesses)
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.WaitDelay == 0 {
		o.WaitDelay = defaultWaitDelay
	}
	return o, nil
}

// Job is one command to run.
type Job struct {
	Argv []string // Argv[0] is the absolute path of the program
	Dir  string   // absolute path of the working directory, with no symbolic link in it
	Env  []string // "NAME=value"; nothing is added or inherited

	// Stdin is what the command reads; nil: nothing. An *os.File is handed over
	// as it is. Any other reader is copied, and Run returns only after its last
	// Read has returned.
	Stdin io.Reader

	// Stdout and Stderr receive what the command writes; nil: it is dropped. If
	// both are the same value, they share one pipe and the order of arrival is
	// kept. An *os.File is handed over as it is. For any other writer, a failed
	// Write closes the pipe, and the command gets SIGPIPE.
	Stdout, Stderr io.Writer

	// Terminal says that Stdin is an *os.File of a terminal, such as the other
	// side of a pseudo terminal; it becomes the command's controlling terminal,
	// so that what is typed there as Ctrl-C reaches the command. The caller
	// closes it, after Run.
	Terminal bool

	// WantDir asks for Exit.Dir.
	WantDir bool

	// Grant is what this command may have beyond the Rules of its Box. Without
	// a Box it says nothing: such a command is not confined anyway.
	Grant Grant

	temp string // a directory to remove if the gateway is gone at the end; "": none
}

// Grant is what somebody who may decide it has allowed one command. The zero
// value is nothing.
type Grant struct {
	Network bool // internet sockets; the gateway's own port stays out of reach

	// Writable are absolute paths of existing files or directories that may be
	// written, with all below, with no symbolic links in them. What is blocked
	// stays so.
	Writable []string

	// Unconfined lets the command run with all the rights of the gateway's
	// user. It is still supervised and killed with all it started.
	Unconfined bool
}

// Exit is how a command ended.
type Exit struct {
	Code   int            // the command's own; -1 if a signal ended it
	Signal syscall.Signal // the signal that ended it; 0: none

	// Dir is where the command's first process was when it ended, whatever
	// programs it had become until then. Absolute, and a directory then; "": not
	// known. It is known on Linux only.
	Dir string

	// NetworkRefused says that the command asked for an internet socket and was
	// refused one. It is known on Linux only.
	NetworkRefused bool
	// TooMany says that the command was stopped because it had more processes
	// than Options.Processes.
	TooMany bool
}

// Run runs job, supervised and not confined, and blocks until it is over: the command has ended, every
// process it left behind is dead, and all output was written.
//
// When ctx ends first, all processes get SIGTERM and, after the grace period,
// SIGKILL; Run returns what became of the command beside ctx's own error. Any
// other error says that the command could not be started or supervised (an
// *openclaw.Error), or is the first error of reading Stdin or of writing Stdout
// or Stderr.
func (r *Runner) Run(ctx context.Context, job Job) (Exit, error) {
	if err := job.check(); err != nil {
		return Exit{}, err
	}
	if err := ctx.Err(); err != nil {
		return Exit{}, err
	}
	if err := job.exact(); err != nil {
		return Exit{}, err
	}
	return r.run(ctx, job, nil)
}

func (j *Job) check() error {
	bad := func(message string) error {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: message}
	}
	if len(j.Argv) == 0 || !filepath.IsAbs(j.Argv[0]) {
		return bad("the program to run must be given by its absolute path")
	}
	if !filepath.IsAbs(j.Dir) {
		return bad("the working directory must be an absolute path")
	}
	if _, file := j.Stdin.(*os.File); j.Terminal && !file {
		return bad("a command gets a terminal only as a file")
	}
	for _, list := range [][]string{j.Argv, j.Env, {j.Dir}, j.Grant.Writable} {
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return bad("a command, its directory and its environment must not contain a NUL byte; remove it")
			}
		}
	}
	return nil
}

// exact refuses a job with a path in which there is a symbolic link. Paths are
// decided about without any, so that an earlier command has put it there since,
// and what it leads to is not what was decided about. From here on whoever opens
// the paths follows no link.
func (j *Job) exact() error {
	for _, path := range append([]string{j.Dir}, j.Grant.Writable...) {
		if paths.Real(path) != path {
			return exchanged(path)
		}
	}
	return nil
}

// exchanged is why nothing runs that needs path.
func exchanged(path string) error {
	return &openclaw.Error{
		Code:    openclaw.CodeInvalidMessage,
		Message: "the command did not run: since it was allowed, " + path + " or a folder above it has become a symbolic link; make the call again, and it is judged by what is there now",
	}
}

// startError explains why the system refused to start job's program.
func startError(job *Job, err error) error {
	message := "the command could not be started"
	switch {
	case errors.Is(err, syscall.E2BIG):
		message = "the command and its environment are too long for this system; write the input to a file and name the file instead"
	case errors.Is(err, syscall.ENOENT):
		message = "the command could not be started: " + job.Argv[0] + " or the directory " + job.Dir + " does not exist"
	case errors.Is(err, syscall.EACCES):
		message = "the command could not be started: no permission for " + job.Argv[0] + " or the directory " + job.Dir
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		message = "the command could not be started: the system is out of processes or memory; try again later"
	}
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: err}
}

// confineError explains why job was not run.
func confineError(err error) error {
	return &openclaw.Error{
		Code:    openclaw.CodeInternal,
		Message: "the command was not run, since it could not be confined; the user should look at: openclaw doctor",
		Err:     err,
	}
}
