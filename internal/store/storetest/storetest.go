// Package storetest is the contract of an event store, as tests: every
// implementation passes the same ones.
//
// It holds no state and knows no implementation. What only one store can get
// wrong, such as a torn file, is tested beside that store.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// Store is what Run tests. The methods are explained where they are
// implemented, in package sqlite first.
type Store interface {
	Append(ctx context.Context, events []openclaw.Event) error
	Events(ctx context.Context, session string, r openclaw.EventRange) ([]openclaw.Event, error)
	Keyed(ctx context.Context, session, key string, since time.Time) (int64, error)
	Delete(ctx context.Context, session string) error
	Session(ctx context.Context, name string) (openclaw.SessionInfo, error)
	Sessions(ctx context.Context, after string, limit int) ([]openclaw.SessionInfo, string, error)
	Count(ctx context.Context) (int, error)
	Unfinished(ctx context.Context) ([]openclaw.Unfinished, error)
	Charge(ctx context.Context, session string, at time.Time, charges []openclaw.Charge) error
	Usage(ctx context.Context, q openclaw.UsageQuery) ([]openclaw.UsageLine, error)
	Record(ctx context.Context, runs ...openclaw.Run) error
	Runs(ctx context.Context, pattern string, limit int) ([]openclaw.Run, error)
	SaveJob(ctx context.Context, job openclaw.StoredJob) error
	RemoveJob(ctx context.Context, name string) error
	Jobs(ctx context.Context) ([]openclaw.StoredJob, error)
	Unread(ctx context.Context, since time.Time, limit int) ([]openclaw.Unread, error)
	MarkRead(ctx context.Context, session string, seq int64) error
	Close() error
}

// Open opens the store that is kept in the folder dir, the same one each time
// for the same dir. It fails the test if it cannot.
type Open func(t *testing.T, dir string) Store

// Run runs every test of the contract on the stores that open returns. Run
// closes what it opens.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"RoundTrip":          testRoundTrip,
		"Ranges":             testRanges,
		"Refusals":           testRefusals,
		"AtomicAppend":       testAtomicAppend,
		"Delete":             testDelete,
		"Summary":            testSummary,
		"Title":              testTitle,
		"UnknownSession":     testUnknownSession,
		"Pages":              testPages,
		"PagesWhileChanging": testPagesWhileChanging,
		"BadCursor":          testBadCursor,
		"Keyed":              testKeyed,
		"Usage":              testUsage,
		"UsageOfDeleted":     testUsageOfDeleted,
		"Unfinished":         testUnfinished,
		"ManySessions":       testManySessions,
		"RacingAppends":      testRacingAppends,
		"CancelledContexts":  testCancelledContexts,
		"Reopen":             testReopen,
		"CloseWaits":         testCloseWaits,
		"Closed":             testClosed,
		"Runs":               testRuns,
		"Jobs":               testJobs,
		"Unread":             testUnread,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// start opens a new store for one test.
func start(t *testing.T, open Open) Store {
	t.Helper()
	s := open(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// noon is when most events of these tests happen.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 123_456_000, time.UTC)

// log numbers bodies from seq on, a second apart.
func log(session string, seq int64, bodies ...openclaw.Body) []openclaw.Event {
	events := make([]openclaw.Event, len(bodies))
	for i, b := range bodies {
		n := seq + int64(i)
		events[i] = openclaw.Event{
			Session:   session,
			Seq:       n,
			RequestID: "req-" + session,
			Time:      noon.Add(time.Duration(n) * time.Second),
			Body:      b,
		}
	}
	return events
}

// asked and answered are the shortest turn.
func asked(text string) openclaw.Body {
	return openclaw.TurnStarted{Source: openclaw.SourceClient, Text: text}
}

func answered(tokens int, cost float64) openclaw.Body {
	used := openclaw.Usage{Input: tokens, CostUSD: cost}
	return openclaw.TurnCompleted{Text: "done", Model: "offline", Usage: used,
		Charges: []openclaw.Charge{{Provider: "offline", Model: "offline", Usage: used}}}
}

func mustAppend(t *testing.T, s Store, events []openclaw.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events); err != nil {
		t.Fatalf("Append to %s from seq %d: %v", events[0].Session, events[0].Seq, err)
	}
}

func mustEvents(t *testing.T, s Store, session string) []openclaw.Event {
	t.Helper()
	events, err := s.Events(t.Context(), session, openclaw.EventRange{})
	if err != nil {
		t.Fatalf("Events of %s: %v", session, err)
	}
	return events
}

func mustSession(t *testing.T, s Store, name string) openclaw.SessionInfo {
	t.Helper()
	info, err := s.Session(t.Context(), name)
	if err != nil {
		t.Fatalf("Session %s: %v", name, err)
	}
	return info
}

// wantCode checks that err can be shown to a client under the code.
func wantCode(t *testing.T, err error, want openclaw.Code) {
	t.Helper()
	e, ok := errors.AsType[*openclaw.Error](err)
	if !ok {
		t.Fatalf("got error %v, want an openclaw.Error with code %s", err, want)
	}
	if e.Code != want || e.Message == "" {
		t.Errorf("got code %s, message %q; want code %s and a message", e.Code, e.Message, want)
	}
}

func wantEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
