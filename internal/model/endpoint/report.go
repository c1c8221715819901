package endpoint

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// report is what an API says of an error.
type report struct {
	message, kind, code, param string

	reason string        // Google's, finer than the code
	wait   time.Duration // Google's RetryInfo
}

// words are all of a report in lower case, to look for wordings in.
func (r report) words() string {
	return strings.ToLower(strings.Join([]string{r.code, r.kind, r.param, r.reason, r.message}, " "))
}

type wireReport struct {
	Error    jsontext.Value `json:"error"`
	Errors   jsontext.Value `json:"errors"`
	Detail   jsontext.Value `json:"detail"`
	Message  loose.Text     `json:"message"`
	Msg      loose.Text     `json:"msg"`
	Type     loose.Text     `json:"type"`
	Code     loose.Text     `json:"code"`
	Status   loose.Text     `json:"status"`
	Param    loose.Text     `json:"param"`
	Metadata jsontext.Value `json:"metadata"`
	Details  jsontext.Value `json:"details"`
}

// readReport finds the report in the body of an error. Known forms are
// {"error":{…}}, {"error":"…"}, the report without a wrapper, a list of any of
// them, and plain text.
func readReport(body []byte) report {
	return readNested(bytes.TrimSpace(body), 4)
}

func readNested(body []byte, depth int) report {
	v := jsontext.Value(body)
	switch kind := v.Kind(); {
	case len(body) == 0 || depth == 0 || body[0] == '<':
		return report{}
	case kind == '[':
		var list []jsontext.Value
		if loose.Unmarshal(body, &list) != nil || len(list) == 0 {
			return report{}
		}
		return readNested(list[0], depth-1)
	case kind == '"':
		var t loose.Text
		if t.UnmarshalJSON(body) != nil {
			return report{}
		}
		return report{message: string(t)}
	case kind != '{':
		return report{message: string(body)}
	}
	var w wireReport
	if loose.Unmarshal(body, &w) != nil {
		return report{}
	}
	r := w.report()
	for _, inner := range []jsontext.Value{w.Error, w.Errors, w.Detail} {
		if loose.Says(inner) {
			return r.within(readNested(inner, depth-1))
		}
	}
	return r
}

// report is what one level of a report says.
func (w *wireReport) report() report {
	r := report{message: string(w.Message + w.Msg), kind: string(w.Type), code: string(w.Code), param: string(w.Param)}
	var behind struct { // OpenRouter: what the server behind it said
		Raw loose.Text `json:"raw"`
	}
	if len(w.Metadata) > 0 && loose.Unmarshal(w.Metadata, &behind) == nil && behind.Raw != "" {
		r.message += ": " + string(behind.Raw)
	}
	if r.kind == "" {
		r.kind = string(w.Status)
	}
	var details []struct { // Google's
		Reason     loose.Text `json:"reason"`
		RetryDelay loose.Text `json:"retryDelay"`
	}
	if w.Details.Kind() == '[' && loose.Unmarshal(w.Details, &details) == nil {
		for _, d := range details {
			r.reason = cmp.Or(r.reason, string(d.Reason))
			if wait, ok := seconds(strings.TrimSuffix(string(d.RetryDelay), "s"), time.Second); ok {
				r.wait = max(r.wait, wait)
			}
		}
	}
	return r
}

// within returns the inner report, completed by the outer one.
func (r report) within(inner report) report {
	return report{
		message: cmp.Or(inner.message, r.message),
		kind:    cmp.Or(inner.kind, r.kind),
		code:    cmp.Or(inner.code, r.code),
		param:   cmp.Or(inner.param, r.param),
		reason:  cmp.Or(inner.reason, r.reason),
		wait:    max(inner.wait, r.wait),
	}
}
