package crashtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/protocol"
)

// at is a moment of the account below, in seconds after the gateway began.
func at(s int) time.Time { return time.Date(2026, 11, 22, 12, 0, s, 0, time.UTC) }

// soundAccount is of one turn with one call, seen by everybody.
func soundAccount() *account {
	s := script{Key: "k1", Steps: 1, Calls: 1}
	used := &openclaw.Usage{Input: 10, Output: 3}
	events := []openclaw.Event{
		{Body: openclaw.TurnStarted{Source: openclaw.SourceClient, Text: s.String(), IdempotencyKey: "k1"}},
		{Body: openclaw.ToolCalled{CallID: "k1.1.1", Tool: toolName, Args: []byte(`{"ms":0}`), Step: openclaw.Step{N: 1, Usage: used}}},
		{Body: openclaw.ToolReturned{CallID: "k1.1.1", Tool: toolName, Output: "ran k1.1.1 at 7"}},
		{Body: openclaw.TextWritten{Text: "k1: 1 ran, 0 unknown, 0 stopped", Step: openclaw.Step{N: 2, Usage: used}}},
		{Body: openclaw.TurnCompleted{Text: "k1: 1 ran, 0 unknown, 0 stopped", Usage: used.Add(*used)}},
	}
	ledger := newLedger()
	for i := range events {
		ev := &events[i]
		ev.Session, ev.Seq, ev.RequestID, ev.Time = "c0/0", int64(i)+1, "c1", at(i+1)
		ledger.event(asShown(*ev))
	}
	c := &chat{session: "c0/0", script: s}
	ledger.begin(c)
	turns, _ := split("c0/0", events)
	ledger.end(c, turns[0].outcome("c0/0"))
	ledger.shown = []glimpse{{session: "c0/0", seq: 3, result: &protocol.ToolResult{CallID: "k1.1.1", Output: "ran k1.1.1 at 7"}}}
	return &account{
		log: logs{"c0/0": events}, ledger: ledger, final: true, viewed: map[string]int{},
		deeds: deeds{
			boots:  []time.Time{at(0)},
			starts: map[string]int{"k1.1.1": 1}, ends: map[string][]string{"k1.1.1": {"ran k1.1.1 at 7"}},
		},
	}
}

// TestAccount breaks each promise once: a check that finds nothing wrong must
// mean something.
func TestAccount(t *testing.T) {
	events := func(a *account) []openclaw.Event { return a.log["c0/0"] }
	result := func(a *account, output string) {
		events(a)[2].Body = openclaw.ToolReturned{CallID: "k1.1.1", Tool: toolName, Output: output}
	}
	tests := []struct {
		name   string
		damage func(*account)
		want   string
	}{
		{"nothing", func(*account) {}, ""},
		{"gap", func(a *account) { events(a)[4].Seq = 6 }, "seq 6: turn_completed stands at place 5"},
		{"no outcome", func(a *account) { a.log["c0/0"] = events(a)[:4] }, "the turn at seq 1 has no outcome"},
		{"two outcomes", func(a *account) {
			last := events(a)[4]
			last.Seq++
			a.log["c0/0"] = append(events(a), last)
		}, "seq 6: turn_completed outside of a turn"},
		{"turn in a turn", func(a *account) { events(a)[3].Body = events(a)[0].Body }, "seq 4: turn_started while another turn"},
		{"key used twice", func(a *account) { a.log["c1/0"] = slices.Clone(events(a)) }, "key k1 began a second turn"},
		{"unknown key", func(a *account) { delete(a.ledger.chats, "k1") }, `key "k1" that nobody sent`},
		{"call without a result", func(a *account) {
			a.log["c0/0"] = slices.Delete(events(a), 2, 3)
		}, "call k1.1.1 has 0 results"},
		{"call with two results", func(a *account) { events(a)[3].Body = events(a)[2].Body }, "call k1.1.1 has 2 results"},
		{"result of another run", func(a *account) { a.deeds.ends["k1.1.1"] = []string{"ran k1.1.1 at 8"} }, `the tool says ["ran k1.1.1 at 8"]`},
		{"result nobody computed", func(a *account) { delete(a.deeds.ends, "k1.1.1") }, "the tool says []"},
		{"ran twice", func(a *account) { a.deeds.starts["k1.1.1"] = 2 }, "call k1.1.1 ran 2 times"},
		{"ran before it was stored", func(a *account) { a.deeds.starts["k1.1.2"] = 1 }, "its being in the log is false"},
		{"no_memory in the log", func(a *account) { a.ledger.chats["k1"].ephemeral = true }, "in spite of no_memory"},
		{"unknown without a stop", func(a *account) { result(a, agent.OutcomeUnknown) }, "did not stop while it ran"},
		{"unknown not told to the model", func(a *account) {
			result(a, agent.OutcomeUnknown)
			a.deeds.boots = append(a.deeds.boots, at(2).Add(time.Millisecond))
		}, "the model said"},
		{"stopped by nobody", func(a *account) { result(a, "stopped before it finished") }, "and nobody cancelled it"},
		{"answer left out", func(a *account) { a.log["c0/0"][0].Body = openclaw.TurnStarted{Text: `{"steps":2,"calls":1}`} }, "0 calls in answer 2"},
		{"failed without a reason", func(a *account) { events(a)[4].Body = openclaw.TurnFailed{} }, "failed after 0 stops"},
		{"cancelled by nobody", func(a *account) { events(a)[4].Body = openclaw.TurnCancelled{} }, "was cancelled by nobody"},
		{"cancelled in vain", func(a *account) { a.ledger.chats["k1"].told = true }, "was told that key k1 is cancelled"},
		{"usage", func(a *account) {
			events(a)[4].Body = openclaw.TurnCompleted{Text: "k1: 1 ran, 0 unknown, 0 stopped"}
		}, "its steps say"},
		{"shown and lost", func(a *account) { a.log["c0/0"] = events(a)[:2] }, "has seen 5 events, the log has 2"},
		{"stored and not shown", func(a *account) { a.ledger.events["c0/0"] = a.ledger.events["c0/0"][:2] }, "has seen 2 events, the log has 5"},
		{"shown otherwise", func(a *account) { a.ledger.events["c0/0"][0].Text = "hello" }, "seq 1: the subscriber has seen"},
		{"requester shown otherwise", func(a *account) { a.ledger.shown[0].result.Output = "hello" }, "seq 3: the requester was shown"},
		{"answered otherwise", func(a *account) { a.ledger.chats["k1"].outcome.Response.Text = "hello" }, "client and log differ"},
		{"answered and lost", func(a *account) { a.log = logs{} }, "the log knows nothing of key k1"},
		{"malformed request", func(a *account) { a.deeds.faults = []string{"message 3 is empty"} }, "message 3 is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := soundAccount()
			tt.damage(a)
			faults := a.check()
			found := slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) })
			if tt.want == "" && len(faults) > 0 || tt.want != "" && !found {
				t.Errorf("the check says %q, want %q", faults, tt.want)
			}
		})
	}
}

