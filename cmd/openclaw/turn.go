package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// cancelWait is how long a turn may take to end after it was cancelled.
const cancelWait = 5 * time.Second

// turn is a request that runs tools, and who watches it.
type turn struct {
	kind    protocol.Type
	payload any
	view    *turnView
	signals <-chan os.Signal // may be nil
	ask     *prompter        // asks the turn's questions; nil: nobody can be asked
}

// outcome is how a request ended.
type outcome struct {
	message protocol.Message
	err     error
}

// run sends the request, shows what happens and returns the reply. The first
// signal cancels the turn and the second abandons it; both end in a failure
// with the signal's exit code.
func (t *turn) run(ctx context.Context, c *cli, l *link) (protocol.Message, error) {
	var seen progress
	seen.changed = make(chan struct{}, 1)
	done := make(chan outcome, 1)
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	request := l.Begin(t.kind, t.payload, seen.put)
	wg.Go(func() {
		m, err := request.Wait(ctx)
		done <- outcome{m, err}
	})
	defer wg.Wait()
	defer stop()
	var signal os.Signal
	for {
		select {
		case <-seen.changed:
			t.show(&seen)
		case k := <-t.typed():
			if err := t.answer(ctx, k); err != nil {
				c.remark("%s", oneLine(err.Error()))
			}
		case o := <-done:
			t.show(&seen)
			t.view.end()
			if signal != nil && o.err != nil {
				c.remark("cancelled")
				return o.message, interrupted(signal)
			}
			return o.message, connectionError(o.err)
		case s := <-t.signals:
			if signal != nil {
				c.abandoned = true
				return protocol.Message{}, interrupted(s)
			}
			signal = s
			t.view.end()
			if isTerminal(c.stderr) {
				fmt.Fprintln(c.stderr) // behind the terminal's own ^C
			}
			c.remark("cancelling; once more stops at once")
			wg.Go(func() { cancelTurn(ctx, l, request.ID, stop) })
		}
	}
}

// cancelTurn asks the gateway to end the turn, and gives up on it when that
// does not happen.
func cancelTurn(ctx context.Context, l *link, request string, giveUp context.CancelFunc) {
	ctx, stop := context.WithTimeout(ctx, cancelWait)
	defer stop()
	// What matters is the end of the turn itself, which run waits for.
	_, _ = l.Call(ctx, protocol.TypeCancel, protocol.Cancel{RequestID: request}, nil)
	<-ctx.Done()
	giveUp()
}

func (t *turn) show(seen *progress) {
	for _, m := range seen.take() {
		t.view.message(m)
		if t.ask != nil {
			t.ask.message(m)
		}
	}
	if t.ask != nil && len(t.ask.waiting) > 0 {
		t.view.end()
		t.ask.prompt()
	}
}

// typed is where the answer to a question comes from.
func (t *turn) typed() <-chan typedLine {
	if t.ask == nil {
		return nil
	}
	return t.ask.typed
}

// answer passes an answer on, and asks again or what comes next. Who ends the
// input instead of answering says no.
func (t *turn) answer(ctx context.Context, k typedLine) error {
	line := k.line
	if k.err != nil {
		line = openclaw.DecideDeny
	}
	err := t.ask.answer(ctx, line)
	t.ask.prompt()
	return err
}

// progress is what a turn has said and nobody has shown yet. It takes messages
// without ever blocking the connection, however slow the terminal is.
type progress struct {
	mu       sync.Mutex
	messages []protocol.Message
	changed  chan struct{}
}

func (p *progress) put(m protocol.Message) {
	p.mu.Lock()
	p.messages = append(p.messages, m)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *progress) take() []protocol.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	messages := p.messages
	p.messages = nil
	return messages
}
