package gateway

import (
	"context"
	"fmt"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// subscription is one client watching one session. It implements
// session.Subscriber.
type subscription struct {
	client *Client
	ended  context.Context
	end    context.CancelFunc
	deltas deltas
}

// Live shows an event as it happens.
func (s *subscription) Live(d *session.Delivery) {
	if s.ended.Err() != nil {
		return
	}
	if b, text := d.Event.Body.(openclaw.Delta); text {
		s.deltas.send(s.client.conn, d, b)
		return
	}
	s.deltas.flush(s.client.conn)
	s.client.conn.Send(d.Frame(encodeEvent))
}

// Replay shows an event of the past, at the pace the client reads.
func (s *subscription) Replay(d *session.Delivery) error {
	if s.ended.Err() != nil || s.client.conn.SendWait(d.Frame(encodeEvent)) != nil {
		return unsubscribed()
	}
	return nil
}

// unsubscribed is why a subscription fails that its client has ended, or whose
// client has gone.
func unsubscribed() *openclaw.Error {
	return &openclaw.Error{Code: openclaw.CodeCancelled, Message: "the subscription was ended before it had caught up"}
}

// Gone tells the client that the subscription is over: the session was deleted,
// or cannot be read.
func (s *subscription) Gone(name string, err *openclaw.Error) {
	s.client.mu.Lock()
	if s.client.subscriptions[name] == s {
		delete(s.client.subscriptions, name)
	}
	s.client.mu.Unlock()
	payload := protocol.NewError(err)
	payload.Details = map[string]any{"session": name}
	s.client.send(protocol.TypeError, "", payload)
}

func subscribe(r *request) error {
	p, problem := protocol.DecodePayload[protocol.Subscribe](r.message)
	if problem != nil {
		return problem
	}
	if !protocol.ValidSession(p.Session) {
		return protocol.BadSession("payload.session")
	}
	after := int64(-1)
	if p.AfterSeq != nil {
		if after = *p.AfterSeq; after < 0 {
			return invalid("payload.after_seq must not be negative")
		}
	}
	s, err := r.client.watch(p.Session)
	if err != nil {
		return err
	}
	catchUp := r.client.gateway.config.Hub.Follow(s.ended, p.Session, after, s, func(last int64) {
		r.reply(protocol.TypeSubscribed, protocol.Subscribed{Session: p.Session, LastSeq: last})
	})
	spawned := r.client.gateway.spawn(false, func() {
		if err := catchUp(); err != nil {
			r.notCaughtUp(p.Session, s, err)
		}
	})
	if !spawned {
		r.client.unwatch(p.Session, s)
		return shuttingDown()
	}
	return nil
}

// notCaughtUp ends a subscription whose replay broke off. Where subscribed has
// been said already, an error without an id takes it back.
func (r *request) notCaughtUp(name string, s *subscription, err error) {
	left := s.ended.Err() != nil // the client wants no more of it
	if left {
		err = unsubscribed()
	}
	r.client.unwatch(name, s)
	told := openclaw.CodeOf(err) == openclaw.CodeSessionNotFound // by Gone
	if !r.fail(err) && !left && !told {
		s.Gone(name, openclaw.AsError(err))
	}
}

func unsubscribe(r *request) error {
	name, err := r.sessionRef()
	if err != nil {
		return err
	}
	r.client.unwatch(name, nil)
	r.reply(protocol.TypeOK, protocol.OK{})
	return nil
}

// watch begins a subscription in the place of the one to the same session.
func (c *Client) watch(name string) (*subscription, error) {
	c.unwatch(name, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if most := c.gateway.limits.Load().Subscriptions; len(c.subscriptions) >= most {
		return nil, &openclaw.Error{
			Code:    openclaw.CodeGatewayBusy,
			Message: fmt.Sprintf("this connection is subscribed to %d sessions; unsubscribe from one, or open another connection", most),
		}
	}
	s := &subscription{client: c}
	s.ended, s.end = context.WithCancel(c.life)
	if c.subscriptions == nil {
		c.subscriptions = map[string]*subscription{}
	}
	c.subscriptions[name] = s
	return s, nil
}

// watches says whether the client has a subscription to the session.
func (c *Client) watches(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subscriptions[name] != nil
}

// unwatch ends the subscription to a session; only is the one meant, nil for
// whichever there is.
func (c *Client) unwatch(name string, only *subscription) {
	c.mu.Lock()
	s := c.subscriptions[name]
	if s == nil || only != nil && s != only {
		c.mu.Unlock()
		return
	}
	delete(c.subscriptions, name)
	c.mu.Unlock()
	s.end()
	c.gateway.config.Hub.Unfollow(name, s)
}

func (c *Client) unsubscribeAll() {
	c.mu.Lock()
	names := make([]string, 0, len(c.subscriptions))
	for name := range c.subscriptions {
		names = append(names, name)
	}
	c.mu.Unlock()
	for _, name := range names {
		c.unwatch(name, nil)
	}
}