// TestLedger breaks the order of a subscription, and answers one key in two
// ways.
func TestLedger(t *testing.T) {
	for _, seqs := range [][]int64{{2}, {1, 1}, {1, 3}} {
		l := newLedger()
		for _, seq := range seqs {
			l.event(protocol.Event{EventHead: protocol.EventHead{Session: "s", Seq: seq}})
		}
		if len(l.faults) != 1 {
			t.Errorf("events %d: faults %q, want one", seqs, l.faults)
		}
	}
	l, c := newLedger(), &chat{}
	l.end(c, outcome{Code: openclaw.CodeInternal})
	l.end(c, outcome{Code: openclaw.CodeInternal})
	l.end(c, outcome{Code: openclaw.CodeCancelled})
	if len(l.faults) != 1 {
		t.Errorf("faults %q, want one", l.faults)
	}
}

func TestWellFormed(t *testing.T) {
	user := openclaw.Text(openclaw.RoleUser, "hello")
	says := openclaw.Text(openclaw.RoleAssistant, "hello")
	call := func(ids ...string) (m openclaw.Message) {
		m.Role = openclaw.RoleAssistant
		for _, id := range ids {
			m.Parts = append(m.Parts, openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id}})
		}
		return m
	}
	result := func(ids ...string) (m openclaw.Message) {
		m.Role = openclaw.RoleTool
		for _, id := range ids {
			m.Parts = append(m.Parts, openclaw.Part{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: id}})
		}
		return m
	}
	tests := []struct {
		name string
		ok   bool
		said []openclaw.Message
	}{
		{"question", true, []openclaw.Message{user}},
		{"results", true, []openclaw.Message{user, call("1", "2"), result("2", "1")}},
		{"next question", true, []openclaw.Message{user, call("1"), result("1"), says, user}},
		{"nothing", false, nil},
		{"answer last", false, []openclaw.Message{user, says}},
		{"answer first", false, []openclaw.Message{says, user}},
		{"result missing", false, []openclaw.Message{user, call("1", "2"), result("1")}},
		{"results missing", false, []openclaw.Message{user, call("1"), user}},
		{"result twice", false, []openclaw.Message{user, call("1"), result("1", "1")}},
		{"result of nothing", false, []openclaw.Message{user, says, result("1")}},
		{"result late", false, []openclaw.Message{user, call("1"), says, result("1")}},
		{"call twice", false, []openclaw.Message{user, call("1"), result("1"), call("1"), result("1")}},
		{"empty message", false, []openclaw.Message{user, {Role: openclaw.RoleAssistant}, user}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := wellFormed(tt.said); (err == nil) != tt.ok {
				t.Errorf("wellFormed: %v", err)
			}
		})
	}
}
