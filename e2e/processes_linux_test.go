package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// alive says whether the process runs; one that has ended and only waits for
// its parent does not.
func alive(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(line, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}

// outside returns the id here of the process with a home below root that has the
// given id in its own PID namespace. One that just becomes another program has
// no environment for a moment, so it is looked for until it is found. A process
// that has ended meanwhile keeps its id.
func outside(root string, pid int) int {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, p := range processesOf(root) {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
			_, ids, _ := strings.Cut(string(status), "\nNSpid:")
			ids, _, _ = strings.Cut(ids, "\n")
			if f := strings.Fields(ids); len(f) > 0 && f[len(f)-1] == strconv.Itoa(pid) {
				return p
			}
		}
	}
	return pid
}

// leftovers kills and describes the processes that still run with a home below
// root. What has been killed may take a moment to be gone.
func leftovers(root string) []string {
	deadline := time.After(10 * time.Second)
	for {
		found := processesOf(root)
		if len(found) == 0 {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-deadline:
		}
		var described []string
		for _, pid := range found {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			described = append(described, fmt.Sprintf("%d %q", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return described
	}
}

// processesOf lists the processes whose environment or program lies below root.
func processesOf(root string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !alive(pid) {
			continue
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if bytes.Contains(environ, []byte("HOME="+root)) || strings.HasPrefix(program, root) {
			pids = append(pids, pid)
		}
	}
	return pids
}
