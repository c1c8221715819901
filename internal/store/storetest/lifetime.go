package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/openclaw/openclaw-go"
)

func testUnfinished(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	mustAppend(t, s, log("a", 1, asked("x"), openclaw.TextWritten{Text: "half"}))
	mustAppend(t, s, log("b", 1, asked("x"), answered(1, 0)))
	mustAppend(t, s, log("c", 1, asked("x"), openclaw.TurnCancelled{}, asked("y")))
	mustAppend(t, s, log("d", 1, openclaw.Compacted{}))
	reopen := func(want ...openclaw.Unfinished) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		got, err := s.Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "Unfinished", want, got)
	}
	reopen(openclaw.Unfinished{Session: "a", Seq: 1, Resumes: 1}, openclaw.Unfinished{Session: "c", Seq: 3, Resumes: 1})
	reopen(openclaw.Unfinished{Session: "a", Seq: 1, Resumes: 2}, openclaw.Unfinished{Session: "c", Seq: 3, Resumes: 2})
	// What happens inside the turn changes nothing, its end does, and the next
	// turn counts from the beginning.
	mustAppend(t, s, log("a", 3, openclaw.TextWritten{Text: "more"}))
	mustAppend(t, s, log("c", 4, openclaw.TurnFailed{}))
	reopen(openclaw.Unfinished{Session: "a", Seq: 1, Resumes: 3})
	mustAppend(t, s, log("a", 4, answered(1, 0)))
	mustAppend(t, s, log("c", 5, asked("z")))
	reopen(openclaw.Unfinished{Session: "c", Seq: 5, Resumes: 1})
	if err := s.Delete(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	reopen()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func testManySessions(t *testing.T, open Open) {
	const sessions, turns = 40, 15
	dir := t.TempDir()
	s := open(t, dir)
	var writers sync.WaitGroup
	for i := range sessions {
		name := fmt.Sprintf("s%02d", i)
		writers.Go(func() {
			for n := range int64(turns) {
				if err := s.Append(t.Context(), log(name, 2*n+1, asked("x"), answered(3, 0))); err != nil {
					t.Errorf("Append: %v", err)
				}
				// What has been acknowledged can be read at once.
				info, err := s.Session(t.Context(), name)
				if err != nil || info.LastSeq != 2*n+2 {
					t.Errorf("Session %s: last seq %d, %v; want %d", name, info.LastSeq, err, 2*n+2)
				}
			}
		})
	}
	writers.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, func(t *testing.T, _ string) Store { return open(t, dir) })
	for i := range sessions {
		name := fmt.Sprintf("s%02d", i)
		events := mustEvents(t, s, name)
		for k, e := range events {
			if e.Seq != int64(k+1) {
				t.Fatalf("%s: event %d has seq %d", name, k, e.Seq)
			}
		}
		if info := mustSession(t, s, name); len(events) != 2*turns || info.Turns != turns || info.TokensUsed != 3*turns {
			t.Errorf("%s: %d events, %+v", name, len(events), info)
		}
	}
	lines, err := s.Usage(t.Context(), openclaw.UsageQuery{By: openclaw.UsageByDay})
	if err != nil || len(lines) != 1 || lines[0].Calls != sessions*turns || lines[0].Usage.Total() != sessions*turns*3 {
		t.Errorf("Usage: %+v, %v; want %d tokens", lines, err, sessions*turns*3)
	}
}

