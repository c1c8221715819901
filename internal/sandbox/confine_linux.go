package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// started is what came of starting a confined command.
type started struct {
	pid      int
	follower int   // a thread that is in the command's directory, wherever it goes; 0: none
	err      error // a notConfined, or why a confined command could not be started
	listener int   // where refused requests for sockets arrive; -1: nowhere
}

// startConfined starts argv, confined to c, if that is not nil, and returns its
// process. Without argv it only confines. What confines a thread holds for all it starts, so the command is forked by a
// thread that is confined and does nothing else; the supervisor's others stay
// free. That thread ends with the process: the command's Pdeathsig counts it as
// the parent.
//
// With follow the command shares its working directory with that thread, which
// is how it is known when the command is gone.
func startConfined(c *cell, argv []string, attr *syscall.ProcAttr, follow bool) started {
	result := make(chan started, 1)
	go func() {
		runtime.LockOSThread()
		s := started{listener: -1}
		var err error
		if follow && unix.Unshare(unix.CLONE_FS) == nil { // from the other threads
			attr.Sys.Cloneflags |= unix.CLONE_FS
			s.follower = unix.Gettid()
		}
		// Without it a setuid program could change to a user whose processes cannot
		// be killed from here. It holds for this thread and what it forks.
		if err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			err = fmt.Errorf("set no_new_privs: %w", err)
		} else if c != nil {
			s.listener, err = confineThread(c)
		}
		if err != nil {
			s.err = notConfined{err}
		} else if len(argv) > 0 {
			s.pid, s.err = syscall.ForkExec(argv[0], argv, attr)
		}
		result <- s
		select {}
	}()
	return <-result
}

// confineThread applies the layers of c to the calling thread, in the order in
// which the later ones do not keep the earlier from being applied.
func confineThread(c *cell) (listener int, err error) {
	if err := dropCapabilities(); err != nil {
		return -1, err
	}
	if err := setLimits(c); err != nil {
		return -1, err
	}
	if c.layer != LayerSeccomp {
		abi, err := landlockABI()
		if err != nil {
			return -1, fmt.Errorf("ask for Landlock: %w", err)
		}
		if err := applyLandlock(c, abi); err != nil {
			return -1, err
		}
	}
	return filterCalls(c)
}

// filterCalls applies the seccomp filter. Where this process may, it listens
// for requests for sockets, to be able to say that one was refused; another
// listener above it, as some container runtimes have one, forbids that.
func filterCalls(c *cell) (listener int, err error) {
	ipc := c.layer.apart()
	if !c.network {
		program := assemble(filterOf(c.network, ipc, verdictNotify), auditArch, lastCall)
		if listener, err = applySeccomp(program, true); err == nil {
			return listener, nil
		}
	}
	program := assemble(filterOf(c.network, ipc, fails(unix.EPERM)), auditArch, lastCall)
	_, err = applySeccomp(program, false)
	return -1, err
}

// kept are the capabilities a command of root's keeps: what root needs to work
// with files.
const kept = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID

// dropCapabilities takes from the calling thread what its user could do besides
// working with files.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	if sets[0].Permitted == 0 && sets[1].Permitted == 0 {
		return nil
	}
	for c := uintptr(0); c < 64; c++ {
		if kept&(1<<c) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err == unix.EINVAL {
			break // there are no more
		}
		if err != nil && err != unix.EPERM { // without CAP_SETPCAP there is no way, and no_new_privs stands before it
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	keep := uint32(0)
	if os.Geteuid() == 0 {
		keep = kept
	}
	for i := range sets {
		sets[i] = unix.CapUserData{Permitted: sets[i].Permitted & keep, Effective: sets[i].Effective & keep}
		keep = 0 // all of kept is in the first set
	}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// What one process of a command may use at most.
const (
	limitFileSize  = 8 << 30 // bytes
	limitOpenFiles = 4096
	limitCPU       = 3600 // seconds of processor time
)

// setLimits sets limits for this process and what it starts. They only ever go
// down.
func setLimits(c *cell) error {
	limits := map[int]uint64{
		unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: limitFileSize, unix.RLIMIT_NOFILE: limitOpenFiles, unix.RLIMIT_CPU: limitCPU,
	}
	if c.layer == LayerNamespaces {
		// In the user namespace alone. The supervisor, who can say that there were
		// too many, counts more slowly and must come first.
		limits[unix.RLIMIT_NPROC] = 2 * uint64(c.most)
	}
	for resource, most := range limits {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(resource, &now); err != nil {
			return fmt.Errorf("read limit %d: %w", resource, err)
		}
		hard := min(now.Max, most)
		// syscall's function, unlike unix's, keeps the runtime from restoring
		// the number of open files that this process was started with.
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: min(now.Cur, hard), Max: hard}); err != nil {
			return fmt.Errorf("set limit %d: %w", resource, err)
		}
	}
	return nil
}
