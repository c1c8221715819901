package crashtest

import (
	"fmt"
	"reflect"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/protocol"
)

// account compares the log with what clients and tools say.
type account struct {
	log    logs
	deeds  deeds
	ledger *ledger // nobody writes to it meanwhile
	final  bool    // the gateway has come to rest: no turn may be open
	// viewed is how much of each conversation has been compared with what its
	// subscriber saw, at an earlier check.
	viewed map[string]int
	faults []string
}

func (a *account) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// check returns what is wrong, a sentence for each fault.
func (a *account) check() []string {
	byKey := map[string]*turn{}
	logged := map[string]bool{} // calls
	for session, events := range a.log {
		turns, faults := split(session, events)
		a.faults = append(a.faults, faults...)
		for i, t := range turns {
			key := t.IdempotencyKey
			if byKey[key] != nil {
				a.fault("%s: key %s began a second turn at seq %d", session, key, t.first().Seq)
			}
			byKey[key] = t
			if t.end == nil && (a.final || i < len(turns)-1) {
				a.fault("%s: the turn at seq %d has no outcome", session, t.first().Seq)
			}
			a.checkCalls(session, t, logged, func(called, returned openclaw.Event) {
				a.checkResult(session, called, returned)
			})
			a.checkEnd(session, t)
		}
	}
	a.checkDeeds(logged)
	a.checkViews()
	a.checkChats(byKey)
	return append(a.faults, append(a.ledger.faults, a.deeds.faults...)...)
}

// checkCalls wants one result for each call of a turn, and has result look at
// both.
func (a *account) checkCalls(session string, t *turn, logged map[string]bool, result func(called, returned openclaw.Event)) {
	results := map[string][]openclaw.Event{}
	for _, ev := range t.events {
		if b, ok := ev.Body.(openclaw.ToolReturned); ok {
			results[b.CallID] = append(results[b.CallID], ev)
		}
	}
	for _, ev := range t.events {
		b, ok := ev.Body.(openclaw.ToolCalled)
		if !ok {
			continue
		}
		if logged[b.CallID] {
			a.fault("%s: call %s was made twice", session, b.CallID)
		}
		logged[b.CallID] = true
		got := results[b.CallID]
		delete(results, b.CallID)
		if len(got) == 1 && got[0].Seq > ev.Seq {
			result(ev, got[0])
		} else if len(got) > 0 || t.end != nil {
			a.fault("%s: call %s has %d results", session, b.CallID, len(got))
		}
	}
	for id := range results {
		a.fault("%s: call %s has a result and was never made", session, id)
	}
}

// checkResult holds a result to the moments of the crashes and to the journal.
func (a *account) checkResult(session string, called, returned openclaw.Event) {
	b, _ := returned.Body.(openclaw.ToolReturned)
	var kind tally
	kind.add(b.Output)
	ends := a.deeds.ends[b.CallID]
	switch {
	case kind.ran > 0 && (len(ends) != 1 || ends[0] != b.Output):
		a.fault("%s: call %s returned %q, the tool says %q", session, b.CallID, b.Output, ends)
	case kind.unknown > 0 && a.deeds.bootsBetween(called.Time, returned.Time) == 0:
		a.fault("%s: the outcome of call %s is unknown, but the gateway did not stop while it ran", session, b.CallID)
	case kind.stopped > 0 && !a.ledger.stops[session]:
		a.fault("%s: call %s returned %q, and nobody cancelled it", session, b.CallID, b.Output)
	}
}

// checkEnd holds the end of a turn to what happened in it.
func (a *account) checkEnd(session string, t *turn) {
	var used openclaw.Usage
	var found tally
	for _, ev := range t.events {
		switch b := ev.Body.(type) {
		case openclaw.TextWritten:
			used = add(used, b.Step)
		case openclaw.ToolCalled:
			used = add(used, b.Step)
		case openclaw.ToolReturned:
			found.add(b.Output)
		}
	}
	at := fmt.Sprintf("%s: turn %s at seq %d", session, t.IdempotencyKey, t.first().Seq)
	stops := a.deeds.bootsBetween(t.first().Time, t.last().Time)
	switch end := t.end.(type) {
	case openclaw.TurnCompleted:
		if want := found.text(t.IdempotencyKey); end.Text != want {
			a.fault("%s: the model said %q; what it should have been told comes to %q", at, end.Text, want)
		}
		if end.Usage != used {
			a.fault("%s used %+v, its steps say %+v", at, end.Usage, used)
		}
		a.checkSteps(at, t, stops)
	case openclaw.TurnFailed:
		if most := 3; stops <= most { // session.Config.MaxResumes
			a.fault("%s failed after %d stops of the gateway: %s %s", at, stops, end.Code, end.Message)
		}
	case openclaw.TurnCancelled:
		if !a.ledger.stops[session] {
			a.fault("%s was cancelled by nobody", at)
		}
	}
}

func add(used openclaw.Usage, s openclaw.Step) openclaw.Usage {
	if s.Usage == nil {
		return used
	}
	return used.Add(*s.Usage)
}

// checkSteps looks for calls that are missing: a stop may cost the calls of an
// answer that the log has not got to, but never a whole answer.
func (a *account) checkSteps(at string, t *turn, stops int) {
	s, err := scriptOf(t.Text)
	if err != nil {
		a.fault("%s: %v", at, err)
		return
	}
	calls := map[int]int{}
	for _, ev := range t.events {
		if b, ok := ev.Body.(openclaw.ToolCalled); ok {
			calls[b.Step.N]++
		}
	}
	for n := 1; n <= s.Steps; n++ {
		if calls[n] == 0 || stops == 0 && calls[n] != s.Calls {
			a.fault("%s: %d calls in answer %d, want %d", at, calls[n], n, s.Calls)
		}
	}
	if len(calls) != s.Steps {
		a.fault("%s: %d answers with calls, want %d", at, len(calls), s.Steps)
	}
}

