package e2e

import (
	"os"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// holdOn is a command that does something once and then runs until it is
// killed. Its process id is in the workspace's file pid.
const holdOn = "run: echo once >> tally; echo $$ > pid; exec sleep 300"

// TestCrash kills a gateway in the middle of a tool call. The turn goes on at
// the next start and ends once; the command is not repeated; who subscribes
// again sees everything once.
func TestCrash(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.start()
	before := newEvents()
	c := g.dial(client.Options{Notify: before.notify})
	subscribe(t, c, "main", 0)
	chatted := make(chan error, 1)
	ctx := within(t)
	go func() {
		_, err := c.Chat(ctx, say("main", holdOn), nil)
		chatted <- err
	}()
	seen := before.until(t, openclaw.KindToolCall)
	pid := h.pid("pid")
	g.kill()
	if err := <-chatted; err == nil {
		t.Error("the chat has an answer, although its gateway is dead")
	}
	eventually(t, "the command to die with its gateway", func() bool { return !alive(pid) })

	after := newEvents()
	c = h.start().dial(client.Options{Notify: after.notify})
	last := seen[len(seen)-1].Seq
	subscribe(t, c, "main", last)
	seen = append(seen, after.until(t, openclaw.KindTurnCompleted)...)
	wantSequence(t, seen, openclaw.KindTurnStarted, openclaw.KindToolCall, openclaw.KindToolResult, openclaw.KindText, openclaw.KindTurnCompleted)
	if out := seen[2].Output; !strings.Contains(out, "outcome unknown: the gateway stopped while it ran") {
		t.Errorf("the model is told %q", out)
	}
	if n := h.tally(); n != 1 {
		t.Errorf("the command ran %d times", n)
	}
	if _, err := c.Chat(within(t), say("main", "run: echo still there"), nil); err != nil {
		t.Errorf("the session does not go on: %v", err)
	}
	h.last.kill()
	wantSettled(t, h.start().dial(client.Options{}), "main", 2)
}

// TestCrashTwice kills the gateway that took the turn up again as well, right
// when it is ready: the turn still ends once.
func TestCrashTwice(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	c := h.start().dial(client.Options{})
	ctx := within(t)
	go func() { _, _ = c.Chat(ctx, say("main", holdOn), nil) }() // it has no answer to wait for
	h.pid("pid")
	h.last.kill()
	h.start().kill()
	events := newEvents()
	c = h.start().dial(client.Options{Notify: events.notify})
	subscribe(t, c, "main", 0)
	events.until(t, openclaw.KindTurnCompleted)
	wantSettled(t, c, "main", 1)
	if n := h.tally(); n != 1 {
		t.Errorf("the command ran %d times", n)
	}
}

// TestIdempotencyKey repeats requests after a crash: one that was answered
// before it, and one that was not.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	keyed := func(key, text string) protocol.Chat {
		chat := say("main", text)
		chat.Options.IdempotencyKey = key
		return chat
	}
	answered, open := keyed("k1", "run: echo once >> tally; echo done"), keyed("k2", holdOn)
	c := h.start().dial(client.Options{})
	first, err := c.Chat(within(t), answered, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	go func() { _, _ = c.Chat(ctx, open, nil) }() // it has no answer to wait for
	h.pid("pid")
	h.last.kill()

	c = h.start().dial(client.Options{})
	second, err := c.Chat(within(t), answered, nil)
	if err != nil || second.Seq != first.Seq || second.Text != first.Text || second.TokensUsed != first.TokensUsed {
		t.Errorf("the repeated request is answered by %+v, %v; the first one was by %+v", second, err, first)
	}
	resumed, err := c.Chat(within(t), open, nil)
	if err != nil || len(resumed.ToolCalls) != 1 || resumed.Seq <= first.Seq {
		t.Errorf("the request that was open is answered by %+v, %v", resumed, err)
	}
	if n := h.tally(); n != 2 {
		t.Errorf("the two commands ran %d times", n)
	}
	_, err = c.Chat(within(t), keyed("k1", "something else"), nil)
	wantCode(t, err, openclaw.CodeInvalidMessage)
	wantSettled(t, c, "main", 2)
}

// tally counts how often the commands of the test have run.
func (h *home) tally() int {
	h.t.Helper()
	data, err := os.ReadFile(h.workspace("tally"))
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Count(string(data), "once")
}

func subscribe(t *testing.T, c *client.Client, session string, after int64) {
	t.Helper()
	_, err := client.Ask[protocol.Subscribed](within(t), c, protocol.TypeSubscribe, protocol.Subscribe{Session: session, AfterSeq: &after})
	if err != nil {
		t.Fatal(err)
	}
}

// wantSequence expects events of these kinds, numbered from 1 on; deltas have
// no number and do not count.
func wantSequence(t *testing.T, events []protocol.Event, kinds ...openclaw.Kind) {
	t.Helper()
	var next int64
	for _, ev := range events {
		if ev.Kind == openclaw.KindDelta {
			continue
		}
		if int(next) >= len(kinds) || ev.Seq != next+1 || ev.Kind != kinds[next] {
			t.Fatalf("event %d is %d %s; want the kinds %v in this order, from seq 1", next+1, ev.Seq, ev.Kind, kinds)
		}
		next++
	}
	if int(next) != len(kinds) {
		t.Fatalf("%d events came, want %v", next, kinds)
	}
}

// wantSettled expects that the session has so many turns, that each ended
// exactly once, and that each call has one result.
func wantSettled(t *testing.T, c *client.Client, session string, turns int) {
	t.Helper()
	list, err := client.Ask[protocol.Sessions](within(t), c, protocol.TypeSessionList, protocol.SessionList{})
	if err != nil || len(list.Sessions) != 1 || list.Sessions[0].Turns != turns || list.Sessions[0].Active {
		t.Errorf("the sessions are %+v, %v; want one with %d turns at rest", list.Sessions, err, turns)
	}
	type history struct {
		Events []protocol.Event `json:"events"`
	}
	h, err := client.Ask[history](within(t), c, protocol.TypeSessionHistory, protocol.SessionHistory{Session: session, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	running, ended, calls, results := 0, 0, 0, map[string]int{}
	for _, ev := range h.Events {
		switch {
		case ev.Kind == openclaw.KindTurnStarted:
			running++
		case ev.Kind.Ends():
			running--
			ended++
		case ev.Kind == openclaw.KindToolCall:
			calls++
		case ev.Kind == openclaw.KindToolResult:
			results[ev.CallID]++
		}
		if running < 0 || running > 1 {
			t.Fatalf("with event %d (%s) %d turns run", ev.Seq, ev.Kind, running)
		}
	}
	if running != 0 || ended != turns || len(results) != calls {
		t.Errorf("%d turns ended, want %d, and %d run; %d calls have %d results", ended, turns, running, calls, len(results))
	}
	for id, n := range results {
		if n != 1 {
			t.Errorf("the call %s has %d results", id, n)
		}
	}
}
