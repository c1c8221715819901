package openai

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/tmaxmax/go-sse"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// reader turns the body of an accepted request into model events.
type reader struct {
	a    *Adapter
	req  *openclaw.Request
	x    *endpoint.Exchange
	body *bufio.Reader
	ans  *answer
}

func newReader(a *Adapter, req *openclaw.Request, x *endpoint.Exchange, body io.Reader) *reader {
	return &reader{a: a, req: req, x: x, body: bufio.NewReader(body), ans: newAnswer(a.end.Name(), req, a.newID)}
}

type yield = func(openclaw.ModelEvent, error) bool

// run yields all events of the answer, or those before an error and the
// error. It returns true when all of the answer was yielded.
func (r *reader) run(yield yield) bool {
	var more bool
	var err error
	switch first(r.body) {
	case '{', '[':
		more, err = r.document(yield)
	case '<':
		more, err = true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with a web page; check base_url, which usually ends in /v1")
	default:
		more, err = r.stream(yield)
	}
	if !more {
		return false
	}
	if err != nil {
		yield(openclaw.ModelEvent{}, err)
		return false
	}
	if rest := r.ans.text.End(); rest != "" && !yield(openclaw.ModelEvent{Delta: rest}, nil) {
		return false
	}
	for _, p := range r.ans.parts() {
		if !yield(openclaw.ModelEvent{Part: &p}, nil) {
			return false
		}
	}
	return yield(r.ans.stop(r.req.Model), nil)
}

// first returns the first byte that is no white space, 0 at the end. What the
// body is shows there and not in its content type, which servers get wrong.
func first(body *bufio.Reader) byte {
	for {
		b, err := body.ReadByte()
		if err != nil {
			return 0 // the error comes again with the next read
		}
		if strings.IndexByte(" \t\r\n\xEF\xBB\xBF", b) < 0 {
			_ = body.UnreadByte()
			return b
		}
	}
}

// document reads an answer that is one JSON value.
func (r *reader) document(yield yield) (more bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r.body, endpoint.MaxAnswer+1))
	if err != nil {
		return true, r.x.Broken(err)
	}
	if len(data) > endpoint.MaxAnswer {
		return true, r.a.end.TooLarge()
	}
	more, err = r.event(yield, "", data)
	if err != nil || !more {
		return more, err
	}
	if r.ans.choices == 0 {
		return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with something that is no chat completion; check base_url")
	}
	return true, nil
}

// stream reads server-sent events up to the end mark or the end of the body.
func (r *reader) stream(yield yield) (more bool, err error) {
	// Only a blank line ends an event; a server may leave out the last one.
	body := io.MultiReader(r.body, strings.NewReader("\n\n"))
	for ev, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: endpoint.MaxEvent}) {
		if err != nil {
			return true, r.broken(err)
		}
		data := bytes.TrimSpace([]byte(ev.Data))
		if len(data) == 0 {
			continue
		}
		if bytes.HasPrefix(data, []byte("[DONE]")) {
			return true, r.ended(true)
		}
		if more, err := r.event(yield, ev.Type, data); err != nil || !more {
			return more, err
		}
		if r.ans.finish != "" {
			r.x.Within(endpoint.GraceTimeout)
		}
	}
	return true, r.ended(false)
}

// event takes one event in and yields the text in it.
func (r *reader) event(yield yield, name string, data []byte) (more bool, err error) {
	var c chunk
	if err := loose.Unmarshal(data, &c); err != nil {
		if data[0] == '[' { // one server sends its errors as a list
			return true, r.a.end.RefusedInStream(data, r.req.Model)
		}
		return true, r.a.end.Cut(err)
	}
	if fail := c.failure(name, data); fail != nil {
		return true, r.a.end.RefusedInStream(fail, r.req.Model)
	}
	said := r.ans.add(&c)
	if r.ans.tooLarge() {
		return true, r.a.end.TooLarge()
	}
	if r.ans.finish == "error" || r.ans.finish == "insufficient_system_resource" {
		return true, r.a.end.Failure(openclaw.FailureOverloaded, 0, "stopped in the middle of the answer; try again later")
	}
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// broken says what a failed read means.
func (r *reader) broken(err error) error {
	switch {
	case r.x.Cancelled() != nil:
		return r.x.Cancelled()
	case errors.Is(err, bufio.ErrTooLong), endpoint.Runaway(err):
		return r.a.end.TooLarge()
	case r.ans.finish != "":
		return nil // all that matters has come
	case r.x.Silent():
		return r.x.Broken(err)
	}
	return r.a.end.Cut(err)
}

// ended says whether the answer may end where the stream does.
func (r *reader) ended(marked bool) error {
	if r.ans.finish != "" || marked && r.ans.complete() {
		return nil
	}
	if err := r.x.Cancelled(); err != nil {
		return err
	}
	return r.a.end.Cut(io.ErrUnexpectedEOF)
}
