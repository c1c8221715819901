package modeltest

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go"
)

// event is what a model yields at once.
type event struct {
	ev  openclaw.ModelEvent
	err error
}

func said(events ...event) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		for _, e := range events {
			if !yield(e.ev, e.err) {
				return
			}
		}
	}
}

func delta(s string) event { return event{ev: openclaw.ModelEvent{Delta: s}} }
func part(p openclaw.Part) event {
	return event{ev: openclaw.ModelEvent{Part: &p}}
}
func text(s string) event { return part(openclaw.Part{Kind: openclaw.PartText, Text: s}) }
func call(id, tool, args string) event {
	return part(openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: id, Tool: tool, Args: []byte(args)}})
}
func fail(err error) event { return event{err: err} }

var stop = event{ev: openclaw.ModelEvent{Stop: openclaw.StopEnd}}

func TestGatherFindsBreaches(t *testing.T) {
	unavailable := &openclaw.Error{Code: openclaw.CodeModelUnavailable, Message: "later"}
	tests := []struct {
		name   string
		events []event
		breach string // "": none
	}{
		{"a text", []event{delta("a"), delta("b"), text("ab"), stop}, ""},
		{"calls", []event{call("1", "f", "{}"), call("2", "f", ` {"x":1}`), stop}, ""},
		{"an error", []event{delta("a"), fail(unavailable)}, ""},
		{"a context's error", []event{fail(context.Canceled)}, ""},
		{"nothing", nil, "neither"},
		{"no stop", []event{text("a")}, "neither"},
		{"two stops", []event{stop, stop}, "after the last"},
		{"more after an error", []event{fail(unavailable), delta("a")}, "after the last"},
		{"an empty event", []event{{}, stop}, "sets 0"},
		{"two in one", []event{{ev: openclaw.ModelEvent{Delta: "a", Stop: openclaw.StopEnd}}}, "sets 2"},
		{"usage early", []event{{ev: openclaw.ModelEvent{Delta: "a", Usage: openclaw.Usage{Input: 1}}}, text("a"), stop}, "before the Stop"},
		{"deltas differ", []event{delta("a"), text("b"), stop}, "the deltas say"},
		{"an empty text", []event{text(""), stop}, "empty text"},
		{"an id twice", []event{call("1", "f", "{}"), call("1", "f", "{}"), stop}, "occurs twice"},
		{"no id", []event{call("", "f", "{}"), stop}, "without id"},
		{"arguments no object", []event{call("1", "f", "[]"), stop}, "no JSON object"},
		{"arguments no JSON", []event{call("1", "f", "{"), stop}, "no JSON object"},
		{"a strange part", []event{part(openclaw.Part{Kind: openclaw.PartToolResult}), stop}, "no part of kind"},
		{"opaque of nobody", []event{part(openclaw.Part{Kind: openclaw.PartThinking, Opaque: []byte("1")}), stop}, "opaque"},
		{"negative usage", []event{{ev: openclaw.ModelEvent{Stop: openclaw.StopEnd, Usage: openclaw.Usage{Input: -1}}}}, "negative"},
		{"another's code", []event{fail(&openclaw.Error{Code: openclaw.CodeNotFound, Message: "m"})}, "NOT_FOUND"},
		{"no message", []event{fail(&openclaw.Error{Code: openclaw.CodeModelError})}, "without a message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, breach := Gather(said(tt.events...))
			if tt.breach == "" && breach != nil || tt.breach != "" && (breach == nil || !strings.Contains(breach.Error(), tt.breach)) {
				t.Errorf("got %v, want %q", breach, tt.breach)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	a, _ := Gather(said(delta("Hi"), text("Hi"), call("1", "f", "{}"), stop))
	if a.Text() != "Hi" || len(a.Calls()) != 1 || a.Kind() != "" {
		t.Errorf("got %+v", a)
	}
	a, _ = Gather(said(fail(errors.Join(&openclaw.Error{Code: openclaw.CodeModelError, Message: "m", Details: map[string]any{"kind": "auth"}}))))
	if a.Kind() != "auth" {
		t.Errorf("kind %q", a.Kind())
	}
}
