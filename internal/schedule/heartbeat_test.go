package schedule

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// turns answers every submitted turn with the outcome.
type turns struct {
	outcome session.Outcome
	takes   time.Duration
	mu      sync.Mutex
	asked   []session.Request
}

func (s *turns) Submit(r session.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	time.AfterFunc(s.takes, func() { r.Observer.Done(s.outcome) })
}

func (s *turns) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// ledger is a Ledger in memory.
type ledger struct {
	mu   sync.Mutex
	runs []openclaw.Run // the latest slot first
}

func (l *ledger) Record(ctx context.Context, runs ...openclaw.Run) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range runs {
		l.runs = slices.DeleteFunc(l.runs, func(old openclaw.Run) bool { return old.Job == r.Job && old.Due.Equal(r.Due) })
		l.runs = append(l.runs, r)
	}
	slices.SortStableFunc(l.runs, func(a, b openclaw.Run) int { return b.Due.Compare(a.Due) })
	return nil
}

func (l *ledger) Runs(ctx context.Context, pattern string, limit int) (list []openclaw.Run, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		prefix, open := strings.CutSuffix(pattern, "*")
		if len(list) < limit && (r.Job == pattern || open && strings.HasPrefix(r.Job, prefix)) {
			list = append(list, r)
		}
	}
	return list, nil
}

// newHeart returns a heart over a HEARTBEAT.md with the text; "" for no file.
func newHeart(t *testing.T, s Settings, text string, turns *turns, heard func(protocol.HeartbeatStatus)) *Heart {
	t.Helper()
	s.Tasks = filepath.Join(t.TempDir(), "HEARTBEAT.md")
	if text != "" {
		if err := os.WriteFile(s.Tasks, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if heard == nil {
		heard = func(protocol.HeartbeatStatus) {}
	}
	h, err := NewHeart(t.Context(), Config{Settings: s, Submitter: turns, Broadcast: heard, Ledger: &ledger{}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestNothingToDoCallsNoModel(t *testing.T) {
	for name, text := range map[string]string{
		"no file": "", "blank": " \n\n", "headings": "# Heartbeat\n\n## Tasks\n", "comment": "<!-- check the mail\n every day -->\n# T\n",
		"unclosed comment": "<!-- check the mail", "empty list": "- \n* \n- [ ]\n",
	} {
		t.Run(name, func(t *testing.T) {
			turns := &turns{}
			got := newHeart(t, Settings{}, text, turns, nil).Trigger(false)
			if diff := cmp.Diff(protocol.HeartbeatStatus{Result: protocol.HeartbeatOK}, got); diff != "" || turns.count() != 0 {
				t.Errorf("%d turns (-want +got):\n%s", turns.count(), diff)
			}
		})
	}
}

func TestResultOfATurn(t *testing.T) {
	long := strings.Repeat("é", okWithin)
	tests := []struct {
		name    string
		outcome session.Outcome
		want    protocol.HeartbeatStatus
	}{
		{"ok", session.Outcome{Text: "HEARTBEAT_OK", Usage: openclaw.Usage{Input: 440, Output: 10}},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatOK, TokensUsed: 450}},
		{"ok with a remark", session.Outcome{Text: "All quiet.\n\nHEARTBEAT_OK\n"}, protocol.HeartbeatStatus{Result: protocol.HeartbeatOK}},
		{"ok with the longest remark", session.Outcome{Text: "HEARTBEAT_OK" + long}, protocol.HeartbeatStatus{Result: protocol.HeartbeatOK}},
		{"a report that mentions ok", session.Outcome{Text: "HEARTBEAT_OK" + long + "!"},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatActed, Text: "HEARTBEAT_OK" + long + "!"}},
		{"acted", session.Outcome{Text: "Disk is full.", Calls: make([]session.CallDone, 2)},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatActed, Text: "Disk is full.", ActionsTaken: 2}},
		{"failed", session.Outcome{Err: &openclaw.Error{Code: openclaw.CodeModelUnavailable, Message: "no model"}},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatFailed, Error: "no model"}},
		{"no budget", session.Outcome{Err: &openclaw.Error{Code: openclaw.CodeBudgetExceeded, Message: "spent"}},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatSkipped, Reason: "budget"}},
		{"no budget left to finish", session.Outcome{Calls: make([]session.CallDone, 1), Err: &openclaw.Error{Code: openclaw.CodeBudgetExceeded, Message: "spent"}},
			protocol.HeartbeatStatus{Result: protocol.HeartbeatFailed, Error: "spent", ActionsTaken: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			turns := &turns{outcome: test.outcome}
			got := newHeart(t, Settings{MaxTokens: 7, Isolated: true}, "- check the disk", turns, nil).Trigger(false)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			asked := turns.asked[0]
			if asked.Session != Session || !strings.Contains(asked.Started.Prompt, "- check the disk") ||
				asked.Started.Options.MaxTokens != 7 || !asked.Started.Options.Fresh {
				t.Errorf("submitted %+v", asked)
			}
		})
	}
}

