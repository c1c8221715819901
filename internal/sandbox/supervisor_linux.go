package sandbox

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supervisorName is the argv[0] that makes this binary a supervisor.
const supervisorName = "openclaw-job"

// The descriptors a supervisor is started with; 0, 1 and 2 are /dev/null.
const (
	fdControl = 3
	fdStdin   = 4 // followed by the command's standard output and error
)

// A process that was started as a supervisor is one from here on, and never
// comes to main. Doing it while packages are initialised spares each command
// the initialisation of all that Go initialises after this package, among it
// the store and the models: a good part of what a supervisor costs.
func init() { //nolint:gochecknoinits // see above: this early is what it is for
	if !slices.Equal(os.Args, []string{supervisorName}) && !slices.Equal(os.Args, []string{programInside, supervisorName}) {
		return
	}
	// During initialisation this goroutine is bound to its thread, and each of its
	// waits would cost two changes of threads.
	go func() {
		code := 0
		if err := supervise(catchSignals()); err != nil {
			fmt.Fprintln(os.Stderr, supervisorName+": "+err.Error())
			code = 1
		}
		syscall.Exit(code) // os.Exit would sleep for a second under the race detector
	}()
	select {}
}

// catchSignals keeps the signals that would end or stop this process from
// doing so, and returns those that tell of a child. The handlers also make the
// runtime give the command the default for each signal, even if the gateway was
// started with some ignored (nohup).
func catchSignals() <-chan os.Signal {
	dropped := make(chan os.Signal, 1)
	signal.Notify(dropped, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	return children
}

// supervise runs one job, from the order to the report.
func supervise(children <-chan os.Signal) error {
	if err := checkControl(); err != nil {
		return err
	}
	// Non-blocking, so that waiting for orders costs no thread.
	if err := unix.SetNonblock(fdControl, true); err != nil {
		return err
	}
	control := os.NewFile(fdControl, "control")
	if err := confine(); err != nil {
		return err
	}
	var o order
	if err := readFrame(control, &o); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	c, err := o.Cell.receive()
	if err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	s := supervisor{grace: o.Grace, children: children, cell: c, above: -1}
	rep := s.run(control, &o)
	err = writeFrame(control, rep)
	if s.alone || err != nil { // the gateway would have done it
		removeAlone(string(o.Temp), s.above)
	}
	return err
}

// removeAlone removes the temporary directory of a job. above is another way to
// the directory around it, where that is not to be changed any more. In bwrap
// there is none: the directory is emptied, and goes with Runner.RemoveStale.
func removeAlone(temp string, above int) {
	if temp == "" {
		return
	}
	if above >= 0 {
		_ = unix.Unmount(temp, unix.MNT_DETACH) // it was made writable, if all went well
		temp = "/proc/self/fd/" + strconv.Itoa(above) + "/" + filepath.Base(temp)
	}
	if removeTemp(temp) == nil {
		return
	}
	entries, _ := os.ReadDir(temp) // nobody is left to be told
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(temp, e.Name()))
	}
}

// checkControl refuses to supervise for anybody but the parent: the creator of
// the socket pair must be the process that started this one.
func checkControl() error {
	peer, err := unix.GetsockoptUcred(fdControl, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || int(peer.Pid) != os.Getppid() || int(peer.Uid) != os.Getuid() {
		return errors.New("only a running gateway starts this process; run openclaw instead")
	}
	return nil
}

// confine sets what holds for this process.
func confine() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become a subreaper: %w", err)
	}
	// The command, of the same user, must not reach the control socket through
	// /proc/<pid>/fd or ptrace. The command itself is dumpable again after exec.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("clear dumpable: %w", err)
	}
	return closeOnExec()
}

