package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

// everyBody has one body of each kind that is stored, with what is hard to
// keep: markup, quotes, other scripts, NUL, raw JSON and large output.
var everyBody = []openclaw.Body{
	openclaw.TurnStarted{
		Source: openclaw.SourceSkill, User: "u", Channel: "c", Text: "<b>\"list\" & \x00 日本語 🦀\n", Prompt: "do it",
		Context: json.RawMessage(`{"a":[1,2],"b":"<&>"}`), IdempotencyKey: "k1",
		Options: openclaw.TurnOptions{Model: "p/m", MaxTokens: 9, Timeout: time.Minute, Approvals: true},
	},
	openclaw.TextWritten{Text: "looking", Step: openclaw.Step{
		N: 1, Usage: &openclaw.Usage{Input: 3, Output: 4, CacheRead: 2}, Opaque: json.RawMessage(`"sig+/="`), Provider: "p",
		Before: []openclaw.Part{{Kind: openclaw.PartThinking, Text: "hm", Opaque: json.RawMessage(`{"s":"<x>"}`), Provider: "p"}},
	}},
	openclaw.ToolCalled{CallID: "c1", Tool: "shell", Args: json.RawMessage(`{"command":"ls > /dev/null && echo é"}`)},
	openclaw.ApprovalRequested{ApprovalID: "a1", CallID: "c1", Tool: "shell", Args: json.RawMessage(`{}`), Reason: "r",
		ExpiresAt: noon.Add(5 * time.Minute)},
	openclaw.ApprovalResolved{ApprovalID: "a1", Decision: "once", By: "cli"},
	openclaw.ToolReturned{CallID: "c1", Tool: "shell", Output: strings.Repeat("line\n", 13_000), ExitCode: 137,
		Truncated: true, OutputBytes: 1 << 40, DurationMS: 12},
	openclaw.Compacted{BeforeSeq: 3, Summary: "so far"},
	openclaw.ModelSwitched{From: "a/b", To: "c/d/e", Reason: openclaw.FailureAuth},
	openclaw.TurnCompleted{Text: "done", Model: "m", DurationMS: 5, Usage: openclaw.Usage{Input: 10, Output: 5, CostUSD: 0.1}},
	openclaw.TurnFailed{Code: openclaw.CodeTimeout, Message: "too slow", RetryAfterMS: 7, Details: map[string]any{"n": 1.5}},
	openclaw.TurnCancelled{By: "cli", Usage: openclaw.Usage{Output: 2}},
}

func testRoundTrip(t *testing.T, open Open) {
	s := start(t, open)
	want := log("main", 1, everyBody...)
	want[1].RequestID = ""
	mustAppend(t, s, want)
	got := mustEvents(t, s, "main")
	wantEqual(t, "events", want, got)
	for _, e := range got {
		if e.Time.Location() != time.UTC {
			t.Errorf("seq %d has a time in %v, want UTC", e.Seq, e.Time.Location())
		}
	}
}

