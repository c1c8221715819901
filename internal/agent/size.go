package agent

import (
	openclaw "github.com/openclaw/openclaw-go"
)

// defaultWindow is taken for the context window of a model that nobody has
// told us anything about, in tokens. A smaller one makes itself known by
// CONTEXT_OVERFLOW.
const defaultWindow = 128_000

// window returns the context window of the chosen model, in tokens.
func (c Choice) window() int {
	for _, info := range c.Model.Models() {
		if info.ID == c.Name && info.ContextWindow > 0 {
			return info.ContextWindow
		}
	}
	return defaultWindow
}

// threshold is the size of a request, in tokens, at which the conversation is
// compacted: the configured part of the window, and never so much that the
// answer has no room.
func (t *turn) threshold() int {
	window := t.choice.window()
	limit := int(t.agent.config.CompactAt * float64(window))
	answer := t.in.Started.Options.MaxTokens
	if answer <= 0 {
		answer = t.agent.config.MaxTokens
	}
	if room := window - answer - window/50; room >= window/4 {
		limit = min(limit, room)
	}
	return limit
}

// size is how many tokens the next request has: what the API counted in the
// last one and in its answer, and an estimate of what was added since. Before
// the API has counted anything all of it is estimated.
func (t *turn) size() int {
	tr := t.in.Transcript
	if tr.counted > 0 {
		return tr.counted + estimateAll(tr.messages[tr.covered:])
	}
	return t.fixed() + estimateAll(tr.messages)
}

// estimated returns what n tokens of the API's count are by the estimate, where
// the API counts more: in languages and models that the estimate does not fit.
func (t *turn) estimated(n int) int {
	tr := t.in.Transcript
	guess := t.fixed() + estimateAll(tr.messages[:tr.covered])
	if tr.counted <= guess {
		return n
	}
	return int(float64(n) * float64(guess) / float64(tr.counted))
}

// fixed estimates the tokens of the instructions and the tools.
func (t *turn) fixed() int {
	n := estimate(t.system())
	for _, tool := range t.agent.offered(t.in.Started.Options) {
		n += estimate(tool.Name) + estimate(tool.Description) + estimate(string(tool.Parameters)) + 8
	}
	return n
}

func estimateAll(messages []openclaw.Message) int {
	n := 0
	for _, m := range messages {
		n += estimateMessage(m)
	}
	return n
}

// imageTokens is about what the APIs count for a large picture.
const imageTokens = 1600

func estimateMessage(m openclaw.Message) int {
	n := 4
	for _, p := range m.Parts {
		n += estimate(p.Text)
		if p.Image != nil {
			n += imageTokens
		}
		if p.Call != nil {
			n += estimate(p.Call.Tool) + estimate(string(p.Call.Args)) + 8
		}
		if p.Result != nil {
			n += estimate(p.Result.Output) + 8
		}
	}
	return n
}

// estimate is how many tokens a text has, rather too many than too few: two
// for seven bytes of ASCII, as in program text, and one for each other
// character.
func estimate(text string) int {
	others := 0
	ascii := 0
	for _, r := range text {
		if r < 0x80 {
			ascii++
		} else {
			others++
		}
	}
	return (ascii*2+6)/7 + others
}