// closeOnExec keeps every descriptor from the command, whatever whoever
// started the gateway left open.
func closeOnExec() error {
	err := unix.CloseRange(fdControl, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= fdControl {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// supervisor is the state of one job's supervision; it belongs to the main
// goroutine.
type supervisor struct {
	pid      int // the command; not reaped before finish, so the number is its own
	grace    time.Duration
	children <-chan os.Signal
	cell     *cell // nil: the command is not confined
	refused  atomic.Bool
	tooMany  bool
	alone    bool // the gateway is gone
	above    int  // see removeAlone; -1: none
}

// run starts the command, waits for its end, for the order to stop or for the
// gateway's death, and returns when no descendant is left.
func (s *supervisor) run(control io.Reader, o *order) report {
	begun := s.start(o)
	for fd := fdStdin; fd <= fdStdin+2; fd++ {
		_ = syscall.Close(fd) // readers must see the end when the command is gone
	}
	if begun.err != nil {
		return notStarted(begun.err)
	}
	if len(o.Argv) == 0 {
		return report{} // it was a trial
	}
	s.pid = begun.pid
	if begun.listener >= 0 {
		go s.answerRefused(begun.listener) // ends with the process
	}

	orders := make(chan byte)
	go readOrders(control, orders) // ends with the process
	s.wait(orders)
	rep := s.finish()
	rep.Dir = dirOf(begun.follower)
	return rep
}

// dirOf returns the directory that a thread of this process is in, if that is
// still there under its name.
func dirOf(thread int) []byte {
	link := "/proc/self/task/" + strconv.Itoa(thread) + "/cwd"
	path, err := os.Readlink(link)
	if thread == 0 || err != nil || !filepath.IsAbs(path) {
		return nil
	}
	there, err := os.Stat(link)
	named, err2 := os.Stat(path)
	if err != nil || err2 != nil || !os.SameFile(there, named) {
		return nil
	}
	return []byte(path)
}

// start starts the command.
func (s *supervisor) start(o *order) started {
	argv := toStrings(o.Argv)
	attr := &syscall.ProcAttr{
		Env:   toStrings(o.Env),
		Files: []uintptr{fdStdin, fdStdin + 1, fdStdin + 2},
		// Pdeathsig: a command that kills its supervisor kills itself.
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Setctty: o.Terminal},
	}
	if s.cell != nil {
		if err := s.arrange(string(o.Temp)); err != nil {
			return started{err: notConfined{err}}
		}
		s.cell.terminals = terminals(s.cell.layer, o.Terminal)
	}
	dir, err := openExact(string(o.Dir)) // not before: what is mounted there counts
	if errors.Is(err, unix.ELOOP) {
		return started{err: errExchanged}
	}
	if err != nil {
		return started{err: err}
	}
	defer func() { _ = unix.Close(dir) }()
	attr.Dir = "/proc/self/fd/" + strconv.Itoa(dir) // the command's own, until its exec
	return startConfined(s.cell, argv, attr, o.WantDir)
}

// errExchanged says that the directory to start in is not the one that was
// decided about.
var errExchanged = errors.New("the directory has been exchanged")

// arrange gives this process the view of the system that its command shall have.
func (s *supervisor) arrange(temp string) (err error) {
	switch s.cell.layer {
	case LayerBubblewrap:
		return startInside(s.cell)
	case LayerNamespaces:
		if temp != "" {
			s.above = keepWritable(filepath.Dir(temp))
		}
		s.cell.places, err = arrangeMounts(s.cell.places)
	}
	return err
}

// notConfined is the failure of a layer.
type notConfined struct{ error }

// notStarted reports why there is no command.
func notStarted(err error) report {
	var layer notConfined
	if errors.As(err, &layer) {
		return report{Unconfined: layer.Error()}
	}
	if errors.Is(err, errExchanged) {
		return report{Exchanged: true}
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		errno = syscall.EIO
	}
	return report{Errno: int(errno)}
}

// readOrders passes on what the gateway sends, and closes orders when the
// gateway is gone.
func readOrders(control io.Reader, orders chan<- byte) {
	defer close(orders)
	var b [1]byte
	for {
		if _, err := control.Read(b[:]); err != nil {
			return
		}
		orders <- b[0]
	}
}

// wait returns when it is time to kill what is left.
func (s *supervisor) wait(orders <-chan byte) {
	var deadline <-chan time.Time
	var look, count <-chan time.Time
	if s.cell != nil {
		count = time.Tick(countEvery)
	}
	for {
		if deadline == nil && s.exited() || deadline != nil && s.alive() == 0 {
			return
		}
		select {
		case <-s.children:
			if !s.exited() {
				s.reapOrphans()
			}
		case _, ok := <-orders:
			if !ok {
				s.alone = true
				return
			}
			if deadline == nil {
				s.terminate()
				deadline = time.After(s.grace)
				// Grandchildren end without a signal to this process.
				look = time.Tick(10 * time.Millisecond)
			}
		case <-count:
			// The kernel counts a user's processes, not a command's, and root's
			// not at all.
			if s.tooMany = s.alive() > s.cell.most; s.tooMany {
				return
			}
		case <-look:
		case <-deadline:
			return
		}
	}
}

// exited says whether the command has ended, and leaves it to be reaped.
func (s *supervisor) exited() bool {
	var info unix.Siginfo // Signo stays 0 while the command runs
	err := unix.Waitid(unix.P_PID, s.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}

// countEvery is how often a confined command's processes are counted.
const countEvery = 200 * time.Millisecond

// alive returns how many descendants there are.
func (s *supervisor) alive() int {
	n := 0
	descend(below(os.Getpid()), func(proc) { n++ })
	return n
}

// terminate asks all processes to stop, children before their parents: those
// of a parent that is gone already would be looked for in the wrong place.
func (s *supervisor) terminate() {
	var found []proc
	descend(below(os.Getpid()), func(p proc) { found = append(found, p) })
	for _, p := range slices.Backward(found) {
		p.signal(syscall.SIGTERM)
	}
}

// reapOrphans clears away adopted processes that have ended.
func (s *supervisor) reapOrphans() {
	for _, pid := range childrenOf(os.Getpid()) {
		if pid != s.pid {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // it may still run
		}
	}
}

// finish kills and reaps until there is nothing left, however long the kernel
// takes to let a process go, and reports how the command ended.
func (s *supervisor) finish() report {
	var status syscall.WaitStatus
	// The command's own group dies in one step, which no fork escapes. The
	// number is still the group's: its leader is not reaped yet.
	_ = syscall.Kill(-s.pid, syscall.SIGKILL)
	pause := 100 * time.Microsecond
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		switch {
		case err == syscall.ECHILD:
			rep := newReport(status)
			rep.NetworkRefused, rep.TooMany = s.refused.Load(), s.tooMany
			return rep
		case pid == s.pid:
			status = ws
		case pid == 0:
			if killTrees(below(os.Getpid())) > 0 {
				pause = 100 * time.Microsecond
			}
			time.Sleep(pause)
			pause = min(2*pause, 10*time.Millisecond)
		}
	}
}

func newReport(ws syscall.WaitStatus) report {
	if ws.Signaled() {
		return report{Code: -1, Signal: int(ws.Signal())}
	}
	return report{Code: ws.ExitStatus()}
}