// Of many appends with the same seq exactly one wins, and the losers leave the
// others that share their commit alone.
func testRacingAppends(t *testing.T, open Open) {
	s := start(t, open)
	const rounds, rivals = 10, 8
	for seq := range int64(rounds) {
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range rivals {
			all.Go(func() {
				err := s.Append(t.Context(), log("contested", seq+1, openclaw.TextWritten{Text: fmt.Sprint(i)}))
				if err == nil {
					won.Add(1)
				}
			})
			all.Go(func() {
				if err := s.Append(t.Context(), log(fmt.Sprint("own", i), seq+1, openclaw.TextWritten{Text: "x"})); err != nil {
					t.Errorf("an append beside a refused one: %v", err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("seq %d was appended %d times", seq+1, won.Load())
		}
	}
	if events := mustEvents(t, s, "contested"); len(events) != rounds {
		t.Errorf("%d events, want %d", len(events), rounds)
	}
}

// A context that ends must cost its own call at most.
func testCancelledContexts(t *testing.T, open Open) {
	s := start(t, open)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ended, log("main", 1, asked("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("Append with an ended context: %v", err)
	}
	if events := mustEvents(t, s, "main"); len(events) != 0 {
		t.Errorf("Append with an ended context wrote %v", events)
	}

	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			giveUp(t, s, fmt.Sprint("s", i))
		})
	}
	all.Wait()
	for i := range 8 {
		mustAppend(t, s, log(fmt.Sprint("after", i), 1, asked("x")))
	}
}

// giveUp appends to one session, each time with a context that ends soon.
func giveUp(t *testing.T, s Store, name string) {
	var all sync.WaitGroup
	defer all.Wait()
	unsure := false // whether the append before this one happened
	for range 25 {
		events, err := s.Events(t.Context(), name, openclaw.EventRange{})
		if err != nil {
			t.Errorf("Events: %v", err)
			return
		}
		for i, e := range events {
			if e.Seq != int64(i+1) {
				t.Errorf("event %d of %s has seq %d", i, name, e.Seq)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(cancel)
		if _, err := s.Events(ctx, name, openclaw.EventRange{}); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Events: %v", err)
		}
		err = s.Append(ctx, log(name, int64(len(events))+1, openclaw.TextWritten{Text: "x"}))
		if err != nil && !errors.Is(err, context.Canceled) && !unsure {
			t.Errorf("Append: %v", err)
		}
		unsure = err != nil
	}
}

func testReopen(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	want := log("main", 1, everyBody...)
	for i := range want {
		mustAppend(t, s, want[i:i+1])
	}
	info := mustSession(t, s, "main")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		wantEqual(t, "events", want, mustEvents(t, s, "main"))
		wantEqual(t, "session", info, mustSession(t, s, "main"))
	}
	mustAppend(t, s, log("main", int64(len(want))+1, asked("on")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Whatever Append acknowledged before or during Close is there afterwards, and
// whatever it refused is not.
func testCloseWaits(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	const sessions = 16
	var acknowledged [sessions]int64
	var writers sync.WaitGroup
	running := make(chan struct{}, sessions)
	for i := range sessions {
		writers.Go(func() {
			for seq := int64(1); ; seq++ {
				if err := s.Append(t.Context(), log(fmt.Sprint(i), seq, openclaw.TextWritten{Text: "x"})); err != nil {
					return
				}
				acknowledged[i] = seq
				if seq == 2 {
					running <- struct{}{}
				}
			}
		})
	}
	for range sessions {
		<-running
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	s = start(t, func(t *testing.T, _ string) Store { return open(t, dir) })
	for i, want := range acknowledged {
		if got := mustSession(t, s, fmt.Sprint(i)).LastSeq; got != want {
			t.Errorf("session %d ends at seq %d, want %d", i, got, want)
		}
	}
}

func testClosed(t *testing.T, open Open) {
	s := open(t, t.TempDir())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Append":     func() error { return s.Append(ctx, log("main", 1, asked("x"))) },
		"Delete":     func() error { return s.Delete(ctx, "main") },
		"Events":     func() error { _, err := s.Events(ctx, "main", openclaw.EventRange{}); return err },
		"Keyed":      func() error { _, err := s.Keyed(ctx, "main", "k", noon); return err },
		"Session":    func() error { _, err := s.Session(ctx, "main"); return err },
		"Sessions":   func() error { _, _, err := s.Sessions(ctx, "", 1); return err },
		"Count":      func() error { _, err := s.Count(ctx); return err },
		"Unfinished": func() error { _, err := s.Unfinished(ctx); return err },
		"Charge":     func() error { return s.Charge(ctx, "main", noon, []openclaw.Charge{{}}) },
		"Usage": func() error {
			_, err := s.Usage(ctx, openclaw.UsageQuery{By: openclaw.UsageByDay})
			return err
		},
	} {
		err := call()
		if err == nil {
			t.Errorf("%s after Close: no error", name)
			continue
		}
		wantCode(t, err, openclaw.CodeShuttingDown)
	}
}
