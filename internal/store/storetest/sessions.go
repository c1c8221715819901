package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

func testSummary(t *testing.T, open Open) {
	s := start(t, open)
	at := func(seq int) time.Time { return noon.Add(time.Duration(seq) * time.Second) }
	usage := openclaw.Usage{Input: 100, Output: 20, CacheRead: 90, CostUSD: 0.5}
	for i, step := range []struct {
		body openclaw.Body
		want openclaw.SessionInfo
	}{
		{asked("first"), openclaw.SessionInfo{Turns: 1}},
		{openclaw.TextWritten{Text: "x", Step: openclaw.Step{Usage: &usage}}, openclaw.SessionInfo{Turns: 1}},
		{openclaw.TurnCompleted{Usage: usage}, openclaw.SessionInfo{Turns: 1, TokensUsed: 120}},
		{openclaw.Compacted{BeforeSeq: 3, Summary: "s"}, openclaw.SessionInfo{Turns: 1, TokensUsed: 120, ContextSeq: 4}},
		{asked("second"), openclaw.SessionInfo{Turns: 2, TokensUsed: 120, ContextSeq: 4}},
		{openclaw.TurnFailed{Code: openclaw.CodeTimeout, Usage: usage}, openclaw.SessionInfo{Turns: 2, TokensUsed: 240, ContextSeq: 4}},
		{asked("third"), openclaw.SessionInfo{Turns: 3, TokensUsed: 240, ContextSeq: 4}},
		{openclaw.TurnCancelled{Usage: usage}, openclaw.SessionInfo{Turns: 3, TokensUsed: 360, ContextSeq: 4}},
		{openclaw.Compacted{BeforeSeq: 8}, openclaw.SessionInfo{Turns: 3, TokensUsed: 360, ContextSeq: 9}},
	} {
		seq := i + 1
		mustAppend(t, s, log("main", int64(seq), step.body))
		want := step.want
		want.Name, want.Title, want.LastSeq = "main", "first", int64(seq)
		want.CreatedAt, want.UpdatedAt = at(1), at(seq)
		wantEqual(t, fmt.Sprintf("after seq %d", seq), want, mustSession(t, s, "main"))
	}

	// The same events in one append come to the same.
	want := mustSession(t, s, "main")
	events := mustEvents(t, s, "main")
	for i := range events {
		events[i].Session = "copy"
	}
	mustAppend(t, s, events)
	want.Name = "copy"
	wantEqual(t, "one append", want, mustSession(t, s, "copy"))
}

func testTitle(t *testing.T, open Open) {
	s := start(t, open)
	for name, tt := range map[string]struct {
		bodies []openclaw.Body
		want   string
	}{
		"short":      {[]openclaw.Body{asked("hello there")}, "hello there"},
		"first":      {[]openclaw.Body{asked("one"), answered(1, 0), asked("two")}, "one"},
		"lines":      {[]openclaw.Body{asked("\n  \r\n top \r\nrest")}, "top"},
		"long":       {[]openclaw.Body{asked(strings.Repeat("é", 200))}, strings.Repeat("é", 80)},
		"exact":      {[]openclaw.Body{asked(strings.Repeat("日", 80))}, strings.Repeat("日", 80)},
		"terminal":   {[]openclaw.Body{asked("a\x1b[31mb\x07")}, "a [31mb"},
		"not UTF-8":  {[]openclaw.Body{asked("a\xffb")}, "a\uFFFDb"},
		"no text":    {[]openclaw.Body{asked(""), answered(1, 0), asked("later")}, "later"},
		"never text": {[]openclaw.Body{openclaw.TextWritten{Text: "x"}}, ""},
	} {
		mustAppend(t, s, log(name, 1, tt.bodies...))
		if got := mustSession(t, s, name).Title; got != tt.want {
			t.Errorf("%s: title %q, want %q", name, got, tt.want)
		}
	}
}

func testUnknownSession(t *testing.T, open Open) {
	s := start(t, open)
	_, err := s.Session(t.Context(), "nobody")
	wantCode(t, err, openclaw.CodeSessionNotFound)
	if n, err := s.Count(t.Context()); n != 0 || err != nil {
		t.Errorf("Count: %d, %v; want 0", n, err)
	}
	if list, next, err := s.Sessions(t.Context(), "", 10); len(list) != 0 || next != "" || err != nil {
		t.Errorf("Sessions of an empty store: %v, %q, %v", list, next, err)
	}
}

