package crashtest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// ledger is the account of the clients: what they asked for and what they were
// shown. It is safe for concurrent use.
type ledger struct {
	mu     sync.Mutex
	events map[string][]protocol.Event // what the subscriber of each conversation was shown
	shown  []glimpse
	chats  map[string]*chat // by key
	order  []*chat          // those with an outcome
	stops  map[string]bool  // conversations in which somebody cancelled, or tried to
	faults []string
}

// glimpse is what a requester was shown of its turn.
type glimpse struct {
	session string
	seq     int64
	call    *protocol.ToolCall
	result  *protocol.ToolResult
}

// chat is a message that a client wants answered.
type chat struct {
	script    script
	session   string
	ephemeral bool     // no_memory: it leaves nothing, and has no idempotency key
	outcome   *outcome // what a client was told; nil: nothing yet
	told      bool     // a client was told that it is cancelled, by the answer to cancel
	// dropped says that it was cancelled where others wait too: perhaps while
	// it waited itself. The log knows nothing of that, and of a repetition of
	// the chat it knows as of a new one.
	dropped bool
}

// outcome is the answer to a chat.
type outcome struct {
	Response protocol.Response
	Code     openclaw.Code // of an error
	Message  string
}

func newLedger() *ledger {
	return &ledger{events: map[string][]protocol.Event{}, chats: map[string]*chat{}, stops: map[string]bool{}}
}

func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// event takes what a subscriber was shown: the next event, and no other.
func (l *ledger) event(ev protocol.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.events[ev.Session]
	if ev.Seq != int64(len(seen))+1 {
		l.faults = append(l.faults, fmt.Sprintf("%s: the subscriber was shown seq %d after %d", ev.Session, ev.Seq, len(seen)))
		return
	}
	l.events[ev.Session] = append(seen, ev)
}

// first says whether nobody has asked about the conversation before.
func (l *ledger) first(session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.events[session]
	if !known {
		l.events[session] = nil
	}
	return !known
}

// last returns the number of the last event a subscriber was shown.
func (l *ledger) last(session string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.events[session]))
}

// progress takes what a requester is shown while its turn runs.
func (l *ledger) progress(m protocol.Message) {
	var g glimpse
	var err error
	switch m.Type {
	case protocol.TypeToolCall:
		g.call = &protocol.ToolCall{}
		err = m.Into(g.call)
		g.session, g.seq = g.call.Session, g.call.Seq
	case protocol.TypeToolResult:
		g.result = &protocol.ToolResult{}
		err = m.Into(g.result)
		g.session, g.seq = g.result.Session, g.result.Seq
	default: // a delta
		return
	}
	if err != nil {
		l.fault("%v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.seq > 0 { // else of a turn that leaves nothing
		l.shown = append(l.shown, g)
	}
}

func (l *ledger) begin(c *chat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chats[c.script.Key] = c
}

// end takes the outcome of a chat, which is the same however often one asks.
func (l *ledger) end(c *chat, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.outcome == nil {
		c.outcome = &o
		l.order = append(l.order, c)
		return
	}
	if diff := cmp.Diff(*c.outcome, o); diff != "" {
		l.faults = append(l.faults, fmt.Sprintf("%s: the outcome has changed (-first +now):\n%s", c.script.Key, diff))
	}
}

// ended returns one of the chats with an outcome; nil if there is none.
func (l *ledger) ended(choose func(n int) int) *chat {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) == 0 {
		return nil
	}
	return l.order[choose(len(l.order))]
}

// stopping says that a client is about to cancel in the conversation.
func (l *ledger) stopping(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops[session] = true
}

// stopped says that a client was told that the chat is cancelled.
func (l *ledger) stopped(c *chat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.told = true
}

func (l *ledger) drop(c *chat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.dropped = true
}

// givenUp says whether nobody waits for the chat any more.
func (l *ledger) givenUp(c *chat) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.told || c.dropped
}
