// Package shell is the tool that runs a command line.
//
// A command runs in the workspace, with an environment made from an allow-list,
// for a limited time. What it prints is bounded while it is read: the beginning
// and the end are kept. A command in the background outlives its call, and the
// tool process deals with it later.
//
// What outlives a call belongs to the Host. The tools own no process; starting a
// command, confining it and killing all of it is the work of the Exec function
// they are given. They do not decide which commands may run: Action says what a
// call comes to, and whoever decides about it (package policy) hands it back.
package shell

import (
	"context"
	_ "embed" // for the description
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go"
)

// Command is what an Exec runs.
type Command struct {
	Argv   []string       // Argv[0] is an absolute path
	Dir    string         // absolute
	Env    []string       // "NAME=value"; all there is
	Needs  openclaw.Needs // what it may do beyond the sandbox
	Input  *os.File       // what it reads; nil: nothing
	Output io.Writer      // gets standard output and error, in order of arrival
	// Terminal is what the command has in place of Input and Output: its
	// controlling terminal. nil: none.
	Terminal *os.File
}

// Exit is how a command ended.
type Exit struct {
	Code   int            // its own exit code, unless a signal ended it
	Signal syscall.Signal // the signal that ended it; 0: none
	Dir    string         // where the shell was then; "": not known
	Notes  []string       // lines for the model about what kept it from working
}

// Exec runs a command to its end and returns when nothing it started is left
// and all output is written. When ctx ends, it kills all of that and returns
// ctx's error beside the Exit.
type Exec func(ctx context.Context, c Command) (Exit, error)

// Options configure the tool. Workspace and Exec are required.
type Options struct {
	Workspace string // absolute path; made, with mode 0700, when it is missing
	Exec      Exec

	// Host keeps commands in the background; nil: there are none.
	Host       *Host
	MaxJobs    int           // how many a conversation may have at a time; 0: 8
	JobTimeout time.Duration // the most one may take, and what it may if the call does not say; 0: 1 h
	Outputs    Outputs       // bound the files that the Host keeps

	Shell      string        // absolute path of the shell; "": bash if it is installed, else /bin/sh
	Timeout    time.Duration // for calls that ask for none; 0: 30 s
	MaxTimeout time.Duration // the most a call can ask for; 0: 10 min, or Timeout if that is longer
	MaxOutput  int           // how many bytes of output to keep; 0: 64 KiB

	// EnvAllow names the variables a command gets, with the wildcards of
	// path.Match; nil: DefaultEnv. A variable whose name begins with OPENCLAW_
	// must be named in full.
	EnvAllow []string
	// Environ is where the variables come from; nil: this process.
	Environ []string

	// Network and Writable (absolute paths) are what every command has anyway,
	// so that asking for it asks for nothing.
	Network  bool
	Writable []string
	// Blocked are absolute paths that no command may be given for writing,
	// whoever approves it.
	Blocked []string
}

// DefaultEnv returns the variables that a command gets by default.
func DefaultEnv() []string {
	return []string{"PATH", "HOME", "LANG", "LC_*", "TZ", "TERM", "USER", "SHELL", "TMPDIR"}
}

const (
	defaultTimeout    = 30 * time.Second
	defaultMaxTimeout = 10 * time.Minute
	defaultMaxOutput  = 64 << 10
	defaultMaxJobs    = 8
	defaultJobTimeout = time.Hour
	minOutput         = 256
	// maxCommand is what Linux accepts as one argument, less its end mark and
	// blankLine.
	maxCommand = 128<<10 - 1 - len(blankLine)
)

//go:embed shell.md
var description string

const backgroundParameter = `"background":{"type":"boolean","description":"return a job for process at once"},`

