package storetest

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

// testUnread: what was marked stays so across a restart, never goes back, and
// goes with its session.
func testUnread(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	say := func(session string, seq int64, minute int) {
		t.Helper()
		ev := openclaw.Event{Session: session, Seq: seq, Time: noon.Add(time.Duration(minute) * time.Minute), Body: openclaw.TurnStarted{Text: "a"}}
		if err := s.Append(t.Context(), []openclaw.Event{ev}); err != nil {
			t.Fatal(err)
		}
	}
	mark := func(session string, seq int64) {
		t.Helper()
		if err := s.MarkRead(t.Context(), session, seq); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, since time.Time, limit int, want ...openclaw.Unread) {
		t.Helper()
		got, err := s.Unread(t.Context(), since, limit)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, when, want, got)
	}
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	check("at first", noon, 10)
	say("one", 1, 2)
	say("two", 1, 1)
	check("two sessions", noon, 10, openclaw.Unread{Session: "two", LastSeq: 1, UpdatedAt: at(1)}, openclaw.Unread{Session: "one", LastSeq: 1, UpdatedAt: at(2)})
	check("one of them", noon, 1, openclaw.Unread{Session: "two", LastSeq: 1, UpdatedAt: at(1)})
	check("the later", at(2), 10, openclaw.Unread{Session: "one", LastSeq: 1, UpdatedAt: at(2)})
	mark("one", 1)
	mark("one", 0)
	mark("two", 99) // what comes later is not read yet
	mark("none", 1)
	check("all read", noon, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	say("one", 2, 3)
	say("two", 2, 4)
	check("after a restart", noon, 10, openclaw.Unread{Session: "one", After: 1, LastSeq: 2, UpdatedAt: at(3)},
		openclaw.Unread{Session: "two", After: 1, LastSeq: 2, UpdatedAt: at(4)})
	if err := s.Delete(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	say("one", 1, 5)
	check("another of the name", at(5), 10, openclaw.Unread{Session: "one", LastSeq: 1, UpdatedAt: at(5)})
}
