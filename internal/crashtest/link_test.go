package crashtest

import (
	"context"
	"errors"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// whereabouts tell clients where the gateway is, whenever there is one.
type whereabouts struct {
	mu  sync.Mutex
	url string
	up  chan struct{} // closed while url is known
}

func newWhereabouts() *whereabouts { return &whereabouts{up: make(chan struct{})} }

// set says where the gateway is; "" says that it is down.
func (w *whereabouts) set(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case url != "" && w.url == "":
		close(w.up)
	case url == "" && w.url != "":
		w.up = make(chan struct{})
	}
	w.url = url
}

// wait blocks until there is a gateway.
func (w *whereabouts) wait(ctx context.Context) (string, error) {
	for {
		w.mu.Lock()
		url, up := w.url, w.up
		w.mu.Unlock()
		if url != "" {
			return url, nil
		}
		select {
		case <-up:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// link is a connection that is made again when it is lost. One goroutine owns
// it.
type link struct {
	where  *whereabouts
	notify func(protocol.Message)
	client *client.Client
}

// get returns a connection, the one before if it still stands.
func (l *link) get(ctx context.Context) (*client.Client, error) {
	if l.client != nil {
		select {
		case <-l.client.Done():
		default:
			return l.client, nil
		}
	}
	for {
		url, err := l.where.wait(ctx)
		if err != nil {
			return nil, err
		}
		if c, err := client.Dial(ctx, client.Options{URL: url, Notify: l.notify}); err == nil {
			l.close()
			l.client = c
			return c, nil
		}
		if err := pause(ctx, 2); err != nil { // it has just been killed
			return nil, err
		}
	}
}

func (l *link) close() {
	if l.client != nil {
		_ = l.client.Close() // says nothing that matters
	}
}

// watcher subscribes to conversations as they begin, and again, after the last
// event it has seen, whenever the gateway is back.
type watcher struct {
	link   link
	ledger *ledger
	begun  chan string // gets the name of each new conversation
}

func newWatcher(where *whereabouts, l *ledger) *watcher {
	w := &watcher{link: link{where: where}, ledger: l, begun: make(chan string, 1000)}
	w.link.notify = w.notice
	return w
}

// notice takes what the gateway sends unasked.
func (w *watcher) notice(m protocol.Message) {
	var ev protocol.Event
	switch err := m.Into(&ev); {
	case m.Type != protocol.TypeEvent:
		w.ledger.fault("a subscriber was sent %s %s", m.Type, m.Payload)
	case err != nil:
		w.ledger.fault("%v", err)
	case ev.Kind != openclaw.KindDelta:
		w.ledger.event(ev)
	}
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer w.link.close()
	var names []string
	for {
		c, err := w.link.get(ctx)
		if err != nil {
			return
		}
		for i := 0; i < len(names) && w.subscribe(ctx, c, names[i]); i++ {
		}
		for lost := false; !lost; {
			select {
			case name := <-w.begun:
				names = append(names, name)
				lost = !w.subscribe(ctx, c, name)
			case <-c.Done():
				lost = true
			case <-ctx.Done():
				return
			}
		}
	}
}

// subscribe returns false when the connection is lost.
func (w *watcher) subscribe(ctx context.Context, c *client.Client, name string) bool {
	after := w.ledger.last(name)
	reply, err := client.Ask[protocol.Subscribed](ctx, c, protocol.TypeSubscribe, protocol.Subscribe{Session: name, AfterSeq: &after})
	if err == nil {
		if reply.LastSeq < after {
			w.ledger.fault("%s: seq %d was seen, and now the last is %d", name, after, reply.LastSeq)
		}
		return true
	}
	if e, said := errors.AsType[*openclaw.Error](err); said && e.Code != openclaw.CodeShuttingDown {
		w.ledger.fault("%s: subscribing after %d failed: %v", name, after, err)
	}
	return false
}

// await waits until the subscriber of a conversation has seen the event.
func (w *watcher) await(ctx context.Context, name string, seq int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for w.ledger.last(name) < seq {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
