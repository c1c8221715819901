package openai

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"github.com/tmaxmax/go-sse"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// responsesReader turns the body of an accepted request into model events.
type responsesReader struct {
	a    *Adapter
	req  *openclaw.Request
	x    *endpoint.Exchange
	body *bufio.Reader
	ans  *responseAnswer
}

func newResponsesReader(a *Adapter, req *openclaw.Request, x *endpoint.Exchange, body io.Reader) *responsesReader {
	ans := &responseAnswer{provider: a.end.Name(), ids: loose.IDs{Make: a.newID}}
	ans.ids.Taken(req.Messages)
	return &responsesReader{a: a, req: req, x: x, body: bufio.NewReader(body), ans: ans}
}

// run yields all events of the answer, or those before an error and the
// error. It returns true when all of the answer was yielded.
func (r *responsesReader) run(yield yield) bool {
	more, err := r.read(yield)
	if !more {
		return false
	}
	if err != nil {
		yield(openclaw.ModelEvent{}, err)
		return false
	}
	if rest := r.ans.closeText(); rest != "" && !yield(openclaw.ModelEvent{Delta: rest}, nil) {
		return false
	}
	for _, p := range r.ans.parts() {
		if !yield(openclaw.ModelEvent{Part: &p}, nil) {
			return false
		}
	}
	return yield(r.ans.stop(r.req.Model), nil)
}

// read takes in the events up to the one that ends the answer, or the one
// document of an endpoint that does not stream.
func (r *responsesReader) read(yield yield) (more bool, err error) {
	switch first(r.body) {
	case '{', '[':
		return r.document(yield)
	case '<':
		return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with a web page; check base_url, which usually ends in /v1")
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
		if more, err := r.event(yield, ev.Type, data); err != nil || !more {
			return more, err
		}
		if r.ans.ended {
			return true, nil
		}
	}
	return true, r.broken(io.ErrUnexpectedEOF)
}

func (r *responsesReader) document(yield yield) (more bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r.body, endpoint.MaxAnswer+1))
	if err != nil {
		return true, r.x.Broken(err)
	}
	var whole response
	switch err := loose.Unmarshal(data, &whole); {
	case len(data) > endpoint.MaxAnswer:
		return true, r.a.end.TooLarge()
	case err != nil || loose.Says(whole.Error):
		return true, r.a.end.RefusedInStream(data, r.req.Model)
	case whole.Status == "":
		return true, r.a.end.Failure(openclaw.FailureBadRequest, 0, "answered with something that is no response; check base_url")
	}
	said := r.ans.end(&whole)
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// event takes one event in and yields the text in it.
func (r *responsesReader) event(yield yield, name string, data []byte) (more bool, err error) {
	var e responseEvent
	if err := loose.Unmarshal(data, &e); err != nil {
		return true, r.a.end.Cut(err)
	}
	e.Type = cmp.Or(e.Type, loose.Text(name))
	switch {
	case e.Type == "error", loose.Says(e.Error):
		return true, r.a.end.RefusedInStream(data, r.req.Model)
	case e.Type == "response.failed", e.Response != nil && e.Response.Status == "failed":
		if e.Response == nil || !loose.Says(e.Response.Error) {
			return true, r.a.end.Failure(openclaw.FailureOverloaded, 0, "failed in the middle of the answer; try again later")
		}
		return true, r.a.end.RefusedInStream(e.Response.Error, r.req.Model)
	}
	said := r.ans.add(&e)
	if r.ans.tooLarge() {
		return true, r.a.end.TooLarge()
	}
	return said == "" || yield(openclaw.ModelEvent{Delta: said}, nil), nil
}

// broken says what a failed read means.
func (r *responsesReader) broken(err error) error {
	switch {
	case r.x.Cancelled() != nil:
		return r.x.Cancelled()
	case errors.Is(err, bufio.ErrTooLong), endpoint.Runaway(err):
		return r.a.end.TooLarge()
	case r.x.Silent():
		return r.x.Broken(err)
	}
	return r.a.end.Cut(err)
}
