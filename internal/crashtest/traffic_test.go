package crashtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// traffic is the clients of one gateway, however often that is killed: each
// sends chats, one after the other, and repeats them until they are answered.
type traffic struct {
	where   *whereabouts
	ledger  *ledger
	watcher *watcher
	count   atomic.Int64
	enough  chan struct{} // closed when no further chats are wanted
	senders sync.WaitGroup
	viewers sync.WaitGroup
	cancel  context.CancelFunc
}

// senders is how many clients send chats.
const senders = 10

func newTraffic(ctx context.Context, seed uint64) *traffic {
	ctx, cancel := context.WithCancel(ctx)
	tr := &traffic{where: newWhereabouts(), ledger: newLedger(), enough: make(chan struct{}), cancel: cancel}
	tr.watcher = newWatcher(tr.where, tr.ledger)
	tr.viewers.Go(func() { tr.watcher.run(ctx) })
	for i := range senders {
		s := &sender{
			traffic: tr, name: fmt.Sprint("c", i), rng: rand.New(rand.NewPCG(seed, uint64(i))),
			link: link{where: tr.where},
		}
		tr.senders.Go(func() { s.run(ctx) })
	}
	return tr
}

// finish waits until every chat has its answer and every subscriber has seen
// everything, and ends the clients.
func (tr *traffic) finish(ctx context.Context) error {
	close(tr.enough)
	tr.senders.Wait()
	err := tr.catchUp(ctx)
	tr.stop()
	return err
}

// stop ends the clients at once.
func (tr *traffic) stop() {
	tr.cancel()
	tr.senders.Wait()
	tr.viewers.Wait()
}

