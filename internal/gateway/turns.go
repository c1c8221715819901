package gateway

import (
	"encoding/json"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

func chat(r *request) error {
	p, problem := protocol.DecodePayload[protocol.Chat](r.message)
	if problem != nil {
		return problem
	}
	if strings.TrimSpace(p.Text) == "" {
		return invalid("payload.text must be a string that is not blank")
	}
	turn, problem := p.Turn()
	if problem != nil {
		return problem
	}
	fit, err := r.client.gateway.config.Skills.Fit(p.Text)
	if err != nil {
		return err
	}
	r.hint, turn.Options.Tools = fit.Hint, fit.Tools
	r.submit(turn, openclaw.TurnStarted{Source: openclaw.SourceClient, Text: p.Text, Prompt: fit.Prompt})
	return nil
}

func skillInvoke(r *request) error {
	p, problem := protocol.DecodePayload[protocol.SkillInvoke](r.message)
	if problem != nil {
		return problem
	}
	if p.Skill == "" {
		return invalid("payload.skill must be the name of a skill; skill_list shows those there are")
	}
	args, problem := p.ArgsText()
	if problem != nil {
		return problem
	}
	turn, problem := p.Turn()
	if problem != nil {
		return problem
	}
	skill, err := r.client.gateway.config.Skills.Invoke(p.Skill, args)
	if err != nil {
		return err
	}
	turn.Options.Tools = skill.Tools
	r.submit(turn, openclaw.TurnStarted{
		Source: openclaw.SourceSkill, Text: strings.TrimSpace("/" + p.Skill + " " + args), Prompt: skill.Prompt,
	})
	return nil
}

func invalid(message string) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: message}
}

// submit queues the request as a turn of its session.
func (r *request) submit(t protocol.Turn, started openclaw.TurnStarted) {
	started.User, started.Channel, started.Context = t.User, t.Channel, json.RawMessage(t.Context)
	started.Images = t.Images
	started.Options, started.IdempotencyKey = t.Options, t.IdempotencyKey
	r.stream, r.approves, r.session = t.Stream, t.Options.Approvals, t.Session
	r.message.Payload = nil // a turn can wait for long
	r.client.gateway.config.Hub.Submit(session.Request{
		Session: t.Session, ID: r.id, Started: started, Observer: r,
	})
}

// Event implements session.Observer: it shows the requester the tools as they
// run and, if it asked for that, the text as it is written and by whom.
func (r *request) Event(d *session.Delivery) {
	ev := d.Event
	if ev.Kind() != openclaw.KindDelta {
		r.deltas.flush(r.client.conn)
	}
	switch b := ev.Body.(type) {
	case openclaw.ToolCalled:
		r.client.send(protocol.TypeToolCall, "", protocol.ToolCall{
			Tool: b.Tool, Args: protocol.RawArgs(b.Args), Status: "executing",
			RequestID: r.id, CallID: b.CallID, Session: ev.Session, Seq: ev.Seq,
		})
	case openclaw.ToolReturned:
		r.client.send(protocol.TypeToolResult, "", protocol.ToolResult{
			Tool: b.Tool, Output: b.Output, ExitCode: b.ExitCode,
			Truncated: b.Truncated, OutputBytes: b.OutputBytes,
			RequestID: r.id, CallID: b.CallID, Session: ev.Session, Seq: ev.Seq,
		})
	case openclaw.ApprovalRequested, openclaw.ApprovalResolved:
		r.showApproval(d)
	case openclaw.Delta:
		if r.stream && !r.client.watches(ev.Session) { // a subscriber gets it anyway
			r.deltas.send(r.client.conn, d, b)
		}
	case openclaw.ModelSwitched:
		if r.stream && !r.client.watches(ev.Session) {
			r.client.conn.Send(d.Frame(encodeEvent))
		}
	}
}

// Done implements session.Observer: it completes the request.
func (r *request) Done(o session.Outcome) {
	r.deltas.flush(r.client.conn)
	if o.Err != nil {
		r.fail(o.Err)
		return
	}
	response := protocol.Response{
		Text: o.Text, TokensUsed: o.Usage.Total(), ToolCalls: make([]protocol.CallDone, len(o.Calls)),
		Session: o.Session, Model: o.Model, Usage: o.Usage, DurationMS: o.Duration.Milliseconds(), Seq: o.Seq, Hint: r.hint,
	}
	for i, c := range o.Calls {
		response.ToolCalls[i] = protocol.CallDone{
			Tool: c.Tool, Args: protocol.RawArgs(c.Args), ExitCode: c.ExitCode, DurationMS: c.Duration.Milliseconds(),
		}
	}
	r.reply(protocol.TypeResponse, response)
}

func encodeEvent(ev openclaw.Event) []byte {
	return protocol.Encode(protocol.TypeEvent, "", protocol.EventPayload(ev), ev.Time)
}

// cancel stops a request of this connection, or the turns of a session: a
// request_id alone never reaches another client's request that happens to
// have the same id.
func cancel(r *request) error {
	p, problem := protocol.DecodePayload[protocol.Cancel](r.message)
	if problem != nil {
		return problem
	}
	match := func(requestID string, _ session.Observer) bool { return p.RequestID == "" || p.RequestID == requestID }
	name := p.Session
	switch {
	case p.RequestID == "" && p.Session == "":
		return invalid("payload needs request_id or session")
	case p.Session != "" && !protocol.ValidSession(p.Session):
		return protocol.BadSession("payload.session")
	case p.Session == "":
		own := r.client.find(p.RequestID)
		if own == nil || own.session == "" {
			r.cancelled(0)
			return nil
		}
		name = own.session
		match = func(_ string, o session.Observer) bool { return o == session.Observer(own) }
	}
	r.client.gateway.config.Hub.Cancel(name, "client", match, func(n int, err error) {
		if err != nil {
			r.fail(err)
			return
		}
		r.cancelled(n)
	})
	return nil
}

func (r *request) cancelled(n int) { r.reply(protocol.TypeOK, protocol.OK{Cancelled: &n}) }

func (c *Client) find(id string) *request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inFlight[id]
}
