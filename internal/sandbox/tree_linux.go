package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// procStat is what /proc/<pid>/stat says of a process, as far as it matters.
type procStat struct {
	state   byte // R, S, D, T, t, Z, X, I
	parent  int
	session int
}

// gone says that the process has ended and only waits to be reaped.
func (p procStat) gone() bool { return p.state == 'Z' || p.state == 'X' }

// parseStat reads the line of /proc/<pid>/stat. The command name, in
// parentheses, may contain anything, parentheses and newlines included.
func parseStat(line []byte) (procStat, error) {
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return procStat{}, errors.New("no command name")
	}
	f := bytes.Fields(line[end+1:]) // state ppid pgrp session …
	if len(f) < 4 || len(f[0]) != 1 {
		return procStat{}, errors.New("too few fields")
	}
	parent, err := strconv.Atoi(string(f[1]))
	if err != nil {
		return procStat{}, fmt.Errorf("parent: %w", err)
	}
	session, err := strconv.Atoi(string(f[3]))
	if err != nil {
		return procStat{}, fmt.Errorf("session: %w", err)
	}
	return procStat{state: f[0][0], parent: parent, session: session}, nil
}

func statOf(pid int) (procStat, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line)
}

// childrenOf lists the direct children of pid, zombies included. A process
// that is gone has none. The kernel may leave some out while they change, so
// callers look again until nothing is left.
func childrenOf(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var pids []int
	for _, t := range threads {
		list, err := os.ReadFile(dir + t.Name() + "/children")
		if err != nil {
			if _, alive := os.Stat(dir + t.Name()); alive == nil && errors.Is(err, os.ErrNotExist) {
				return scanChildren(pid) // a kernel without CONFIG_PROC_CHILDREN
			}
			continue // the thread has ended
		}
		for f := range bytes.FieldsSeq(list) {
			if p, err := strconv.Atoi(string(f)); err == nil {
				pids = append(pids, p)
			}
		}
	}
	return pids
}

// scanChildren is childrenOf by looking at every process of the system.
func scanChildren(pid int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if st, err := statOf(p); err == nil && st.parent == pid {
			pids = append(pids, p)
		}
	}
	return pids
}

// proc is a process found in the tree of this one.
type proc struct{ pid, parent int }

// signal sends sig, unless the number now belongs to somebody else. Children of
// this process keep theirs until it reaps them; for the others, whose parents
// may have reaped them, the descriptor of the process pins down who is meant.
func (p proc) signal(sig syscall.Signal) {
	if p.parent == os.Getpid() {
		_ = syscall.Kill(p.pid, sig) // ESRCH: it is gone, which is what is wanted
		return
	}
	h, err := os.FindProcess(p.pid)
	if err != nil {
		return
	}
	defer func() { _ = h.Release() }()
	if st, err := statOf(p.pid); err == nil && st.parent == p.parent {
		_ = h.Signal(sig)
	}
}

// descend calls visit for each living process of the trees below roots, parents
// before their children, which are looked up after visit returned.
func descend(roots []proc, visit func(proc)) {
	todo := append([]proc(nil), roots...)
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		st, err := statOf(p.pid)
		if err == nil && (st.gone() || st.parent != p.parent) {
			continue
		}
		if err != nil && p.parent != os.Getpid() {
			continue // gone; a child of this process may only be hidden (hidepid)
		}
		visit(p)
		todo = append(todo, below(p.pid)...)
	}
}

// below returns the direct children of pid.
func below(pid int) []proc {
	pids := childrenOf(pid)
	ps := make([]proc, len(pids))
	for i, c := range pids {
		ps[i] = proc{pid: c, parent: pid}
	}
	return ps
}

// killTrees stops the trees below roots from the top, so that nothing in them
// can fork any more, and then kills them from the bottom: a parent that dies
// before its stopped children would set them going again. It returns how many
// living processes it met; those that were born meanwhile are found by the next
// call.
func killTrees(roots []proc) int {
	var found []proc
	descend(roots, func(p proc) {
		p.signal(syscall.SIGSTOP)
		found = append(found, p)
	})
	for _, p := range slices.Backward(found) {
		p.signal(syscall.SIGKILL)
	}
	return len(found)
}
