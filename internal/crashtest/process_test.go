package crashtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds whatever must happen soon, on a machine that is busy with
// other things.
const patience = 60 * time.Second

// home is where the files of one gateway are.
type home struct{ dir string }

func newHome(t testing.TB) home { return home{t.TempDir()} }

func (h home) store() string   { return filepath.Join(h.dir, "openclaw.db") }
func (h home) journal() string { return filepath.Join(h.dir, "journal") }
func (h home) stderr() string  { return filepath.Join(h.dir, "stderr") }

func (h home) options() childOptions {
	return childOptions{Store: h.store(), Journal: h.journal()}
}

// process is a gateway that runs as a process of its own.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	address chan string   // gets the address, and is closed when there is none
	done    chan struct{} // closed when the process has ended
}

// start starts a gateway, as the last argument of the command under if there
// is one. It ends with the test at the latest.
func start(t testing.TB, h home, o childOptions, under ...string) *process {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.OpenFile(h.stderr(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	argv := append(under, os.Args[0])
	cmd := exec.Command(argv[0], argv[1:]...)
	// The race detector would wait a second at exit.
	cmd.Env = append(os.Environ(), childEnv+"="+string(text), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin, address: make(chan string, 1), done: make(chan struct{})}
	go p.watch(stdout)
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.done
	})
	return p
}

// watch reads the address and waits for the end.
func (p *process) watch(stdout io.Reader) {
	defer close(p.done)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		p.address <- strings.TrimSpace(line)
	}
	close(p.address)
	_ = p.cmd.Wait() // ProcessState has it
	_ = p.stdin.Close()
}

// ready waits until the gateway serves and returns its URL; "" when the
// process ended before.
func (p *process) ready(t testing.TB) string {
	t.Helper()
	select {
	case address, ok := <-p.address:
		if !ok {
			return ""
		}
		return "ws://" + address
	case <-time.After(patience):
		t.Fatal("the gateway does not start")
		return ""
	}
}

// end waits for the end of the process and says how it ended: nil after a
// SIGKILL that was wanted, or after exit 0 where none was.
func (p *process) end(killed bool) error {
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		return errors.New("the gateway does not stop")
	}
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if killed && status.Signaled() && status.Signal() == syscall.SIGKILL || !killed && status.Exited() && status.ExitStatus() == 0 {
		return nil
	}
	return fmt.Errorf("the gateway ended with %v", p.cmd.ProcessState)
}

// kill ends the process with SIGKILL.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.end(true)
}

// stop ends the process in an orderly way.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return p.end(false)
}

// complaints returns what the gateways of this home have written to standard
// error that no gateway should.
func (h home) complaints() (found []string) {
	data, err := os.ReadFile(h.stderr())
	if err != nil {
		return []string{err.Error()}
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		gaveUp := strings.Contains(line, `"turn given up"`) || strings.Contains(line, "times while this turn ran")
		switch {
		case strings.Contains(line, "level=ERROR") && !gaveUp:
			found = append(found, line)
		case strings.Contains(line, "DATA RACE"), strings.HasPrefix(line, "panic:"), strings.HasPrefix(line, "fatal error:"):
			return append(found, strings.Join(lines[i:min(i+60, len(lines))], "\n"))
		}
	}
	return found
}
