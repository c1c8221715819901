package google

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
	more, err := r.read(yield)
	if !more {
		return false
	}
	if err == nil {
		if rest := r.ans.close(opaque{}); rest != "" && !yield(openclaw.ModelEvent{Delta: rest}, nil) {
			return false
		}
		err = r.verdict()
	}
	if err != nil {
		yield(openclaw.ModelEvent{}, err)
		return false
	}
	for _, p := range r.ans.done {
		if !yield(openclaw.ModelEvent{Part: &p}, nil) {
			return false
		}
	}
	return yield(r.ans.stop(r.req.Model), nil)
}

// read takes in the whole body: server-sent events, or the one document that a
// server sends which does not know "alt=sse".
func (r *reader) read(yield yield) (more bool, err error) {
	switch r.first() {
	case '{', '[':
		return r.document(yield)
	case '<':
		return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with a web page; check base_url")
	}
	// Only a blank line ends an event; a server may leave out the last one.
	body := io.MultiReader(r.body, strings.NewReader("\n\n"))
	for ev, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: endpoint.MaxEvent}) {
		if err != nil {
			return true, r.broken(err)
		}
		data := bytes.TrimSpace([]byte(ev.Data))
		if len(data) == 0 || bytes.HasPrefix(data, []byte("[DONE]")) {
			continue
		}
		if more, err := r.event(yield, data); err != nil || !more {
			return more, err
		}
		if r.ans.finish != "" {
			r.x.Within(endpoint.GraceTimeout)
		}
	}
	return true, r.ended()
}

// first returns the first byte that is no white space, 0 at the end.
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

// document reads an answer that is one JSON value: a chunk or a list of them.
func (r *reader) document(yield yield) (more bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r.body, endpoint.MaxAnswer+1))
	if err != nil {
		return true, r.x.Broken(err)
	}
	if len(data) > endpoint.MaxAnswer {
		return true, r.a.end.TooLarge()
	}
	chunks := []jsontext.Value{data}
	if data[0] == '[' && loose.Unmarshal(data, &chunks) != nil {
		return true, r.a.end.Cut(io.ErrUnexpectedEOF)
	}
	for _, c := range chunks {
		if more, err := r.event(yield, c); err != nil || !more {
			return more, err
		}
	}
	if !r.ans.seen && r.ans.blocked == nil {
		return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with something that is no Gemini answer; check base_url")
	}
	return true, r.ended()
}

// event takes one event in and yields the text in it.
func (r *reader) event(yield yield, data []byte) (more bool, err error) {
	var c chunk
	if err := loose.Unmarshal(data, &c); err != nil {
		if data[0] == '[' { // some errors come as a list
			return true, r.a.end.RefusedInStream(data, r.req.Model)
		}
		return true, r.a.end.Cut(err)
	}
	if loose.Says(c.Error) {
		return true, r.a.end.RefusedInStream(data, r.req.Model)
	}
	said := r.ans.add(&c)
	if r.ans.tooLarge() {
		return true, r.a.end.TooLarge()
	}
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// verdict says what is wrong with an answer that ended as it should.
func (r *reader) verdict() error {
	if b := r.ans.blocked; b != nil && !r.ans.seen {
		why := r.a.end.Clean(strings.TrimSpace(string(b.Reason + " " + b.Message)))
		return r.a.end.Failure(openclaw.FailureFilter, 0, "refused the content of the request ("+why+"); rephrase it")
	}
	switch r.ans.finish {
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL":
		if r.ans.calls == 0 && len(r.req.Tools) > 0 {
			r.ans.malformed()
		}
	case "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE":
		return r.a.end.Failure(openclaw.FailureBadRequest, 0, "stopped the answer ("+r.ans.finish+"); try again, or choose another model")
	case "OTHER":
		if len(r.ans.done) == 0 {
			return r.a.end.Failure(openclaw.FailureOverloaded, 0, "gave no answer and no reason; try again later")
		}
	}
	return nil
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
func (r *reader) ended() error {
	if r.ans.finish != "" || r.ans.blocked != nil && !r.ans.seen {
		return nil
	}
	if err := r.x.Cancelled(); err != nil {
		return err
	}
	return r.a.end.Cut(io.ErrUnexpectedEOF)
}
