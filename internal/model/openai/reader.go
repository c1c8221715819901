package openai

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/tmaxmax/go-sse"

	"github.com/openclaw/openclaw-go"
)

// reader turns the body of an accepted request into model events.
type reader struct {
	a    *Adapter
	req  *openclaw.Request
	w    *watch
	body *bufio.Reader
	ans  *answer
}

func newReader(a *Adapter, req *openclaw.Request, w *watch, body io.Reader) *reader {
	return &reader{a: a, req: req, w: w, body: bufio.NewReader(watched{w, body}), ans: newAnswer(a.name, req, a.newID)}
}

type yield = func(openclaw.ModelEvent, error) bool

// run yields all events of the answer, or those before an error and the
// error. It returns true when all of the answer was yielded.
func (r *reader) run(yield yield) bool {
	var more bool
	var err error
	switch r.first() {
	case '{', '[':
		more, err = r.document(yield)
	case '<':
		more, err = true, r.a.failure(kindBadRequest, 0, "answered with a web page; check base_url, which usually ends in /v1")
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
	if rest := r.ans.text.end(); rest != "" && !yield(openclaw.ModelEvent{Delta: rest}, nil) {
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
func (r *reader) first() byte {
	for {
		b, err := r.body.ReadByte()
		if err != nil {
			return 0 // the error comes again with the next read
		}
		if strings.IndexByte(" \t\r\n\xEF\xBB\xBF", b) < 0 {
			_ = r.body.UnreadByte()
			return b
		}
	}
}

// document reads an answer that is one JSON value.
func (r *reader) document(yield yield) (more bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r.body, maxAnswer+1))
	if err != nil {
		return true, r.a.transportError(r.w, err)
	}
	if len(data) > maxAnswer {
		return true, r.a.tooLarge()
	}
	more, err = r.event(yield, "", data)
	if err != nil || !more {
		return more, err
	}
	if r.ans.choices == 0 {
		return true, r.a.failure(kindBadRequest, 0, "answered with something that is no chat completion; check base_url")
	}
	return true, nil
}

// stream reads server-sent events up to the end mark or the end of the body.
func (r *reader) stream(yield yield) (more bool, err error) {
	// Only a blank line ends an event; a server may leave out the last one.
	body := io.MultiReader(r.body, strings.NewReader("\n\n"))
	for ev, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: maxEvent}) {
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
			r.w.limit = graceTimeout
		}
	}
	return true, r.ended(false)
}

// event takes one event in and yields the text in it.
func (r *reader) event(yield yield, name string, data []byte) (more bool, err error) {
	var c chunk
	if err := tolerant(data, &c); err != nil {
		if data[0] == '[' { // one server sends its errors as a list
			return true, r.a.streamError(data, r.req.Model)
		}
		return true, r.a.cut(err)
	}
	if fail := c.failure(name, data); fail != nil {
		return true, r.a.streamError(fail, r.req.Model)
	}
	said := r.ans.add(&c)
	if r.ans.tooLarge() {
		return true, r.a.tooLarge()
	}
	if r.ans.finish == "error" || r.ans.finish == "insufficient_system_resource" {
		return true, r.a.failure(kindOverloaded, 0, "stopped in the middle of the answer; try again later")
	}
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// broken says what a failed read means.
func (r *reader) broken(err error) error {
	switch {
	case r.w.parent.Err() != nil:
		return r.w.parent.Err()
	case errors.Is(err, bufio.ErrTooLong), errors.Is(err, errRunaway):
		return r.a.tooLarge()
	case r.ans.finish != "":
		return nil // all that matters has come
	case r.w.silent():
		return r.a.transportError(r.w, err)
	}
	return r.a.cut(err)
}

// ended says whether the answer may end where the stream does.
func (r *reader) ended(marked bool) error {
	if r.ans.finish != "" || marked && r.ans.complete() {
		return nil
	}
	if err := r.w.parent.Err(); err != nil {
		return err
	}
	return r.a.cut(io.ErrUnexpectedEOF)
}

// drain reads the rest of the body, which is next to nothing, so that the
// connection can be used again; a server that keeps it open is not waited for.
func (r *reader) drain() {
	r.w.limit = drainTimeout
	_, _ = io.Copy(io.Discard, io.LimitReader(r.body, maxErrorBody))
}