func (tr *traffic) catchUp(ctx context.Context) error {
	l := link{where: tr.where}
	defer l.close()
	c, err := l.get(ctx)
	if err != nil {
		return err
	}
	for after := ""; ; {
		page, err := client.Ask[protocol.Sessions](ctx, c, protocol.TypeSessionList, protocol.SessionList{After: after})
		if err != nil {
			return err
		}
		for _, s := range page.Sessions {
			if err := tr.watcher.await(ctx, s.Session, s.LastSeq); err != nil {
				return fmt.Errorf("the subscriber of %s has seen %d of %d events: %w",
					s.Session, tr.ledger.last(s.Session), s.LastSeq, err)
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// sender is a client. Its goroutine owns it.
type sender struct {
	traffic *traffic
	name    string
	rng     *rand.Rand
	link    link
}

// percent is true n times in a hundred.
func (s *sender) percent(n int) bool { return s.rng.IntN(100) < n }

func (s *sender) run(ctx context.Context) {
	defer s.link.close()
	for i := 0; ctx.Err() == nil; i++ {
		select {
		case <-s.traffic.enough:
			return
		default:
		}
		c := s.compose(i)
		s.traffic.ledger.begin(c)
		s.send(ctx, c)
		if s.percent(25) {
			s.again(ctx)
		}
		if s.percent(3) {
			s.reset(ctx, c.session)
		}
	}
}

// compose thinks of a message: in a conversation that this client has to
// itself, or in one that all share.
func (s *sender) compose(i int) *chat {
	n := s.traffic.count.Add(1)
	c := &chat{
		session: fmt.Sprintf("%s/%d", s.name, i/10),
		script: script{
			Key: fmt.Sprintf("k%d", n), Steps: s.rng.IntN(4), Calls: 1 + s.rng.IntN(2),
			Think: s.rng.IntN(8), Work: s.rng.IntN(15),
		},
	}
	switch {
	case s.percent(4):
		c.ephemeral, c.script.Key = true, "x"+c.script.Key
	case s.percent(40):
		c.session = fmt.Sprintf("%s%d", sharedPrefix, n/40)
	}
	if s.traffic.ledger.first(c.session) {
		s.traffic.watcher.begun <- c.session
	}
	return c
}

// sharedPrefix begins the names of conversations that all clients share.
const sharedPrefix = "all/"

func (c *chat) shared() bool { return strings.HasPrefix(c.session, sharedPrefix) }

// send sends the chat until it is answered.
func (s *sender) send(ctx context.Context, c *chat) {
	stops, twice := s.percent(12), s.percent(10)
	for ctx.Err() == nil && !s.traffic.ledger.givenUp(c) {
		conn, err := s.link.get(ctx)
		if err != nil {
			return
		}
		var wg sync.WaitGroup
		if stops {
			after := s.rng.IntN(40)
			wg.Go(func() { s.cancel(ctx, conn, c, after) })
		}
		if twice && !c.ephemeral {
			wg.Go(func() { s.attempt(ctx, conn, c) })
		}
		done := s.attempt(ctx, conn, c)
		wg.Wait()
		if done || c.ephemeral {
			return
		}
	}
}

// attempt sends the chat once and returns false if it has to be sent again.
func (s *sender) attempt(ctx context.Context, conn *client.Client, c *chat) (done bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ledger := s.traffic.ledger
	response, err := conn.Chat(ctx, c.request(), ledger.progress)
	e, said := errors.AsType[*openclaw.Error](err)
	switch {
	case err == nil:
		ledger.end(c, outcome{Response: response})
	case errors.Is(err, context.DeadlineExceeded):
		ledger.fault("%s in %s: no answer within %s", c.script.Key, c.session, patience)
	case !said, e.Code == openclaw.CodeShuttingDown: // the gateway was killed, or stopped
		return false
	case e.Code == openclaw.CodeSessionBusy:
		return pause(ctx, 20) != nil
	case e.Code == openclaw.CodeCancelled && c.shared():
		ledger.drop(c)
	default:
		ledger.end(c, outcome{Code: e.Code, Message: e.Message})
	}
	return true
}

func (c *chat) request() protocol.Chat {
	p := protocol.Chat{
		Text: c.script.String(), Context: fmt.Appendf(nil, `{"session":%q}`, c.session),
		Options: protocol.Options{IdempotencyKey: c.script.Key},
	}
	if c.ephemeral {
		yes := true
		p.Options = protocol.Options{NoMemory: &yes}
	}
	return p
}

// cancel stops the turns of the chat's conversation.
func (s *sender) cancel(ctx context.Context, conn *client.Client, c *chat, after int) {
	if pause(ctx, after) != nil {
		return
	}
	s.traffic.ledger.stopping(c.session)
	n, err := conn.Cancel(ctx, c.session)
	if err == nil && n > 0 && !c.shared() {
		s.traffic.ledger.stopped(c)
	}
}

// again asks for an outcome that is known, or for another one with the same
// key.
func (s *sender) again(ctx context.Context) {
	c := s.traffic.ledger.ended(s.rng.IntN)
	if c == nil || c.ephemeral {
		return
	}
	conn, err := s.link.get(ctx)
	if err != nil {
		return
	}
	if s.percent(80) {
		s.attempt(ctx, conn, c)
		return
	}
	other := c.request()
	other.Text += " "
	_, err = conn.Chat(ctx, other, nil)
	e, said := errors.AsType[*openclaw.Error](err)
	if err == nil || said && e.Code != openclaw.CodeInvalidMessage && e.Code != openclaw.CodeShuttingDown {
		s.traffic.ledger.fault("%s: its key with another text was answered with: %v", c.script.Key, err)
	}
}

// reset empties the context of a conversation.
func (s *sender) reset(ctx context.Context, session string) {
	conn, err := s.link.get(ctx)
	if err != nil {
		return
	}
	s.traffic.ledger.stopping(session)
	_, err = client.Ask[protocol.OK](ctx, conn, protocol.TypeSessionReset, protocol.SessionRef{Session: session})
	e, said := errors.AsType[*openclaw.Error](err)
	if said && e.Code != openclaw.CodeSessionNotFound && e.Code != openclaw.CodeShuttingDown {
		s.traffic.ledger.fault("%s: session_reset failed: %v", session, err)
	}
}
