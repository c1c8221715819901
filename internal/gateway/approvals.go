package gateway

import (
	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// Approvals is what has been approved for longer than a call, and the rules
// besides.
type Approvals interface {
	List() []protocol.KeptApproval
	// Revoke fails with NOT_FOUND.
	Revoke(id string) error
	// Explain says what would happen with a command. It fails with
	// INVALID_MESSAGE.
	Explain(q protocol.ApprovalExplain) (protocol.ApprovalExplained, error)
}

// approve answers a question. Whoever may connect may answer: a job of the
// agent's has neither a network nor the token.
func approve(r *request) error {
	p, problem := protocol.DecodePayload[protocol.Approve](r.message)
	if problem != nil {
		return problem
	}
	switch p.Decision {
	case openclaw.DecideOnce, openclaw.DecideSession, openclaw.DecideAlways, openclaw.DecideDeny:
	default:
		return invalid("payload.decision must be once, session, always or deny")
	}
	r.client.gateway.config.Hub.Approve(p.ApprovalID, p.Decision, r.finish)
	return nil
}

// finish completes, later, a request that has nothing to say but that it is
// done.
func (r *request) finish(err error) {
	if err := r.done(err); err != nil {
		r.fail(err)
	}
}

// approvalList lists what waits and what is kept, and lets the client follow
// the approvals of every session from now on.
func approvalList(r *request) error {
	p, problem := protocol.DecodePayload[protocol.ApprovalList](r.message)
	if problem != nil {
		return problem
	}
	g := r.client.gateway
	if p.Follow {
		r.client.followApprovals()
	}
	reply := protocol.Approvals{Pending: []any{}, Kept: []protocol.KeptApproval{}}
	for _, ev := range g.config.Hub.Questions() {
		reply.Pending = append(reply.Pending, protocol.EventPayload(ev))
	}
	if g.config.Approvals != nil {
		reply.Kept = g.config.Approvals.List()
	}
	r.reply(protocol.TypeApprovals, reply)
	return nil
}

func approvalRevoke(r *request) error {
	p, problem := protocol.DecodePayload[protocol.ApprovalRevoke](r.message)
	if problem != nil {
		return problem
	}
	if r.client.gateway.config.Approvals == nil {
		return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "this gateway keeps no approvals"}
	}
	return r.done(r.client.gateway.config.Approvals.Revoke(p.ID))
}

func approvalExplain(r *request) error {
	p, problem := protocol.DecodePayload[protocol.ApprovalExplain](r.message)
	switch {
	case problem != nil:
		return problem
	case p.Session != "" && !protocol.ValidSession(p.Session):
		return protocol.BadSession("payload.session")
	case r.client.gateway.config.Approvals == nil:
		return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "this gateway has no rules to explain"}
	}
	explained, err := r.client.gateway.config.Approvals.Explain(p)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeApprovalExplained, explained)
	return nil
}

// approver is a client that follows the approvals of every session. It
// implements session.Subscriber.
type approver struct{ client *Client }

// Live implements session.Subscriber; a subscriber of the session sees the
// event anyway.
func (a approver) Live(d *session.Delivery) {
	if !a.client.watches(d.Event.Session) {
		a.client.conn.Send(d.Frame(encodeEvent))
	}
}

// Replay implements session.Subscriber and is never called.
func (approver) Replay(*session.Delivery) error { return nil }

// Gone implements session.Subscriber and is never called.
func (approver) Gone(string, *openclaw.Error) {}

// followApprovals begins to follow, once.
func (c *Client) followApprovals() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unfollow == nil && c.life.Err() == nil {
		c.unfollow = c.gateway.config.Hub.FollowApprovals(approver{c})
	}
}

func (c *Client) unfollowApprovals() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unfollow != nil {
		c.unfollow()
		c.unfollow = nil
	}
}

// followsApprovals says whether the client sees every approval.
func (c *Client) followsApprovals() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unfollow != nil
}

// Approves implements session.Approver.
func (r *request) Approves() bool { return r.approves && r.client.life.Err() == nil }

// showApproval shows the requester a question of its turn, or the answer.
func (r *request) showApproval(d *session.Delivery) {
	if r.approves && !r.client.watches(d.Event.Session) && !r.client.followsApprovals() {
		r.client.conn.Send(d.Frame(encodeEvent))
	}
}
