package openai

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// report is what an API says of an error.
type report struct {
	message, kind, code, param string
}

// words are all of a report in lower case, to look for wordings in.
func (r report) words() string {
	return strings.ToLower(strings.Join([]string{r.code, r.kind, r.param, r.message}, " "))
}

type wireReport struct {
	Error    jsontext.Value `json:"error"`
	Errors   jsontext.Value `json:"errors"`
	Detail   jsontext.Value `json:"detail"`
	Message  text           `json:"message"`
	Msg      text           `json:"msg"`
	Type     text           `json:"type"`
	Code     text           `json:"code"`
	Status   text           `json:"status"`
	Param    text           `json:"param"`
	Metadata jsontext.Value `json:"metadata"`
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
		if tolerant(body, &list) != nil || len(list) == 0 {
			return report{}
		}
		return readNested(list[0], depth-1)
	case kind == '"':
		var t text
		if t.UnmarshalJSON(body) != nil {
			return report{}
		}
		return report{message: string(t)}
	case kind != '{':
		return report{message: string(body)}
	}
	var w wireReport
	if tolerant(body, &w) != nil {
		return report{}
	}
	r := report{message: string(w.Message + w.Msg), kind: string(w.Type), code: string(w.Code), param: string(w.Param)}
	var behind struct { // OpenRouter: what the server behind it said
		Raw text `json:"raw"`
	}
	if len(w.Metadata) > 0 && tolerant(w.Metadata, &behind) == nil && behind.Raw != "" {
		r.message += ": " + string(behind.Raw)
	}
	if r.kind == "" {
		r.kind = string(w.Status)
	}
	for _, inner := range []jsontext.Value{w.Error, w.Errors, w.Detail} {
		if reports(inner) {
			r = r.within(readNested(inner, depth-1))
			break
		}
	}
	return r
}

// within returns the inner report, completed by the outer one.
func (r report) within(inner report) report {
	pick := func(in, out string) string {
		if in != "" {
			return in
		}
		return out
	}
	return report{
		message: pick(inner.message, r.message),
		kind:    pick(inner.kind, r.kind),
		code:    pick(inner.code, r.code),
		param:   pick(inner.param, r.param),
	}
}

// isOverflow knows the wordings, in lower case, by which servers say that a
// request is longer than the model's context.
func isOverflow(words string) bool {
	if containsAny(words, "per minute", "rate limit", "rate_limit") {
		// Groq, and OpenAI where one request alone is over the limit of a minute.
		return strings.Contains(words, "request too large")
	}
	if containsAny(words,
		"context_length_exceeded", "maximum context length", "reduce the length of the messages", // OpenAI, vLLM, Groq
		"exceed_context_size", "exceeds the available context size", // llama.cpp
		"context size has been exceeded", "context the overflows", "greater than the context length", // LM Studio
		"exceed context limit", "exceeds the context", "exceeded the context", "context window is full",
		"maximum context size", "maximum prompt length", "maximum model length",
		"prompt is too long", "prompt too long", "input is too long", "tokens_limit_reached",
	) {
		return true
	}
	return strings.Contains(words, "input token") && strings.Contains(words, "exceed") ||
		strings.Contains(words, "context window") && strings.Contains(words, "exceed")
}

// isUnknownModel knows those by which they say that there is no such model.
func isUnknownModel(words string) bool {
	return containsAny(words, "model_not_found", "model_decommissioned", "not a valid model", "model not exist",
		"invalid_model", "invalid model", "model not found") ||
		strings.Contains(words, "model") && strings.Contains(words, "does not exist")
}

// isUnpaid knows those by which they say that the account is empty, which
// waiting does not change.
func isUnpaid(words string) bool {
	return containsAny(words, "insufficient_quota", "insufficient balance", "insufficient_balance", "insufficient credits",
		"exceeded your current quota", "billing_hard_limit")
}
