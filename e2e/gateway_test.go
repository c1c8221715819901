package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/client"
)

// gateway is a running `openclaw gateway run`.
type gateway struct {
	t       *testing.T
	home    *home
	process *os.Process
	address string // host:port
	stderr  *text
	ended   chan struct{}
	code    int      // once ended is closed
	wrong   []string // what the log must not have
}

// start runs a gateway and returns when it is ready. It is killed with the
// test if it still runs then.
func (h *home) start() *gateway {
	h.t.Helper()
	g := &gateway{t: h.t, home: h, stderr: &text{}, ended: make(chan struct{}),
		wrong: []string{"panic:", "DATA RACE", `"level":"ERROR"`}}
	cmd := h.command(context.Background(), "gateway", "run", "--json")
	cmd.Stderr = g.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	g.process = cmd.Process
	ready := make(chan string, 1)
	go func() {
		var announced struct{ Address string }
		_ = json.NewDecoder(out).Decode(&announced) // without an address it has failed
		ready <- announced.Address
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // the exit code says it
		g.code = cmd.ProcessState.ExitCode()
		close(g.ended)
	}()
	h.t.Cleanup(g.end)
	h.last = g
	select {
	case address := <-ready:
		g.address = strings.TrimPrefix(address, "ws://")
	case <-time.After(patience):
	}
	if g.address == "" {
		h.t.Fatal("the gateway did not become ready")
	}
	return g
}

// end kills what still runs, and shows what a gateway had to say if the test
// has failed.
func (g *gateway) end() {
	g.kill()
	for _, wrong := range g.wrong {
		if strings.Contains(g.stderr.String(), wrong) && !g.t.Failed() {
			g.t.Errorf("the gateway's log has %q", wrong)
		}
	}
	if g.t.Failed() {
		g.t.Logf("gateway %d said:\n%s", g.process.Pid, g.stderr.String())
	}
}

// mayLog says that the log may have this, as an exception.
func (g *gateway) mayLog(what string) {
	g.wrong = slices.DeleteFunc(g.wrong, func(w string) bool { return w == what })
}

// signal sends a signal.
func (g *gateway) signal(s syscall.Signal) {
	g.t.Helper()
	if err := g.process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
}

// kill ends the gateway as a crash would, and waits until it is gone.
func (g *gateway) kill() {
	_ = g.process.Kill() // it may have ended
	<-g.ended
}

// stop asks the gateway to end and expects that it does so properly.
func (g *gateway) stop() {
	g.t.Helper()
	g.signal(syscall.SIGTERM)
	if code := g.wait(); code != 0 {
		g.t.Errorf("the gateway ended with %d, want 0", code)
	}
}

// wait waits for the end of the gateway and returns its exit code.
func (g *gateway) wait() int {
	g.t.Helper()
	select {
	case <-g.ended:
		return g.code
	case <-time.After(patience):
		g.t.Fatal("the gateway does not end")
		return 0
	}
}

func (g *gateway) url() string { return "ws://" + g.address }

// dial connects with the Go client.
func (g *gateway) dial(o client.Options) *client.Client {
	g.t.Helper()
	if o.URL == "" {
		o.URL = g.url()
	}
	c, err := client.Dial(within(g.t), o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	return c
}

// get makes a plain HTTP request and returns its status.
func (g *gateway) get(path string, header http.Header) int {
	g.t.Helper()
	status, err := g.tryGet(path, header)
	if err != nil {
		g.t.Fatal(err)
	}
	return status
}

func (g *gateway) tryGet(path string, header http.Header) (int, error) {
	r, err := http.NewRequestWithContext(within(g.t), http.MethodGet, "http://"+g.address+path, nil)
	if err != nil {
		return 0, err
	}
	if header != nil {
		r.Header, r.Host = header, header.Get("Host")
	}
	r.Close = true
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// draining waits until the gateway lets nobody in any more.
func (g *gateway) draining() {
	g.t.Helper()
	eventually(g.t, "draining", func() bool {
		status, err := g.tryGet("/readyz", nil)
		return err != nil || status == http.StatusServiceUnavailable
	})
}