// Where the budget allows no heartbeat, none leaves a trace in the log.
func TestBudgetIsSpent(t *testing.T) {
	turns := &turns{}
	h := newHeart(t, Settings{}, "- check the disk", turns, nil)
	h.config.Broke = func() bool { return true }
	got := h.Trigger(false)
	if diff := cmp.Diff(protocol.HeartbeatStatus{Result: protocol.HeartbeatSkipped, Reason: "budget"}, got); diff != "" || turns.count() != 0 {
		t.Errorf("%d turns (-want +got):\n%s", turns.count(), diff)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	turns := &turns{}
	h := newHeart(t, Settings{Interval: time.Hour}, "- check the disk", turns, nil)
	before := h.State()
	got := h.Trigger(true)
	if len(got.Due) != 1 || got.Due[0].IntervalSeconds != 3600 || got.Due[0].LastRun != nil || got.TokensUsed != 0 || turns.count() != 0 {
		t.Errorf("got %+v after %d turns", got, turns.count())
	}
	if diff := cmp.Diff(before, h.State()); diff != "" {
		t.Errorf("the state changed:\n%s", diff)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	h := newHeart(t, Settings{}, strings.Repeat("x", maxChecklist+1), &turns{}, nil)
	if got := h.Trigger(false); got.Result != protocol.HeartbeatFailed || !strings.Contains(got.Error, "64 KiB") {
		t.Errorf("too large: %+v", got)
	}
}

// runFor runs the heart's clock for a simulated while and returns what was
// broadcast.
func runFor(t *testing.T, d time.Duration, s Settings, text string, turns *turns, meanwhile func(*Heart)) (heard []protocol.HeartbeatStatus) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		h := newHeart(t, s, text, turns, func(s protocol.HeartbeatStatus) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, s)
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.Run(ctx); close(done) }()
		if meanwhile != nil {
			meanwhile(h)
		}
		time.Sleep(d)
		cancel()
		<-done
	})
	return heard
}

func TestScheduledHeartbeats(t *testing.T) {
	night, err := ParseQuiet("00:00", "06:00", "UTC") // the test's clock begins at midnight UTC
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		settings Settings
		turns    int
		results  map[string]int
	}{
		{"every hour for a day", Settings{Enabled: true, Interval: time.Hour}, 24, map[string]int{protocol.HeartbeatOK: 24}},
		{"disabled", Settings{Interval: time.Hour}, 0, map[string]int{}},
		{"quiet at night", Settings{Enabled: true, Interval: time.Hour, Quiet: night}, 18,
			map[string]int{protocol.HeartbeatSkipped: 6, protocol.HeartbeatOK: 18}}, // the sixth at the next midnight
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			turns := &turns{outcome: session.Outcome{Text: protocol.HeartbeatOK}}
			got := map[string]int{}
			for _, s := range runFor(t, 24*time.Hour+time.Minute, test.settings, "- look", turns, nil) {
				got[s.Result]++
			}
			if diff := cmp.Diff(test.results, got); diff != "" || turns.count() != test.turns {
				t.Errorf("%d turns, want %d (-want +got):\n%s", turns.count(), test.turns, diff)
			}
		})
	}
}

func TestSecondHeartbeatIsBusy(t *testing.T) {
	turns := &turns{takes: time.Minute, outcome: session.Outcome{Text: protocol.HeartbeatOK}}
	runFor(t, time.Hour, Settings{}, "- look", turns, func(h *Heart) {
		first := make(chan protocol.HeartbeatStatus, 1)
		go func() { first <- h.Trigger(false) }()
		synctest.Wait()
		if got := h.Trigger(false); got.Result != protocol.HeartbeatSkipped || got.Reason != "busy" {
			t.Errorf("the second: %+v", got)
		}
		if got := <-first; got.Result != protocol.HeartbeatOK {
			t.Errorf("the first: %+v", got)
		}
	})
}

func TestIntervalChangesWhileItRuns(t *testing.T) {
	turns := &turns{outcome: session.Outcome{Text: protocol.HeartbeatOK}}
	settings := Settings{Enabled: true, Interval: 24 * time.Hour}
	runFor(t, time.Hour+time.Second, settings, "- look", turns, func(h *Heart) {
		synctest.Wait()
		settings.Interval, settings.Tasks = 20*time.Minute, h.settings.Tasks
		h.Set(settings)
	})
	if turns.count() != 3 {
		t.Errorf("%d heartbeats in the hour after the change, want 3", turns.count())
	}
}

func TestQuietHours(t *testing.T) {
	tests := []struct {
		start, end, zone, at string
		quiet                bool
	}{
		{"22:00", "07:00", "UTC", "2026-01-10T21:59:59Z", false},
		{"22:00", "07:00", "UTC", "2026-01-10T22:00:00Z", true},
		{"22:00", "07:00", "UTC", "2026-01-10T06:59:59Z", true},
		{"22:00", "07:00", "UTC", "2026-01-10T07:00:00Z", false},
		{"12:00", "13:00", "UTC", "2026-01-10T12:30:00Z", true},
		{"12:00", "13:00", "UTC", "2026-01-10T23:30:00Z", false},
		{"22:00", "07:00", "Europe/Berlin", "2026-07-10T20:30:00Z", true},  // 22:30 in summer
		{"22:00", "07:00", "Europe/Berlin", "2026-01-10T20:30:00Z", false}, // 21:30 in winter
		{"02:00", "03:00", "Europe/Berlin", "2026-03-29T01:30:00Z", false}, // 03:30: the hour does not exist that day
		{"02:00", "03:00", "Europe/Berlin", "2026-10-25T00:30:00Z", true},  // 02:30 the first time
		{"02:00", "03:00", "Europe/Berlin", "2026-10-25T01:30:00Z", true},  // 02:30 the second time
		{"09:00", "09:00", "UTC", "2026-01-10T09:00:00Z", false},
		{"", "", "UTC", "2026-01-10T09:00:00Z", false},
	}
	for _, test := range tests {
		q, err := ParseQuiet(test.start, test.end, test.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Holds(at); got != test.quiet {
			t.Errorf("%s-%s %s at %s: %v, want %v", test.start, test.end, test.zone, test.at, got, test.quiet)
		}
	}
	for _, bad := range [][3]string{{"25:00", "07:00", "UTC"}, {"22:00", "", "UTC"}, {"22:00", "07:00", "Mars/Olympus"}} {
		if _, err := ParseQuiet(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
