// Package offline is a model without a network: it understands a small,
// documented set of requests and answers them by really calling the tools it is
// offered. It makes the first run real and gives tests a deterministic model.
// It never does anything itself and never pretends to be a language model.
//
// help.md is the documentation of what it understands, and its answer to
// "help"; testdata/phrases.txt has the wordings and the calls they lead to.
// Everything it says follows from the request it is given: from the last
// message of the user it makes a plan, compares it with the calls that were
// made since, and either makes the next ones or writes the answer from their
// results. A message that it understands only in part leads to no call at all.
//
// The package owns no state and starts no goroutine.
package offline

import (
	"context"
	"crypto/rand"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go"
)

// Name is the only model there is. It answers under any other name as well.
const Name = "offline"

// maxDeltas is the most pieces that an answer is streamed in.
const maxDeltas = 512

// Options are what a Model is made with; the zero value is good.
type Options struct {
	// NewID returns an identifier that no other call of any conversation has;
	// nil: a random one.
	NewID func() string
}

// Model implements openclaw.Model. Safe for concurrent use.
type Model struct {
	newID func() string
}

// New returns the offline model.
func New(o Options) *Model {
	if o.NewID == nil {
		o.NewID = func() string { return "call_" + rand.Text() }
	}
	return &Model{newID: o.NewID}
}

// Models lists the one model.
func (m *Model) Models() []openclaw.ModelInfo { return []openclaw.ModelInfo{{ID: Name}} }

// Stream answers req: with tool calls, or with a text in deltas of about a
// word. It does not block. The only errors are ctx's own and MODEL_ERROR for a
// request without a message of the user.
func (m *Model) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		end := openclaw.ModelEvent{Model: Name, Usage: openclaw.Usage{Input: inputTokens(req)}}
		send := func(ev openclaw.ModelEvent) bool {
			if err := ctx.Err(); err != nil {
				yield(openclaw.ModelEvent{}, err)
				return false
			}
			return yield(ev, nil)
		}
		calls, text, err := m.answer(req)
		if err != nil {
			yield(openclaw.ModelEvent{}, err)
			return
		}
		if len(calls) > 0 {
			size := 0
			for _, call := range calls {
				size += len(call.Tool) + len(call.Args)
				if !send(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartToolCall, Call: &call}}) {
					return
				}
			}
			end.Stop, end.Usage.Output = openclaw.StopToolCall, tokens(size)
			send(end)
			return
		}
		text, whole := fit(text, req.MaxTokens)
		for _, piece := range pieces(text) {
			if !send(openclaw.ModelEvent{Delta: piece}) {
				return
			}
		}
		if !send(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartText, Text: text}}) {
			return
		}
		end.Stop, end.Usage.Output = openclaw.StopEnd, tokens(len(text))
		if !whole {
			end.Stop = openclaw.StopLength
		}
		send(end)
	}
}

// answer returns what comes next: calls, or the text that ends the turn.
func (m *Model) answer(req *openclaw.Request) (calls []openclaw.Call, text string, err error) {
	c := read(req.Messages)
	if c.text == "" {
		return nil, "", &openclaw.Error{Code: openclaw.CodeModelError, Message: "the conversation has no message of the user to answer; send one"}
	}
	p := performance{script: plan(c.text, c.recall), conversation: c, catalog: readCatalog(req.System), offered: req.Tools}
	for _, call := range p.run() {
		calls = append(calls, openclaw.Call{ID: m.newID(), Tool: call.tool, Args: encode(call.args)})
	}
	if len(calls) > 0 {
		return calls, "", nil
	}
	return nil, p.text(), nil
}

// tokens estimates how many tokens a text of so many bytes has: a token for
// every four bytes, and one for what is left over.
func tokens(bytes int) int { return (bytes + 3) / 4 }

// inputTokens estimates the whole prompt: instructions, tools and messages.
func inputTokens(req *openclaw.Request) int {
	size := len(req.System)
	for _, t := range req.Tools {
		size += len(t.Name) + len(t.Description) + len(t.Parameters)
	}
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			size += len(p.Text)
			if p.Call != nil {
				size += len(p.Call.Tool) + len(p.Call.Args)
			}
			if p.Result != nil {
				size += len(p.Result.Output)
			}
		}
	}
	return tokens(size)
}

// fit cuts a text to so many tokens, at a line break where there is one, and
// says so at its end; whole is false then. 0 tokens are no bound.
func fit(text string, limit int) (fitting string, whole bool) {
	if limit <= 0 || tokens(len(text)) <= limit {
		return text, true
	}
	const note = "\n\n(The answer is cut here: it is longer than the token limit.)"
	size, end := limit*4, note
	if size < 2*len(note) {
		end = ""
	}
	size -= len(end)
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	if i := strings.LastIndexByte(text[:size], '\n'); i > size/2 {
		size = i
	}
	return text[:size] + end, false
}

// pieces divides a text for streaming: words with the white space after them,
// or larger pieces where a text has very many.
func pieces(text string) []string {
	var out []string
	least := len(text) / maxDeltas
	begin := 0
	for i := 1; i < len(text); i++ {
		if i-begin > least && isSpace(text[i-1]) && !isSpace(text[i]) {
			out = append(out, text[begin:i])
			begin = i
		}
	}
	if begin < len(text) {
		out = append(out, text[begin:])
	}
	return out
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }
