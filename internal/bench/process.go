package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// process is a server that runs as a process of its own.
type process struct {
	cmd     *exec.Cmd
	address string
	started time.Duration // from the start of the process to its first answer
}

// newHome returns an empty directory to start a gateway on.
func newHome(dir string) (string, error) { return os.MkdirTemp(dir, "home-") }

// asShipped undoes what startGateway changes for the sake of the measurements.
var asShipped = []string{
	"OPENCLAW_GATEWAY_MAX_CONNECTIONS=1000", "OPENCLAW_GATEWAY_LIMITS_MESSAGES_PER_SECOND=60", "OPENCLAW_GATEWAY_LIMITS_BURST=120",
}

// startGateway runs the binary on the home and waits for its first answer.
// What a client may ask for is not limited; env adds to the environment.
func startGateway(ctx context.Context, binary, home string, env ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "gateway", "run", "--quiet")
	cmd.Env = append([]string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "OPENCLAW_PORT=" + port, "OPENCLAW_PROVIDER=offline",
		"OPENCLAW_GATEWAY_MAX_CONNECTIONS=3000",
		"OPENCLAW_GATEWAY_LIMITS_MESSAGES_PER_SECOND=1000000", "OPENCLAW_GATEWAY_LIMITS_BURST=1000000",
	}, env...)
	p := &process{cmd: cmd, address: "127.0.0.1:" + port}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.answers(ctx); err != nil {
		return nil, p.stop(err)
	}
	p.started = time.Since(begin)
	return p, nil
}

// answers waits until the server answers.
func (p *process) answers(ctx context.Context) error {
	for {
		r, err := http.Get("http://" + p.address + "/healthz")
		if err == nil {
			return r.Body.Close()
		}
		select {
		case <-time.After(500 * time.Microsecond):
		case <-ctx.Done():
			return fmt.Errorf("no answer at %s: %w", p.address, ctx.Err())
		}
	}
}

// startSelf runs this program as a server and reads the address it prints.
func startSelf(dir, what string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, append([]string{"-serve", what}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, p.stop(err)
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// stop ends the process and returns err.
func (p *process) stop(err error) error {
	_ = p.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
	return err
}

func (p *process) dial(ctx context.Context) (*websocket.Conn, error) {
	c, _, err := websocket.Dial(ctx, "ws://"+p.address+"/ws", nil)
	if err == nil {
		c.SetReadLimit(-1)
	}
	return c, err
}

// resident is the memory of a process, in bytes.
type resident struct{ all, own, files int64 }

// memory returns the resident set (proc(5), status): own is what the process
// has to itself, files what the kernel can drop and read again.
func (p *process) memory() (r resident, err error) {
	data, err := os.ReadFile(p.file("status"))
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &r.all, "RssAnon": &r.own, "RssFile": &r.files}[name]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			return r, err
		}
		*into = kib << 10
	}
	return r, nil
}

// allocations returns how often a server of this program has allocated memory.
func (p *process) allocations() (int64, error) {
	r, err := http.Get("http://" + p.address + allocationsPath)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(data), 10, 64)
}

// cpu returns the processor time the process has used (proc(5), schedstat:
// the first field, in nanoseconds, summed over its threads).
func (p *process) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(p.file("task/*/schedstat"))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

func (p *process) file(name string) string {
	return fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
