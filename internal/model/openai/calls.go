package openai

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// calls assembles the tool calls of one answer from their pieces.
//
// In OpenAI's own streams a piece says by its index which call it continues,
// and pieces of parallel calls may alternate. Copies of the API leave the
// index out, send 0 for every call, leave out the id or repeat it, or make up
// a new id for each piece; find tells those apart.
type calls struct {
	all   []*pendingCall
	at    map[int]*pendingCall // the newest call of an index
	last  *pendingCall         // the one the last piece belonged to
	bytes int
}

type pendingCall struct {
	id, name string
	args     loose.Running
	extra    jsontext.Value
	index    int // -1: not said
}

// add takes a piece in. It returns the call where the piece begins one.
func (cs *calls) add(d *callDelta) (begun *pendingCall) {
	c := cs.find(d)
	if c == nil {
		if d.ID == "" && d.Function.Name == "" && d.Function.Arguments == "" {
			return nil
		}
		c = &pendingCall{index: -1}
		if d.Index != nil {
			c.index = int(*d.Index)
		}
		cs.all = append(cs.all, c)
		begun = c
	}
	cs.last = c
	if c.index >= 0 {
		if cs.at == nil {
			cs.at = map[int]*pendingCall{}
		}
		cs.at[c.index] = c
	}
	if c.id == "" {
		c.id = string(d.ID)
	}
	if c.name == "" {
		c.name = string(d.Function.Name)
	}
	if loose.Says(d.Extra) {
		c.extra = bytes.Clone(d.Extra)
	}
	c.args.Add(d.Function.Arguments)
	cs.bytes += len(d.Function.Arguments) + len(d.Extra)
	return begun
}

// find returns the call that d continues, nil where d begins a new one.
func (cs *calls) find(d *callDelta) *pendingCall {
	id, name := string(d.ID), string(d.Function.Name)
	if c := cs.byID(id); c != nil && (d.Index == nil || name == "" || c.index == int(*d.Index)) {
		return c
	}
	open := cs.last
	if d.Index != nil {
		open = cs.at[int(*d.Index)]
	}
	if open == nil {
		return nil
	}
	begins := false
	switch {
	case id != "" && open.id != "":
		// Another id is another call, unless the server makes ids up for
		// pieces, which have no name then.
		begins = name != "" || d.Index == nil
	case id != "":
		begins = name != "" && open.name != ""
	case name != "" && open.name != "":
		// Without ids a repeated name is a new call once the open one is whole.
		begins = open.whole() || d.Index == nil && (name != open.name || open.args.Len() == 0)
	}
	if begins {
		return nil
	}
	return open
}

func (cs *calls) byID(id string) *pendingCall {
	if id == "" {
		return nil
	}
	for _, c := range cs.all {
		if c.id == id {
			return c
		}
	}
	return nil
}

// whole says whether the arguments so far are a complete object.
func (c *pendingCall) whole() bool {
	args := c.args.String()
	return strings.HasSuffix(strings.TrimSpace(args), "}") && loose.IsObject(jsontext.Value(args))
}

// part returns the finished call.
func (c *pendingCall) part(provider string, ids *loose.IDs) openclaw.Part {
	name := c.name
	if name == "" {
		name = "unnamed" // the agent answers that there is no such tool
	}
	c.args.End()
	p := openclaw.Part{
		Kind: openclaw.PartToolCall,
		Call: &openclaw.Call{ID: ids.Unique(c.id), Tool: name, Args: loose.ObjectArgs(c.args.String())},
	}
	if len(c.extra) > 0 {
		p.Provider, p.Opaque = provider, []byte(c.extra)
	}
	return p
}
