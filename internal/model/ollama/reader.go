package ollama

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// line is one line of a stream. Only what is read is declared; the rest is
// ignored.
type line struct {
	Model   loose.Text     `json:"model"`
	Message message        `json:"message"`
	Done    loose.Flag     `json:"done"`
	Reason  loose.Text     `json:"done_reason"`
	Read    loose.Count    `json:"prompt_eval_count"`
	Written loose.Count    `json:"eval_count"`
	Error   jsontext.Value `json:"error"`
}

type message struct {
	Content  loose.Piece `json:"content"`
	Thinking loose.Piece `json:"thinking"`
	Calls    []struct {
		ID       loose.Text `json:"id"`
		Function struct {
			Name loose.Text `json:"name"`
			Args loose.Text `json:"arguments"` // an object; a string is taken for its text
		} `json:"function"`
	} `json:"tool_calls"`
}

// reader turns the body of an accepted request into model events.
type reader struct {
	a     *Adapter
	req   *openclaw.Request
	asked string // the model's name as it was asked for
	x     *endpoint.Exchange
	body  io.Reader
	ids   loose.IDs

	text, thinking loose.Running
	order          []any // *loose.Running or openclaw.Part, as they first appeared
	calls, size    int

	last  *line // the one that says done
	model string
}

type yield = func(openclaw.ModelEvent, error) bool

// run yields all events of the answer, or those before an error and the
// error. It returns true when all of the answer was yielded.
func (r *reader) run(yield yield) bool {
	more, err := r.read(yield)
	if !more {
		return false
	}
	if err != nil {
		yield(openclaw.ModelEvent{}, err)
		return false
	}
	if rest := r.text.End(); rest != "" && !yield(openclaw.ModelEvent{Delta: rest}, nil) {
		return false
	}
	r.thinking.End()
	for _, p := range r.parts() {
		if !yield(openclaw.ModelEvent{Part: &p}, nil) {
			return false
		}
	}
	return yield(r.stop(), nil)
}

// read takes in all lines.
func (r *reader) read(yield yield) (more bool, err error) {
	lines := bufio.NewScanner(r.body)
	lines.Buffer(nil, endpoint.MaxEvent)
	for r.last == nil && lines.Scan() {
		data := bytes.TrimSpace(lines.Bytes())
		if len(data) == 0 {
			continue
		}
		if data[0] == '<' {
			return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with a web page; check base_url")
		}
		if more, err := r.line(yield, data); err != nil || !more {
			return more, err
		}
	}
	switch err := lines.Err(); {
	case r.last != nil:
		return true, nil
	case r.x.Cancelled() != nil:
		return true, r.x.Cancelled()
	case errors.Is(err, bufio.ErrTooLong):
		return true, r.a.end.TooLarge()
	case err != nil:
		return true, r.x.Broken(err)
	}
	return true, r.a.end.Cut(io.ErrUnexpectedEOF)
}

// line takes one line in and yields the text in it.
func (r *reader) line(yield yield, data []byte) (more bool, err error) {
	var l line
	if err := loose.Unmarshal(data, &l); err != nil {
		return true, r.a.end.Cut(err)
	}
	if loose.Says(l.Error) {
		return true, r.failed(data)
	}
	r.model = cmp.Or(string(l.Model), r.model)
	r.write(&r.thinking, l.Message.Thinking)
	said := r.write(&r.text, l.Message.Content)
	for _, c := range l.Message.Calls {
		r.call(string(c.ID), string(c.Function.Name), string(c.Function.Args))
	}
	if r.size > endpoint.MaxAnswer || r.calls > endpoint.MaxCalls {
		return true, r.a.end.TooLarge()
	}
	if l.Done {
		r.last = &l
	}
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// failed says what an error in place of a line means. A call that the server
// could not read itself goes back to the model, which can write it again.
func (r *reader) failed(data []byte) error {
	e := r.a.end.RefusedInStream(data, r.req.Model)
	if cause := e.Err.Error(); strings.Contains(cause, "error parsing tool call") && len(r.req.Tools) > 0 {
		r.call("", "", cause[strings.Index(cause, "error parsing tool call"):])
		r.last = &line{}
		return nil
	}
	return e
}

// write appends to one of the texts and returns what is new in it.
func (r *reader) write(to *loose.Running, p loose.Piece) string {
	if p != "" && !to.Begun() {
		r.order = append(r.order, to)
	}
	r.size += len(p)
	return to.Add(p)
}

func (r *reader) call(id, name, args string) {
	r.calls++
	r.size += len(args)
	r.order = append(r.order, openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{
		ID:   r.ids.Unique(id),
		Tool: cmp.Or(name, "unnamed"), // the agent answers that there is no such tool
		Args: loose.ObjectArgs(args),
	}})
}

// parts returns the finished parts in the order the model began them.
func (r *reader) parts() []openclaw.Part {
	var out []openclaw.Part
	for _, o := range r.order {
		switch o := o.(type) {
		case openclaw.Part:
			out = append(out, o)
		case *loose.Running:
			p := openclaw.Part{Kind: openclaw.PartText, Text: o.String()}
			if o == &r.thinking {
				p.Kind, p.Provider = openclaw.PartThinking, r.a.end.Name()
			}
			out = append(out, p)
		}
	}
	return out
}

// stop returns the last event.
func (r *reader) stop() openclaw.ModelEvent {
	ev := openclaw.ModelEvent{Stop: openclaw.StopEnd, Usage: openclaw.Usage{Input: int(r.last.Read), Output: int(r.last.Written)}}
	switch {
	case r.last.Reason == "length":
		ev.Stop = openclaw.StopLength
	case r.calls > 0:
		ev.Stop = openclaw.StopToolCall
	}
	if r.model != r.asked {
		ev.Model = r.model
	}
	return ev
}