func testRanges(t *testing.T, open Open) {
	s := start(t, open)
	var bodies []openclaw.Body
	for i := range 10 {
		bodies = append(bodies, openclaw.TextWritten{Text: fmt.Sprint(i + 1)})
	}
	mustAppend(t, s, log("main", 1, bodies...))
	mustAppend(t, s, log("other", 1, bodies[:3]...))
	stored, err := json.Marshal(bodies[0])
	if err != nil {
		t.Fatal(err)
	}
	each := len(stored)
	for _, tt := range []struct {
		r    openclaw.EventRange
		want []int64
	}{
		{openclaw.EventRange{}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{openclaw.EventRange{After: 7}, []int64{8, 9, 10}},
		{openclaw.EventRange{After: 10}, nil},
		{openclaw.EventRange{After: 99}, nil},
		{openclaw.EventRange{Before: 3}, []int64{1, 2}},
		{openclaw.EventRange{Before: 1}, nil},
		{openclaw.EventRange{After: 2, Before: 6}, []int64{3, 4, 5}},
		{openclaw.EventRange{After: 5, Before: 6}, nil},
		{openclaw.EventRange{Limit: 2}, []int64{1, 2}},
		{openclaw.EventRange{Limit: 99}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{openclaw.EventRange{Limit: 2, Newest: true}, []int64{9, 10}},
		{openclaw.EventRange{Newest: true}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{openclaw.EventRange{Before: 5, Limit: 3, Newest: true}, []int64{2, 3, 4}},
		{openclaw.EventRange{After: 3, Before: 9, Limit: 2}, []int64{4, 5}},
		{openclaw.EventRange{After: 3, Before: 9, Limit: 2, Newest: true}, []int64{7, 8}},
		{openclaw.EventRange{Bytes: 1}, []int64{1}},
		{openclaw.EventRange{Bytes: 1, Newest: true}, []int64{10}},
		{openclaw.EventRange{Bytes: 2*each + 1}, []int64{1, 2}},
		{openclaw.EventRange{After: 4, Bytes: 2 * each}, []int64{5, 6}},
		{openclaw.EventRange{Before: 9, Bytes: 2 * each, Newest: true}, []int64{7, 8}},
		{openclaw.EventRange{Bytes: 2 * each, Limit: 1}, []int64{1}},
		{openclaw.EventRange{Bytes: 1 << 20}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		events, err := s.Events(t.Context(), "main", tt.r)
		if err != nil {
			t.Fatalf("%+v: %v", tt.r, err)
		}
		var seqs []int64
		for _, e := range events {
			seqs = append(seqs, e.Seq)
			if b := e.Body.(openclaw.TextWritten); e.Session != "main" || b.Text != fmt.Sprint(e.Seq) {
				t.Errorf("%+v: seq %d is %q of %s", tt.r, e.Seq, b.Text, e.Session)
			}
		}
		wantEqual(t, fmt.Sprintf("%+v", tt.r), tt.want, seqs)
	}
	if events, err := s.Events(t.Context(), "nobody", openclaw.EventRange{}); err != nil || len(events) != 0 {
		t.Errorf("events of a session that is not there: %v, %v", events, err)
	}
}

func testRefusals(t *testing.T, open Open) {
	text := openclaw.TextWritten{Text: "x"}
	one := func(seq int64, b openclaw.Body) []openclaw.Event { return log("main", seq, b) }
	for name, events := range map[string][]openclaw.Event{
		"seq again":        one(2, text),
		"old seq":          one(1, text),
		"gap":              one(4, text),
		"seq 0":            one(0, text),
		"negative seq":     one(-1, text),
		"new, not first":   log("fresh", 2, text),
		"gap inside":       slices.Concat(one(3, text), one(5, text)),
		"repeat inside":    slices.Concat(one(3, text), one(3, text)),
		"two sessions":     slices.Concat(one(3, text), log("fresh", 1, text)),
		"no session":       log("", 1, text),
		"delta":            one(3, openclaw.Delta{Text: "x"}),
		"no body":          one(3, nil),
		"pointer":          one(3, &text),
		"broken JSON":      one(3, openclaw.ToolCalled{Args: json.RawMessage(`{"a":`)}),
		"bad after a good": slices.Concat(one(3, text), one(4, openclaw.Delta{})),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, open)
			want := log("main", 1, asked("hello"), text)
			mustAppend(t, s, want)
			before := mustSession(t, s, "main")
			wantCode(t, s.Append(t.Context(), events), openclaw.CodeInternal)
			wantEqual(t, "events", want, mustEvents(t, s, "main"))
			wantEqual(t, "session", before, mustSession(t, s, "main"))
			if n, err := s.Count(t.Context()); n != 1 || err != nil {
				t.Errorf("Count: %d, %v; want 1", n, err)
			}
			mustAppend(t, s, one(3, text))
		})
	}
}

func testAtomicAppend(t *testing.T, open Open) {
	s := start(t, open)
	if err := s.Append(t.Context(), nil); err != nil {
		t.Errorf("appending nothing: %v", err)
	}
	events := log("main", 1, asked("one"), openclaw.TextWritten{Text: "two"})
	mustAppend(t, s, events)
	want := slices.Clone(events)
	clear(events) // the store must not keep the caller's slice
	wantEqual(t, "events", want, mustEvents(t, s, "main"))
}

func testDelete(t *testing.T, open Open) {
	s := start(t, open)
	mustAppend(t, s, log("main", 1, asked("one"), answered(5, 0)))
	kept := log("other", 1, asked("two"), answered(6, 0))
	mustAppend(t, s, kept)
	if err := s.Delete(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Session(t.Context(), "main")
	wantCode(t, err, openclaw.CodeSessionNotFound)
	wantCode(t, s.Delete(t.Context(), "main"), openclaw.CodeSessionNotFound)
	if events := mustEvents(t, s, "main"); len(events) != 0 {
		t.Errorf("a deleted session has events: %v", events)
	}
	wantEqual(t, "the other session's events", kept, mustEvents(t, s, "other"))
	if n, err := s.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("Count: %d, %v; want 1", n, err)
	}

	// The name is free, and nothing of the old session shows through.
	again := log("main", 1, asked("three"))
	mustAppend(t, s, again)
	wantEqual(t, "events", again, mustEvents(t, s, "main"))
	if info := mustSession(t, s, "main"); info.Title != "three" || info.Turns != 1 || info.TokensUsed != 0 {
		t.Errorf("a session made again has the old summary: %+v", info)
	}
}