const parameters = `{"type":"object","properties":{` +
	`"command":{"type":"string"},` +
	`"workdir":{"type":"string"},` +
	`"timeout_ms":{"type":"integer","description":"%d if left out"},` +
	`%s` +
	`"pty":{"type":"boolean"},` +
	`"needs":{"type":"array","items":{"type":"string"},"description":"network, unconfined or a folder to write in"},` +
	`"reason":{"type":"string","description":"why"}},` +
	`"required":["command"]}`

// Tool implements openclaw.Tool. It is safe for concurrent use.
type Tool struct {
	opts Options
	spec openclaw.ToolSpec
	env  []string
	home string // "": not known
}

// New returns the tool, or what is wrong with opts.
func New(opts Options) (*Tool, error) {
	opts = opts.withDefaults()
	if err := opts.check(); err != nil {
		return nil, err
	}
	env, err := allowedEnv(opts.Environ, opts.EnvAllow)
	if err != nil {
		return nil, err
	}
	background := ""
	if opts.Host != nil {
		background = backgroundParameter
	}
	return &Tool{
		opts: opts,
		env:  env,
		home: lookup(opts.Environ, "HOME"),
		spec: openclaw.ToolSpec{
			Name:        "shell",
			Description: strings.TrimSpace(description),
			Parameters:  json.RawMessage(fmt.Sprintf(parameters, opts.Timeout.Milliseconds(), background)),
		},
	}, nil
}

