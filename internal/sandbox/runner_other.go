//go:build unix && !linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Runner runs commands, each in a session of its own. It is safe for
// concurrent use. On this system a process that leaves its command's process
// group outlives the command.
type Runner struct{ opts Options }

// New returns a Runner. It needs no closing.
func New(opts Options) (*Runner, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Runner{opts: opts}, nil
}

// sandboxExec is the program of macOS that confines.
const sandboxExec = "/usr/bin/sandbox-exec"

// machine returns what this system confines with.
func (r *Runner) machine() machine {
	if _, err := os.Stat(sandboxExec); err != nil || runtime.GOOS != "darwin" || slices.Contains(r.opts.Without, LayerSandboxExec) {
		return machine{LayerNone, []string{"commands run with all your rights: this system has no sandbox that openclaw knows; approvals are the guard"}}
	}
	return machine{LayerSandboxExec, []string{"a command that leaves its process group outlives its end, and no limits are set: macOS has no means for it"}}
}

// missing returns what ModeRequire needs and is not there.
func (r *Runner) missing() []string { return []string{"Landlock ABI 3", "a seccomp filter"} }

// run runs job, confined to c; nil: not confined.
func (r *Runner) run(ctx context.Context, job Job, c *cell) (Exit, error) {
	argv := job.Argv
	if c != nil {
		argv = append([]string{sandboxExec, "-p", profile(c)}, argv...)
	}
	stdio, err := openStdio(&job)
	if err != nil {
		return Exit{}, startError(&job, err)
	}
	cmd := &exec.Cmd{
		Path: argv[0], Args: argv, Env: append([]string{}, job.Env...), Dir: job.Dir,
		Stdin: stdio.child[0], Stdout: stdio.child[1], Stderr: stdio.child[2],
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: job.Terminal},
	}
	if err := cmd.Start(); err != nil {
		stdio.closeChild()
		stdio.closeOurs()
		return Exit{}, startError(&job, err)
	}
	stdio.start()
	group := -cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var stopped error
	select {
	case err = <-ended:
	case <-ctx.Done():
		stopped = ctx.Err()
		_ = syscall.Kill(group, syscall.SIGTERM) // gone is as good as told
		late := time.AfterFunc(r.opts.Grace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		err = <-ended
		late.Stop()
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // what it left in its group
	copyErr := stdio.finish(r.opts.WaitDelay)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return Exit{}, startError(&job, err)
	}
	if stopped != nil {
		copyErr = stopped
	}
	return exitOf(cmd), copyErr
}

func exitOf(cmd *exec.Cmd) Exit {
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return Exit{Code: -1, Signal: ws.Signal()}
	}
	return Exit{Code: cmd.ProcessState.ExitCode()}
}
