package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-go"
	"golang.org/x/sys/unix"
)

const (
	// patience is how long after the grace period a supervisor may take before
	// the runner kills it and does its work.
	patience = 600 * time.Millisecond
	// sweepLimit is how long the runner hunts what a killed supervisor left.
	sweepLimit = 5 * time.Second
	// orderLimit is how long a supervisor may take to read its order.
	orderLimit = 10 * time.Second
)

// Runner runs commands, each under a supervisor of its own. It is safe for
// concurrent use.
//
// A process has at most one Runner, and a child process that it starts in any
// other way must stay in its session: what lives in another session and has no
// supervisor is taken for the orphan of a command that killed its supervisor,
// and is killed when such a thing has happened.
type Runner struct {
	opts Options

	mu          sync.Mutex
	supervisors map[int]bool // by process id, while they are not reaped

	// machine returns what this system can confine with; it looks once.
	machine func() machine
}

// New returns a Runner. It makes this process a subreaper, so that even a
// command that kills its supervisor leaves nothing behind. The Runner needs no
// closing.
func New(opts Options) (*Runner, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("sandbox: become a subreaper: %w", err)
	}
	r := &Runner{opts: opts, supervisors: make(map[int]bool)}
	r.machine = sync.OnceValue(r.inspect)
	return r, nil
}

// run runs job, confined to c; nil: not confined.
func (r *Runner) run(ctx context.Context, job Job, c *cell) (Exit, error) {
	stdio, err := openStdio(&job)
	if err != nil {
		return Exit{}, startError(&job, err)
	}
	control, cmd, err := r.startSupervisor(&job, stdio, c)
	if err != nil {
		stdio.closeChild()
		stdio.closeOurs()
		if errors.As(err, &notConfined{}) {
			return Exit{}, confineError(err)
		}
		return Exit{}, startError(&job, err)
	}
	stdio.start()
	rep, err := r.converse(ctx, control, cmd, newOrder(&job, r.opts.Grace, c))
	if copyErr := stdio.finish(r.opts.WaitDelay); err == nil {
		err = copyErr
	}
	if rep.Exchanged {
		return Exit{}, exchanged(job.Dir)
	}
	if rep.Errno != 0 {
		return Exit{}, startError(&job, syscall.Errno(rep.Errno))
	}
	if rep.Unconfined != "" {
		return Exit{}, confineError(errors.New(rep.Unconfined))
	}
	return Exit{Code: rep.Code, Signal: syscall.Signal(rep.Signal), Dir: string(rep.Dir), NetworkRefused: rep.NetworkRefused, TooMany: rep.TooMany}, err
}

// startSupervisor starts a supervisor that waits for its order on the other
// end of the returned socket.
func (r *Runner) startSupervisor(job *Job, stdio *stdio, c *cell) (*os.File, *exec.Cmd, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "control")
	defer func() { _ = theirs.Close() }()
	if err := unix.SetNonblock(pair[0], true); err != nil { // so that reads can be interrupted
		_ = unix.Close(pair[0])
		return nil, nil, err
	}
	ours := os.NewFile(uintptr(pair[0]), "control")
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", // the running binary, also after an upgrade replaced the file
		Args: []string{supervisorName},
		// Nothing of the gateway's environment. A supervisor is small and
		// mostly asleep: one thread running Go code and no collection do.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=64MiB"},
		Dir:         "/",
		ExtraFiles:  []*os.File{theirs, stdio.child[0], stdio.child[1], stdio.child[2]},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if c != nil && c.layer == LayerNamespaces {
		inNamespaces(cmd.SysProcAttr, c.network)
	}
	if c != nil && c.layer == LayerBubblewrap {
		tty := ""
		if job.Terminal {
			tty = terminalAt(int(stdio.child[0].Fd()))
		}
		release, err := inBubblewrap(cmd, c, tty)
		defer release()
		if err != nil {
			_ = ours.Close()
			return nil, nil, notConfined{err}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		closeSaid(cmd)
		return nil, nil, err
	}
	r.supervisors[cmd.Process.Pid] = true
	return ours, cmd, nil
}

// converse gives the supervisor its order and returns its report, when it and
// all it supervised are gone. It closes control, and what said reads.
func (r *Runner) converse(ctx context.Context, control *os.File, cmd *exec.Cmd, o order) (report, error) {
	defer func() { _ = control.Close() }()
	defer closeSaid(cmd)
	// The order is written whole before anything else may be: a supervisor that
	// does not read it is broken.
	_ = control.SetWriteDeadline(time.Now().Add(orderLimit)) // the pair was made for deadlines
	err := writeFrame(control, o)
	_ = control.SetWriteDeadline(time.Time{})

	var rep report
	answered, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its exit status says nothing that the report does not
		// The stream ends now, unless a job of root's got hold of the other end.
		_ = control.SetReadDeadline(time.Now().Add(r.opts.WaitDelay))
	}()
	go func() {
		if err == nil {
			err = readFrame(&arrived{file: control}, &rep)
		}
		if err != nil {
			_ = cmd.Process.Kill() // it is dead, or it does not make sense
		}
		<-ended
		answered <- err
	}()

	var stopped error
	select {
	case err = <-answered:
	case <-ctx.Done():
		stopped = ctx.Err()
		_ = cmd.Process.Signal(syscall.SIGCONT) // the command may have stopped it
		_, _ = control.Write([]byte{stopByte})  // if it is gone, there is nothing to stop
		late := time.AfterFunc(r.opts.Grace+patience, func() { _ = cmd.Process.Kill() })
		err = <-answered
		late.Stop()
	}
	r.mu.Lock()
	delete(r.supervisors, cmd.Process.Pid)
	r.mu.Unlock()
	if err != nil {
		rep = report{Code: -1, Signal: int(syscall.SIGKILL)}
		err = r.sweep(err)
		if text := said(cmd); text != "" {
			err = confineError(errors.New(text))
		}
	}
	if stopped != nil {
		err = stopped
	}
	return rep, err
}

// sweep kills what a supervisor that died early left behind, and says so.
func (r *Runner) sweep(cause error) error {
	message := "the command killed its supervisor, so it was killed with all it had started; do not signal processes that the command did not start"
	end := time.Now().Add(sweepLimit)
	for {
		orphans := r.orphans()
		if len(orphans) == 0 {
			break
		}
		if time.Now().After(end) {
			message = "the command killed its supervisor, and some of what it had started cannot be killed; look for processes that hang"
			break
		}
		killTrees(orphans)
		for _, p := range orphans {
			_, _ = syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil) // not dead yet: next time
		}
		time.Sleep(time.Millisecond)
	}
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: errors.Join(errSupervisor, cause)}
}

var errSupervisor = errors.New("supervisor ended without a report")

// orphans returns the children of this process that no supervisor owns: those
// in another session than this process, save the supervisors. A command starts
// in a new session, and no process can return to one that it is not in.
func (r *Runner) orphans() []proc {
	self, err := statOf(os.Getpid())
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []proc
	for _, p := range below(os.Getpid()) {
		st, err := statOf(p.pid)
		if err == nil && st.session != self.session && !r.supervisors[p.pid] {
			list = append(list, p)
		}
	}
	return list
}