// pages reads the list in pages of size and calls between after each.
func pages(t *testing.T, s Store, size int, between func(page int)) []string {
	t.Helper()
	var names []string
	after := ""
	for page := 1; ; page++ {
		list, next, err := s.Sessions(t.Context(), after, size)
		if err != nil {
			t.Fatalf("page %d: %v", page, err)
		}
		for _, info := range list {
			names = append(names, info.Name)
		}
		if next == "" {
			return names
		}
		if len(list) != size {
			t.Fatalf("page %d has %d sessions and is not the last, want %d", page, len(list), size)
		}
		if between != nil {
			between(page)
		}
		after = next
	}
}

func testPages(t *testing.T, open Open) {
	s := start(t, open)
	var want []string
	for i := range 23 {
		events := log(fmt.Sprintf("s%02d", i), 1, asked("x"))
		// Threes share a time, so a page can end between equals.
		events[0].Time = noon.Add(time.Duration(i/3) * time.Minute)
		mustAppend(t, s, events)
		want = append([]string{events[0].Session}, want...)
	}
	for _, size := range []int{1, 2, 3, 5, 22, 23, 24} {
		wantEqual(t, fmt.Sprintf("pages of %d", size), want, pages(t, s, size, nil))
	}
	list, next, err := s.Sessions(t.Context(), "", 0)
	if err != nil || next != "" || len(list) != len(want) {
		t.Errorf("limit 0: %d sessions, next %q, %v; want all", len(list), next, err)
	}
}

func testPagesWhileChanging(t *testing.T, open Open) {
	s := start(t, open)
	for i := range 12 {
		events := log(fmt.Sprintf("s%02d", i), 1, asked("x"))
		events[0].Time = noon.Add(time.Duration(i) * time.Minute)
		mustAppend(t, s, events)
	}
	names := pages(t, s, 3, func(page int) {
		if page > 1 {
			return
		}
		// s10 has been listed and s02 has not: both move to the front.
		for _, name := range []string{"s10", "s02"} {
			events := log(name, 2, answered(1, 0))
			events[0].Time = noon.Add(time.Hour)
			mustAppend(t, s, events)
		}
		// A clock that was set back moves nobody.
		events := log("s11", 2, answered(1, 0))
		events[0].Time = noon.Add(-time.Hour)
		mustAppend(t, s, events)
		if err := s.Delete(t.Context(), "s05"); err != nil {
			t.Fatal(err)
		}
	})
	wantEqual(t, "names", []string{"s11", "s10", "s09", "s08", "s07", "s06", "s04", "s03", "s01", "s00"}, names)
}

func testBadCursor(t *testing.T, open Open) {
	s := start(t, open)
	for _, after := range []string{"x", "main", "....", " ", "AAAA====", strings.Repeat("a", 5000), "' OR 1=1 --"} {
		_, _, err := s.Sessions(t.Context(), after, 10)
		wantCode(t, err, openclaw.CodeInvalidMessage)
	}
}

func testKeyed(t *testing.T, open Open) {
	s := start(t, open)
	keyed := func(key string) openclaw.Body {
		return openclaw.TurnStarted{Text: "x", IdempotencyKey: key}
	}
	mustAppend(t, s, log("main", 1, keyed("a"), answered(1, 0), keyed("b"), answered(1, 0), keyed("a"), answered(1, 0), asked("no key")))
	mustAppend(t, s, log("other", 1, asked("x"), answered(1, 0), keyed("c")))
	at := func(seq int) time.Time { return noon.Add(time.Duration(seq) * time.Second) }
	for _, tt := range []struct {
		session, key string
		since        time.Time
		want         int64
	}{
		{"main", "a", noon, 5},
		{"main", "a", at(5), 5},
		{"main", "a", at(5).Add(time.Microsecond), 0},
		{"main", "b", at(3), 3},
		{"main", "b", at(4), 0},
		{"main", "c", noon, 0},
		{"main", "", noon, 0},
		{"other", "a", noon, 0},
		{"other", "c", time.Time{}, 3},
		{"nobody", "a", noon, 0},
	} {
		got, err := s.Keyed(t.Context(), tt.session, tt.key, tt.since)
		if err != nil || got != tt.want {
			t.Errorf("Keyed(%s, %q, %v): %d, %v; want %d", tt.session, tt.key, tt.since, got, err, tt.want)
		}
	}
}
