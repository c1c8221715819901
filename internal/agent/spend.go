package agent

import (
	"context"

	openclaw "github.com/openclaw/openclaw-go"
)

// Budget keeps what the models of all turns cost within bounds, and knows
// their prices.
type Budget interface {
	// Reserve sets aside what a call uses at the most, and waits while other
	// calls hold what it needs. It fails with BUDGET_EXCEEDED, or the cause of
	// ctx. The function it returns is called once, with what the call did use;
	// it gives the rest back and returns the charge with its price.
	Reserve(ctx context.Context, most openclaw.Charge) (settle func(used openclaw.Charge) openclaw.Charge, err error)
}

// unbounded is the budget where none is configured.
type unbounded struct{}

func (unbounded) Reserve(context.Context, openclaw.Charge) (func(openclaw.Charge) openclaw.Charge, error) {
	return func(used openclaw.Charge) openclaw.Charge { return used }, nil
}

// reserve sets aside the worst that req can cost. The function it returns
// takes the end of the answer, and how many bytes of it had come, and bills
// the turn.
func (t *turn) reserve(ctx context.Context, req *openclaw.Request) (func(openclaw.ModelEvent, int), error) {
	charge := openclaw.Charge{
		Provider: t.choice.Provider, Model: t.choice.Name,
		Heartbeat: t.in.Started.Source == openclaw.SourceHeartbeat,
	}
	most := charge
	most.Usage = t.worst(req)
	settle, err := t.agent.config.Budget.Reserve(ctx, most)
	if err != nil {
		return nil, err
	}
	return func(end openclaw.ModelEvent, heard int) {
		switch {
		case end.Stop != "":
			charge.Usage = end.Usage
		case heard > 0: // it will be billed, though nobody has said how much
			charge.Usage, charge.Estimated = openclaw.Usage{Input: likely(req), Output: tokens(heard)}, true
		}
		t.bill(settle(charge), end.Stop != "")
	}, nil
}

// bill adds a charge to what the turn has used. The next event of the step
// carries it, or the end of the turn.
func (t *turn) bill(c openclaw.Charge, answered bool) {
	if c.Usage == (openclaw.Usage{}) && !answered {
		return // a call that failed at once costs nothing
	}
	*t.used = t.used.Add(c.Usage)
	if t.unpaid == nil {
		t.unpaid = &openclaw.Usage{}
	}
	*t.unpaid = t.unpaid.Add(c.Usage)
	*t.due = append(*t.due, c)
}

// What a request may hold beside its texts, in tokens: the frame that an API
// puts around each message and tool, and what it says of tools at all.
const (
	perMessage = 16
	perTool    = 32
	perRequest = 600
)

// maxAnswer stands for the longest answer of a model about which nothing is
// known.
const maxAnswer = 16_384

// thinks is what adapters let a model think on top of its answer.
var thinks = map[string]int{"low": 2048, "medium": 8192, "high": 24_576}

// worst returns what a call uses at the most: about two bytes a token for what
// is read, which no common text falls below, and the longest answer.
func (t *turn) worst(req *openclaw.Request) openclaw.Usage {
	longest := 0
	for _, m := range t.choice.Model.Models() {
		if m.ID == req.Model {
			longest = m.MaxTokens
		}
	}
	output := req.MaxTokens
	if output <= 0 {
		output = maxAnswer
	}
	output += thinks[req.Thinking]
	if longest > 0 {
		output = min(output, longest)
	}
	messages, n := weigh(req)
	return openclaw.Usage{Input: n/2 + perMessage*messages + perTool*len(req.Tools) + perRequest, Output: output}
}

// likely estimates what a request holds, in tokens.
func likely(req *openclaw.Request) int {
	_, n := weigh(req)
	return tokens(n)
}

// tokens estimates how many tokens there are in n bytes.
func tokens(n int) int { return (n + 3) / 4 }

// weigh returns the parts and the bytes of a request.
func weigh(req *openclaw.Request) (parts, bytes int) {
	bytes = len(req.System)
	for _, tool := range req.Tools {
		bytes += len(tool.Name) + len(tool.Description) + len(tool.Parameters)
	}
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			parts++
			bytes += size(p)
		}
	}
	return parts, bytes
}

func size(p openclaw.Part) int {
	n := len(p.Text) + len(p.Opaque)
	if p.Call != nil {
		n += len(p.Call.ID) + len(p.Call.Tool) + len(p.Call.Args)
	}
	if p.Result != nil {
		n += len(p.Result.CallID) + len(p.Result.Output)
	}
	return n
}