func (o Options) withDefaults() Options {
	if o.Shell == "" {
		o.Shell = "/bin/sh"
		if bash, err := exec.LookPath("bash"); err == nil && filepath.IsAbs(bash) {
			o.Shell = bash
		}
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxTimeout == 0 {
		o.MaxTimeout = max(o.Timeout, defaultMaxTimeout)
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = defaultMaxOutput
	}
	if o.MaxJobs == 0 {
		o.MaxJobs = defaultMaxJobs
	}
	if o.JobTimeout == 0 {
		o.JobTimeout = defaultJobTimeout
	}
	o.Outputs = o.Outputs.withDefaults()
	if o.EnvAllow == nil {
		o.EnvAllow = DefaultEnv()
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.Exec == nil:
		return errors.New("shell: Exec is missing")
	case !filepath.IsAbs(o.Workspace):
		return errors.New("shell: Workspace must be an absolute path")
	case !filepath.IsAbs(o.Shell):
		return errors.New("shell: Shell must be an absolute path")
	case o.Timeout < 0 || o.MaxTimeout < o.Timeout:
		return errors.New("shell: Timeout must be positive and not above MaxTimeout")
	case o.MaxJobs < 0 || o.JobTimeout < 0:
		return errors.New("shell: MaxJobs and JobTimeout must not be negative")
	case o.Outputs.MaxFile < 0 || o.Outputs.MaxTotal < 0 || o.Outputs.MaxAge < 0:
		return errors.New("shell: Outputs must not be negative")
	case o.MaxOutput < minOutput:
		return fmt.Errorf("shell: MaxOutput must be at least %d bytes", minOutput)
	}
	return nil
}

// Spec implements openclaw.Tool.
func (t *Tool) Spec() openclaw.ToolSpec { return t.spec }

// Action says what a call comes to: the shell and what it runs, where, and what
// that needs beyond the sandbox. It runs nothing.
func (t *Tool) Action(call *openclaw.Call) (*openclaw.Action, error) {
	args, err := parseArgs(call.Args)
	if err != nil {
		return nil, err
	}
	return t.action(args, call.Dir)
}

// blankLine behind a command keeps bash from replacing itself with its last
// program, whose directory at the end, not the shell's, would be kept.
const blankLine = "\n\n"

// action is Action; current is where the conversation's commands start.
func (t *Tool) action(args arguments, current string) (*openclaw.Action, error) {
	dir, err := t.dir(args.Workdir, current)
	if err != nil {
		return nil, err
	}
	needs, err := t.needs(args.Needs, dir)
	if err != nil {
		return nil, err
	}
	line := args.Command
	if !strings.HasSuffix(line, `\`) { // it would be taken for a line that goes on
		line += blankLine
	}
	return &openclaw.Action{
		Argv: []string{t.opts.Shell, "-c", line}, Dir: dir, Needs: needs, Reason: args.Reason,
	}, nil
}

// Run implements openclaw.Tool. A command that fails is a Result, not an error.
// One that takes too long is a Result with openclaw.ExitTimeout. When ctx ends,
// the Result, beside ctx's error, holds what the command had printed. What
// nobody has approved runs without what it needs beyond the sandbox.
func (t *Tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	args, err := parseArgs(call.Args)
	if err != nil {
		return nil, err
	}
	action := call.Approved
	if action == nil {
		if action, err = t.action(args, call.Dir); err != nil {
			return nil, err
		}
		action.Needs = openclaw.Needs{}
	}
	if args.Background {
		return t.begin(ctx, call, action, args)
	}
	limit := t.opts.Timeout
	if args.Timeout > 0 {
		limit = min(args.Timeout, t.opts.MaxTimeout)
	}
	res, err := t.run(ctx, call, action, limit, args.PTY)
	switch {
	case res != nil && args.Workdir == "":
		t.move(res, call.Dir, action.Dir)
	case res != nil: // it holds for this call alone
		res.Dir = ""
	}
	if res != nil && t.opts.Host != nil {
		for _, line := range t.opts.Host.news(call.Session) {
			res.Output = addNote(res.Output, "["+line+"]")
		}
	}
	return res, err
}

func (t *Tool) run(ctx context.Context, call *openclaw.Call, action *openclaw.Action, limit time.Duration, pty bool) (*openclaw.Result, error) {
	out := t.output(call.Session, pty)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c := Command{Argv: action.Argv, Dir: action.Dir, Env: t.env, Needs: action.Needs, Output: out}
	exec := t.opts.Exec
	if pty {
		screen, err := openTerminal()
		if err != nil {
			return nil, err
		}
		exec = screen.exec(exec)
	}
	exit, err := exec(limited, c)
	out.finish()
	res := &openclaw.Result{CallID: call.ID, ExitCode: exitCode(exit), Dir: exit.Dir}
	res.Output, res.Truncated, res.OutputBytes = out.take(true)
	for _, note := range exit.Notes {
		res.Output = addNote(res.Output, "["+note+"]")
	}
	switch {
	case err == nil:
		if res.ExitCode != 0 { // models are shown the output alone
			res.Output = addNote(res.Output, fmt.Sprintf("[exit code %d]", res.ExitCode))
		}
		return res, nil
	case ctx.Err() != nil:
		res.ExitCode = openclaw.ExitSignal + int(syscall.SIGKILL)
		res.Output = addNote(res.Output, "[stopped before it had finished, with all it had started]")
		return res, ctx.Err()
	case limited.Err() != nil:
		res.ExitCode = openclaw.ExitTimeout
		res.Output = addNote(res.Output, fmt.Sprintf("[stopped after %v, with all it had started; timeout_ms can be up to %d]",
			limit, t.opts.MaxTimeout.Milliseconds()))
		return res, nil
	}
	return res, err
}

// output returns what takes the output of a command.
func (t *Tool) output(session string, pty bool) *output {
	var whole *spool
	if h := t.opts.Host; h != nil && h.shelf.dir != "" {
		whole = &spool{shelf: &h.shelf, session: session, limits: t.opts.Outputs, room: t.opts.MaxOutput, terminal: pty}
	}
	return newOutput(t.opts.MaxOutput, pty, whole)
}

func exitCode(e Exit) int {
	if e.Signal != 0 {
		return openclaw.ExitSignal + int(e.Signal)
	}
	return e.Code
}

// addNote puts a line of the tool's own behind a command's output.
func addNote(output, note string) string {
	if output != "" && !strings.HasSuffix(output, "\n") {
		output += "\n"
	}
	return output + note + "\n"
}
