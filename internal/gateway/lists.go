package gateway

import (
	"fmt"
	"sync"

	"github.com/openclaw/openclaw-go/protocol"
)

// defaultPage and maxPage bound the lists a client pages through.
const (
	defaultPage = 50
	maxPage     = 500
)

// page returns how many entries to send.
func page(limit int) (int, error) {
	switch {
	case limit < 0:
		return 0, invalid("payload.limit must not be negative")
	case limit == 0:
		return defaultPage, nil
	}
	return min(limit, maxPage), nil
}

func sessionList(r *request) error {
	p, problem := protocol.DecodePayload[protocol.SessionList](r.message)
	if problem != nil {
		return problem
	}
	limit, err := page(p.Limit)
	if err != nil {
		return err
	}
	hub := r.client.gateway.config.Hub
	list, next, err := hub.List(r.client.life, p.After, limit)
	if err != nil {
		return err
	}
	reply := protocol.Sessions{Sessions: make([]protocol.SessionEntry, len(list)), Next: next}
	for i, s := range list {
		active, err := hub.Active(r.client.life, s.Name)
		if err != nil {
			return err
		}
		reply.Sessions[i] = protocol.SessionEntry{
			Session: s.Name, Title: s.Title, LastSeq: s.LastSeq, Turns: s.Turns, TokensUsed: s.TokensUsed, Active: active,
			CreatedAt: protocol.FormatTime(s.CreatedAt), UpdatedAt: protocol.FormatTime(s.UpdatedAt),
		}
	}
	r.reply(protocol.TypeSessions, reply)
	return nil
}

func sessionHistory(r *request) error {
	p, problem := protocol.DecodePayload[protocol.SessionHistory](r.message)
	if problem != nil {
		return problem
	}
	limit, err := page(p.Limit)
	if err != nil {
		return err
	}
	if !protocol.ValidSession(p.Session) {
		return protocol.BadSession("payload.session")
	}
	if p.BeforeSeq < 0 {
		return invalid("payload.before_seq must not be negative")
	}
	// One page at a time: who asks for many and reads none of them costs others
	// no more than one.
	select {
	case r.client.page <- struct{}{}:
		defer func() { <-r.client.page }()
	case <-r.client.life.Done():
		return r.client.life.Err()
	}
	events, info, more, err := r.client.gateway.config.Hub.History(r.client.life, p.Session, p.BeforeSeq, limit)
	if err != nil {
		return err
	}
	reply := protocol.History{Session: p.Session, Events: make([]any, len(events)), LastSeq: info.LastSeq, More: more}
	for i, ev := range events {
		reply.Events[i] = protocol.EventPayload(ev)
	}
	r.replyWhenRoom(protocol.TypeHistory, reply)
	return nil
}

func sessionReset(r *request) error  { return r.change(r.client.gateway.config.Hub.Reset) }
func sessionDelete(r *request) error { return r.change(r.client.gateway.config.Hub.Delete) }

// change answers ok when the session has been changed.
func (r *request) change(how func(name string, reply func(error))) error {
	name, err := r.sessionRef()
	if err != nil {
		return err
	}
	how(name, r.finish)
	return nil
}

// sessionRef reads a payload that names a session and nothing else.
func (r *request) sessionRef() (string, error) {
	p, problem := protocol.DecodePayload[protocol.SessionRef](r.message)
	if problem != nil {
		return "", problem
	}
	if !protocol.ValidSession(p.Session) {
		return "", protocol.BadSession("payload.session")
	}
	return p.Session, nil
}

func skillList(r *request) error {
	r.reply(protocol.TypeSkills, protocol.Skills{Skills: r.client.gateway.config.Skills.List()})
	return nil
}

func toolList(r *request) error {
	g := r.client.gateway
	r.reply(protocol.TypeTools, g.tools.of(g.config.Facts.Tools()))
	return nil
}

// toolsText remembers the list of tools as it was sent: it is long.
type toolsText struct {
	mu   sync.Mutex
	last []protocol.ToolEntry
	text protocol.Encoded
}

// of returns the payload for the list. The same slice has the same tools.
func (c *toolsText) of(list []protocol.ToolEntry) protocol.Encoded {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == nil || len(list) != len(c.last) || len(list) > 0 && &list[0] != &c.last[0] {
		c.last, c.text = list, protocol.EncodePayload(protocol.TypeTools, protocol.Tools{Tools: list})
	}
	return c.text
}

func modelList(r *request) error {
	r.reply(protocol.TypeModels, protocol.Models{Models: r.client.gateway.config.Facts.Models()})
	return nil
}

func usage(r *request) error {
	p, problem := protocol.DecodePayload[protocol.UsageRequest](r.message)
	if problem != nil {
		return problem
	}
	switch {
	case p.Days < 0 || p.Days > protocol.MaxUsageDays:
		return invalid(fmt.Sprintf("payload.days must be between 1 and %d", protocol.MaxUsageDays))
	case p.Days == 0:
		p.Days = 30
	}
	used, err := r.client.gateway.config.Facts.Usage(r.client.life, p.Days)
	if err != nil {
		return err
	}
	r.reply(protocol.TypeUsage, used)
	return nil
}