// checkDeeds looks for tools that ran twice, or without being in the log.
func (a *account) checkDeeds(logged map[string]bool) {
	for id, n := range a.deeds.starts {
		if n > 1 {
			a.fault("call %s ran %d times", id, n)
		}
		c := a.ledger.chats[keyOf(id)]
		switch {
		case c == nil:
			a.fault("call %s belongs to no chat", id)
		case logged[id] == c.ephemeral:
			a.fault("call %s of a chat with no_memory=%t: its being in the log is %t", id, c.ephemeral, logged[id])
		}
	}
}

// checkViews holds what clients were shown to the log.
func (a *account) checkViews() {
	for session, seen := range a.ledger.events {
		log := a.log[session]
		if len(seen) > len(log) || a.final && len(seen) < len(log) {
			a.fault("%s: the subscriber has seen %d events, the log has %d", session, len(seen), len(log))
		}
		both := min(len(seen), len(log))
		for i := a.viewed[session]; i < both; i++ {
			if want := asShown(log[i]); !reflect.DeepEqual(seen[i], want) {
				a.fault("%s seq %d: the subscriber has seen %+v, the log has %+v", session, i+1, seen[i], want)
			}
		}
		a.viewed[session] = both
	}
	for _, g := range a.ledger.shown {
		if log := a.log[g.session]; g.seq > int64(len(log)) {
			a.fault("%s: the requester was shown seq %d, the log ends at %d", g.session, g.seq, len(log))
		} else if !g.matches(log[g.seq-1]) {
			a.fault("%s seq %d: the requester was shown %+v %+v, the log has %+v", g.session, g.seq, g.call, g.result, log[g.seq-1])
		}
	}
}

// asShown is an event of the log as a subscriber must see it.
func asShown(ev openclaw.Event) (shown protocol.Event) {
	m, err := protocol.DecodeMessage(protocol.Encode(protocol.TypeEvent, "", protocol.EventPayload(ev), time.Time{}))
	if err == nil {
		err = m.Into(&shown)
	}
	if err != nil {
		panic(err) // the gateway itself has made this text
	}
	return shown
}

func (g *glimpse) matches(ev openclaw.Event) bool {
	switch b := ev.Body.(type) {
	case openclaw.ToolCalled:
		return g.call != nil && g.call.CallID == b.CallID && string(g.call.Args) == string(b.Args)
	case openclaw.ToolReturned:
		return g.result != nil && g.result.CallID == b.CallID && g.result.Output == b.Output && g.result.ExitCode == b.ExitCode
	}
	return false
}

// checkChats holds every outcome a client was told of to the log.
func (a *account) checkChats(byKey map[string]*turn) {
	for key, c := range a.ledger.chats {
		t := byKey[key]
		if t == nil {
			if c.outcome != nil && !c.ephemeral || a.final && !c.told && !c.dropped && !c.ephemeral {
				a.fault("%s: the log knows nothing of key %s, whose outcome is %+v", c.session, key, c.outcome)
			}
			continue
		}
		if t.Text != c.script.String() {
			a.fault("%s: the text of key %s is %q in the log", c.session, key, t.Text)
		}
		if c.ephemeral {
			a.fault("%s: chat %s is in the log in spite of no_memory", c.session, key)
		}
		if c.outcome != nil && !reflect.DeepEqual(*c.outcome, t.outcome(c.session)) {
			a.fault("%s: client and log differ about the outcome of key %s: %+v and %+v", c.session, key, *c.outcome, t.outcome(c.session))
		}
		if _, cancelled := t.end.(openclaw.TurnCancelled); c.told && !cancelled && (a.final || t.end != nil) {
			a.fault("%s: a client was told that key %s is cancelled, but its turn ends with %+v", c.session, key, t.end)
		}
	}
	for key := range byKey {
		if a.ledger.chats[key] == nil {
			a.fault("the log has a turn with key %q that nobody sent", key)
		}
	}
}

// outcome is what the client of the turn has to be told.
func (t *turn) outcome(session string) outcome {
	switch end := t.end.(type) {
	case openclaw.TurnCompleted:
		r := protocol.Response{
			Text: end.Text, TokensUsed: end.Usage.Total(), ToolCalls: []protocol.CallDone{}, Session: session,
			Model: end.Model, Usage: end.Usage, DurationMS: end.DurationMS, Seq: t.last().Seq,
		}
		returned := map[string]openclaw.ToolReturned{}
		for _, ev := range t.events {
			if b, ok := ev.Body.(openclaw.ToolReturned); ok {
				returned[b.CallID] = b
			}
		}
		for _, ev := range t.events {
			if b, ok := ev.Body.(openclaw.ToolCalled); ok {
				r.ToolCalls = append(r.ToolCalls, protocol.CallDone{
					Tool: b.Tool, Args: []byte(b.Args), ExitCode: returned[b.CallID].ExitCode, DurationMS: returned[b.CallID].DurationMS,
				})
			}
		}
		return outcome{Response: r}
	case openclaw.TurnFailed:
		return outcome{Code: end.Code, Message: end.Message}
	case openclaw.TurnCancelled:
		return outcome{Code: openclaw.CodeCancelled, Message: "the turn was cancelled"}
	}
	return outcome{Message: agent.OutcomeUnknown}
}
