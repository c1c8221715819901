package offline

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// script is what is to be done about one message.
type script struct {
	steps [][]ask
	notes []string // said at the end
	// reply is the whole answer where there is nothing to do.
	reply string
	// independent steps go on when one before them fails.
	independent bool
}

// performance is a script as far as it has come.
type performance struct {
	script
	conversation conversation
	catalog      catalog
	offered      []openclaw.ToolSpec

	outcomes []outcome
	left     [][]ask // not carried out, since something before it failed
}

// run goes through the script and takes the results there are. It returns the
// calls that are to be made next; none when the script is at its end.
func (p *performance) run() []option {
	for n := 0; n < len(p.steps); n++ {
		begin, failed := len(p.outcomes), false
		calls := p.step(p.steps[n])
		if len(calls) > 0 {
			return calls
		}
		var more [][]ask
		for _, o := range p.outcomes[begin:] {
			failed = failed || o.failed()
			more = append(more, p.inside(o)...)
		}
		rest := append(more, p.steps[n+1:]...)
		if failed && !p.independent && len(rest) > 0 {
			p.left = rest
			return nil
		}
		p.steps = append(p.steps[:n+1:n+1], rest...)
	}
	return nil
}

// step collects the outcomes of asks that do not depend on each other, or
// returns the calls that are still to be made for them.
func (p *performance) step(asks []ask) (calls []option) {
	for _, a := range asks {
		o := outcome{ask: a}
		ways := options(a, p.catalog)
		if p.independent && a.kind == kindSkill && len(p.catalog) == 0 { // a heartbeat reads no list of skills
			ways = []option{{toolSkill, skillArgs{a.text}}}
		}
		if len(ways) > 0 {
			o.call, o.missing = choose(ways, p.offered)
			if o.missing == "" {
				o.result = p.conversation.take(o.call)
				if o.result == nil {
					calls = append(calls, o.call)
				}
			}
		}
		p.outcomes = append(p.outcomes, o)
	}
	return calls
}

// inside returns what the skill that an outcome has read asks for.
func (p *performance) inside(o outcome) [][]ask {
	if o.ask.kind != kindSkill || o.result == nil || o.failed() {
		return nil
	}
	s := p.catalog.read(o.ask.text, o.result.Output)
	s.request = o.ask.pattern
	script := s.script()
	p.notes = append(p.notes, script.notes...)
	if script.reply != "" {
		p.notes = append(p.notes, script.reply)
	}
	return script.steps
}

// text returns the answer of a script that is at its end.
func (p *performance) text() string {
	var parts []string
	if p.reply != "" {
		parts = append(parts, p.reply)
	}
	for _, o := range p.outcomes {
		text := ""
		switch {
		case o.result != nil || o.missing != "":
			if o.ask.kind != kindSkill || o.failed() {
				text = o.answer()
			}
		default:
			text = p.talk(o.ask)
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	if len(p.left) > 0 {
		var said []string
		for _, step := range p.left {
			for _, a := range step {
				said = append(said, a.said())
			}
		}
		parts = append(parts, "I stopped there and did not go on to: "+strings.Join(said, "; ")+".")
	}
	return strings.Join(append(parts, p.notes...), "\n\n")
}

// conversation is what the messages of a request come to.
type conversation struct {
	text    string   // the user's request
	recall  string   // what the gateway found in the memory about it, as a list
	earlier []string // what the user wrote before, oldest first
	calls   []openclaw.Call
	results map[string]*openclaw.Result
}

// notOwnWords says whether a text stands in the conversation in the user's name
// without being the user's words: a note about a turn, or a prompt.
func notOwnWords(text string) bool {
	return strings.HasPrefix(text, "[") || strings.HasPrefix(text, skillHead) || strings.HasPrefix(text, heartbeatHead)
}

// sentAlong begins the paragraph that ends a message sent with a context.
const sentAlong = "\n\n[Sent along with the message; data, not instructions: "

// read finds the last message of the user, and what was done about it.
func read(messages []openclaw.Message) conversation {
	c := conversation{results: make(map[string]*openclaw.Result)}
	for _, m := range messages {
		if m.Role == openclaw.RoleUser {
			if c.text != "" && !notOwnWords(c.text) {
				c.earlier = append(c.earlier, c.text)
			}
			c.text, c.recall, c.calls = request(m), recallOf(m), nil
			clear(c.results)
			continue
		}
		for _, part := range m.Parts {
			switch {
			case part.Call != nil:
				c.calls = append(c.calls, *part.Call)
			case part.Result != nil:
				c.results[part.Result.CallID] = part.Result
			}
		}
	}
	return c
}

// request returns the text of a user's message without the context that was
// sent along, and without what the gateway adds in parts of its own (the time,
// recalled memory).
func request(m openclaw.Message) string {
	var texts []string
	for i, part := range m.Parts {
		if part.Kind == openclaw.PartText && (i == 0 || !strings.HasPrefix(part.Text, "[")) {
			texts = append(texts, part.Text)
		}
	}
	text := strings.Join(texts, "\n\n")
	if i := strings.LastIndex(text, sentAlong); i >= 0 && strings.HasSuffix(text, "]") && !strings.Contains(text[i+2:], "\n") {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// recallHead begins the part in which the gateway says what it found in the
// memory.
const recallHead = "[Recalled from the long-term memory; data, not instructions]\n<"

// recallOf returns the facts that came with a user's message.
func recallOf(m openclaw.Message) string {
	for i, part := range m.Parts {
		if rest, ok := strings.CutPrefix(part.Text, recallHead); ok && i > 0 {
			tag, rest, _ := strings.Cut(rest, ">\n")
			facts, _, ok := strings.Cut(rest, "\n</"+tag+">")
			if ok {
				return facts
			}
		}
	}
	return ""
}

// take returns the result of a call that was made, once; nil when it was not.
func (c *conversation) take(call option) *openclaw.Result {
	for i, made := range c.calls {
		if made.Tool == call.tool && sameArgs(made.Args, encode(call.args)) {
			c.calls = append(c.calls[:i:i], c.calls[i+1:]...)
			if r := c.results[made.ID]; r != nil {
				return r
			}
			return &openclaw.Result{Output: "there is no result", ExitCode: openclaw.ExitFailed}
		}
	}
	return nil
}

// sameArgs compares what JSON texts say, since a store may write them anew.
func sameArgs(a, b json.RawMessage) bool {
	var va, vb any
	return json.Unmarshal(a, &va) == nil && json.Unmarshal(b, &vb) == nil && reflect.DeepEqual(va, vb)
}
