package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/model"
	"github.com/openclaw/openclaw-go/internal/session"
)

// TestEndings ends a turn at each of its phases in each way there is: within a
// second it has exactly one outcome, in the answer and in the log, and nothing
// of it is left: no process, no goroutine, no descriptor. The next request of
// the same session works.
func TestEndings(t *testing.T) {
	for _, phase := range []string{"model", "text", "tool", "approval", "after the tool", "compaction"} {
		for _, end := range []string{"cancel", "timeout", "client gone", "shutdown", "panic"} {
			if end == "panic" && (phase == "tool" || phase == "approval") {
				continue // the model says nothing meanwhile
			}
			t.Run(phase+", "+end, func(t *testing.T) { ending(t, phase, end) })
		}
	}
}

func ending(t *testing.T, phase, end string) {
	before, descriptors, adopted := goleak.IgnoreCurrent(), openDescriptors(), children()
	a := &actor{t: t, reached: make(chan string, 1), let: make(chan struct{}), panics: end == "panic"}
	s := serveActor(t, a)
	c := s.dial(s.listen("tcp", "127.0.0.1:0"), "/", nil)
	early := s.begin(c, a, phase, end)
	began, had := time.Now(), scheduled()
	want := early + s.end(c, a, phase, end)
	took, slower := time.Since(began), had.slower()
	if end == "timeout" {
		took -= firstTimeout
	}
	if promised := time.Duration(slower * busy * float64(time.Second)); early == "" && took > promised {
		t.Errorf("the turn has ended after %v, want at most %v", took, promised)
	}
	if end != "shutdown" {
		again := s.dial(s.listen("tcp", "127.0.0.1:0"), "/", nil)
		if answer := ask(t, again, `{"type":"chat","id":"next","payload":{"text":"fine"}}`); !strings.Contains(answer, `"said"`) {
			t.Errorf("the next request: %s", answer)
		}
		_ = again.CloseNow()
	}
	_ = c.CloseNow()
	left := children()
	maps.DeleteFunc(left, func(id, _ string) bool { return adopted[id] != "" })
	if len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	outcomes := s.outcomes()
	s.close()
	if strings.Join(outcomes, " ") != strings.TrimSpace(want) {
		t.Errorf("the log says %q of the turns, want %q", outcomes, want)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if more := openDescriptors() - descriptors; more > 0 {
		t.Errorf("%d descriptors are left", more)
	}
}

// TestEndingsInTheQueue ends a turn that waits for the one before: that one
// goes on, and what never began leaves nothing.
func TestEndingsInTheQueue(t *testing.T) {
	for end, want := range map[string]string{
		"cancel": "CANCELLED", "shutdown": "SHUTTING_DOWN", "client gone": "",
	} {
		t.Run(end, func(t *testing.T) { endingInQueue(t, end, want) })
	}
}

func endingInQueue(t *testing.T, end, code string) {
	before, descriptors := goleak.IgnoreCurrent(), openDescriptors()
	a := &actor{t: t, reached: make(chan string, 1), let: make(chan struct{})}
	s := serveActor(t, a)
	address := s.listen("tcp", "127.0.0.1:0")
	first, c := s.dial(address, "/", nil), s.dial(address, "/", nil)
	send := func(c *websocket.Conn, text string) {
		t.Helper()
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send(first, `{"type":"chat","id":"first","payload":{"text":"model"}}`)
	<-a.reached
	send(c, `{"type":"chat","id":"turn","payload":{"text":"fine"}}`)
	for s.hub.Stats().Queued == 0 {
		time.Sleep(time.Millisecond)
	}
	want := "turn_completed"
	switch end {
	case "cancel":
		send(c, `{"type":"cancel","id":"stop","payload":{"request_id":"turn"}}`)
	case "shutdown":
		s.gateway.Drain()
		expired, cancel := context.WithCancel(context.Background())
		cancel()
		s.hub.Drain(expired)
		want = ""
	case "client gone":
		_ = c.CloseNow()
		want = "turn_completed turn_completed"
	}
	if code != "" {
		if said := ask(t, c, ""); !strings.Contains(said, `"id":"turn"`) || !strings.Contains(said, code) {
			t.Errorf("the turn is answered by %s, want %s", said, code)
		}
	}
	if end != "shutdown" {
		close(a.let)
		if said := ask(t, first, ""); !strings.Contains(said, `"id":"first"`) || !strings.Contains(said, `"said"`) {
			t.Errorf("the turn before is answered by %s", said)
		}
		if said := ask(t, first, `{"type":"chat","id":"next","payload":{"text":"fine"}}`); !strings.Contains(said, `"said"`) {
			t.Errorf("the next request: %s", said)
		}
		want += " turn_completed"
	}
	_, _ = first.CloseNow(), c.CloseNow()
	if outcomes := strings.Join(s.outcomes(), " "); outcomes != want {
		t.Errorf("the log says %q of the turns, want %q", outcomes, want)
	}
	s.close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if more := openDescriptors() - descriptors; more > 0 {
		t.Errorf("%d descriptors are left", more)
	}
}

// serveActor serves an app whose only model is a.
func serveActor(t *testing.T, a *actor) *served {
	t.Helper()
	s := &served{t: t, home: t.TempDir(), log: &bytes.Buffer{}}
	models := func(*config.Config) (*model.Set, error) {
		return model.New(model.Options{Providers: map[string]model.Provider{"actor": {Model: a, Default: "actor"}}, Default: "actor"})
	}
	app, err := newApp(t.Context(), s.load("OPENCLAW_HANDS_WORKSPACE="+filepath.Join(s.home, "work")), models, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.app = app
	t.Cleanup(s.close)
	return s
}

// firstTimeout is that of a turn that is to end by it. A phase that a busy
// machine does not reach before is tried again with four times as much.
const firstTimeout = 700 * time.Millisecond

// begin starts the turn and returns when it is in the phase, with what the log
// is to say of the tries before.
func (s *served) begin(c *websocket.Conn, a *actor, phase, end string) (early string) {
	s.t.Helper()
	patience, options := 30*time.Second, ""
	if end == "timeout" {
		patience = firstTimeout
	}
	text := phase
	if phase == "compaction" {
		text, early = "/compact", "turn_completed "
		if answer := ask(s.t, c, `{"type":"chat","id":"before","payload":{"text":"fine"}}`); !strings.Contains(answer, `"said"`) {
			s.t.Errorf("what is to be compacted: %s", answer)
		}
	}
	for {
		if end == "timeout" {
			options = fmt.Sprintf(`,"timeout_ms":%d`, patience.Milliseconds())
		}
		chat := fmt.Appendf(nil, `{"type":"chat","id":"turn","payload":{"text":%q,"options":{"approvals":true%s}}}`, text, options)
		if err := c.Write(s.t.Context(), websocket.MessageText, chat); err != nil {
			s.t.Fatal(err)
		}
		if s.reached(a, phase, patience) {
			return early
		}
		if patience > 10*time.Second {
			s.t.Fatal("the phase is not reached")
		}
		early += s.end(c, a, phase, "early timeout") + " "
		select {
		case <-a.reached: // just too late
		default:
		}
		_ = os.Remove(filepath.Join(s.home, "work", "started"))
		patience *= 4
	}
}

// reached waits until the turn is in the phase, and gives up in the end.
func (s *served) reached(a *actor, phase string, patience time.Duration) bool {
	if phase != "tool" && phase != "approval" {
		select {
		case <-a.reached:
			return true
		case <-time.After(patience):
			return false
		}
	}
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for began := time.Now(); time.Since(began) < patience; <-again.C {
		_, err := os.Stat(filepath.Join(s.home, "work", "started"))
		if err == nil || slices.Contains(s.kinds(), openclaw.KindApprovalRequested) {
			return true
		}
	}
	return false
}

// end ends the turn and returns what the log is to say of this turn and the
// next one.
func (s *served) end(c *websocket.Conn, a *actor, phase, how string) (outcomes string) {
	s.t.Helper()
	answer := func(code string) {
		s.t.Helper()
		for got := 0; got == 0; {
			said := ask(s.t, c, "")
			if strings.Contains(said, `"id":"turn"`) {
				got++
				if !strings.Contains(said, code) {
					s.t.Errorf("the turn is answered by %s, want %s", said, code)
				}
			}
		}
	}
	switch how {
	case "cancel":
		if err := c.Write(s.t.Context(), websocket.MessageText, []byte(`{"type":"cancel","id":"stop","payload":{"request_id":"turn"}}`)); err != nil {
			s.t.Fatal(err)
		}
		answer("CANCELLED")
		if said := ask(s.t, c, ""); !strings.Contains(said, `"cancelled":1`) {
			s.t.Errorf("the cancellation is answered by %s", said)
		}
		return "turn_cancelled turn_completed"
	case "early timeout":
		answer("TIMEOUT")
		return "turn_failed"
	case "timeout":
		answer("TIMEOUT")
		return "turn_failed turn_completed"
	case "panic":
		answer("INTERNAL")
		return "turn_failed turn_completed"
	case "shutdown":
		s.gateway.Drain()
		expired, cancel := context.WithCancel(context.Background())
		cancel()
		s.hub.Drain(expired)
		answer("SHUTTING_DOWN")
		return "" // it goes on at the next start
	}
	_ = c.CloseNow()
	if phase == "tool" || phase == "approval" { // nobody waits for that to end
		s.hub.Cancel("main", "test", func(string, session.Observer) bool { return true }, func(int, error) {})
		return "turn_cancelled turn_completed"
	}
	close(a.let)
	return "turn_completed turn_completed"
}

// outcomes are the ends of turns in the log.
func (s *served) outcomes() (list []string) {
	for _, kind := range s.kinds() {
		if kind.Ends() {
			list = append(list, string(kind))
		}
	}
	return list
}

// kinds are those of the events in the log.
func (s *served) kinds() (kinds []openclaw.Kind) {
	events, err := s.store.Events(context.Background(), "main", openclaw.EventRange{Limit: 1000})
	if err != nil {
		s.t.Error(err)
	}
	for i, ev := range events {
		if ev.Seq != int64(i+1) {
			s.t.Errorf("event %d has the number %d", i+1, ev.Seq)
		}
		kinds = append(kinds, ev.Body.Kind())
	}
	return kinds
}

// children are the command lines of this process's children, by id. Other tests
// may have left some: a process with a Runner adopts what they detached.
func children() map[string]string {
	lines := map[string]string{}
	tasks, _ := filepath.Glob("/proc/self/task/*/children") // none but on Linux
	for _, task := range tasks {
		ids, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		for _, id := range strings.Fields(string(ids)) {
			line, _ := os.ReadFile("/proc/" + id + "/cmdline")
			lines[id] = strconv.Quote(string(line))
		}
	}
	return lines
}

func openDescriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd") // none but on Linux
	return len(entries)
}
