package e2e

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// untilToldSo is a command that runs until the workspace has the file go.
const untilToldSo = `{"type":"chat","id":"slow","payload":{"text":"run: echo $$ > pid; until [ -e go ]; do sleep 0.02; done; echo finished"}}`

// sleeper is a chat whose command does not end by itself.
const sleeper = `{"type":"chat","id":"slow","payload":{"text":"` + holdOn + `"}}`

// TestDrain stops a gateway while a turn runs and another one waits.
func TestDrain(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.start()
	if got, err := os.ReadFile(h.state("gateway.pid")); err != nil || strings.TrimSpace(string(got)) != strconv.Itoa(g.process.Pid) {
		t.Errorf("the PID file says %q, %v; want %d", got, err, g.process.Pid)
	}
	s := g.socket("/", nil)
	s.send(untilToldSo)
	s.send(`{"type":"chat","id":"waiting","payload":{"text":"run: echo waited"}}`)
	h.pid("pid")
	g.signal(syscall.SIGTERM)
	if e := s.refusal("waiting"); e.Code != openclaw.CodeShuttingDown {
		t.Errorf("the waiting turn ends with %+v", e)
	}
	g.draining()
	s.send(`{"type":"chat","id":"late","payload":{"text":"run: echo late"}}`)
	if e := s.refusal("late"); e.Code != openclaw.CodeShuttingDown || !e.Retryable {
		t.Errorf("a new request is answered by %+v", e)
	}
	h.touch("go")
	if f := s.answer("slow"); f.Type != protocol.TypeResponse || !strings.Contains(f.text, "finished") {
		t.Errorf("the running turn ends with %s", f.text)
	}
	if code := s.closed(); code != websocket.StatusGoingAway {
		t.Errorf("the connection is closed with %d, want 1001", code)
	}
	g.wantEnded(0)
}

// TestDrainTimeout stops a gateway whose turn does not end in time: it goes on
// at the next start.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	h := newHome(t).set("OPENCLAW_GATEWAY_DRAIN_TIMEOUT=100ms")
	g := h.start()
	s := g.socket("/", nil)
	s.send(sleeper)
	pid := h.pid("pid")
	g.signal(syscall.SIGTERM)
	if e := s.refusal("slow"); e.Code != openclaw.CodeShuttingDown || e.Details["resumes"] != true {
		t.Errorf("the running turn ends with %+v", e)
	}
	if code := s.closed(); code != websocket.StatusGoingAway {
		t.Errorf("the connection is closed with %d, want 1001", code)
	}
	g.wantEnded(0)
	h.wantResumed(pid)
}

// TestSecondSignal stops a gateway twice: the second time it does not wait.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.start()
	s := g.socket("/", nil)
	s.send(sleeper)
	pid := h.pid("pid")
	g.signal(syscall.SIGTERM)
	g.draining()
	if !alive(pid) {
		t.Error("the first signal has ended the running turn")
	}
	g.signal(syscall.SIGTERM)
	g.wantEnded(128 + int(syscall.SIGTERM))
	h.wantResumed(pid)
}

// wantEnded expects that the gateway ends with the code and takes its PID file
// along.
func (g *gateway) wantEnded(code int) {
	g.t.Helper()
	if got := g.wait(); got != code {
		g.t.Errorf("the gateway ends with %d, want %d", got, code)
	}
	if _, err := os.Stat(g.home.state("gateway.pid")); !errors.Is(err, fs.ErrNotExist) {
		g.t.Errorf("the PID file is still there: %v", err)
	}
}

// wantResumed expects that the command is dead, and that its turn ends after
// the next start of a gateway without another run of the command.
func (h *home) wantResumed(pid int) {
	h.t.Helper()
	eventually(h.t, "the command to die with its gateway", func() bool { return !alive(pid) })
	events := newEvents()
	c := h.start().dial(client.Options{Notify: events.notify})
	subscribe(h.t, c, "main", 0)
	events.until(h.t, openclaw.KindTurnCompleted)
	wantSettled(h.t, c, "main", 1)
	if n := h.tally(); n != 1 {
		h.t.Errorf("the command ran %d times", n)
	}
}

func TestTwoGateways(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.start()
	second := h.run("gateway", "run")
	if second.code != 1 || !strings.Contains(second.stderr, "pid "+strconv.Itoa(g.process.Pid)) {
		t.Errorf("the second gateway ends with %d and says %q; want 1 and the pid %d", second.code, second.stderr, g.process.Pid)
	}
	if _, err := g.dial(client.Options{}).Chat(within(t), say("main", "run: echo unharmed"), nil); err != nil {
		t.Errorf("the first gateway: %v", err)
	}
	g.kill()
	h.start().stop() // what a dead gateway leaves does not keep the next one out
}
