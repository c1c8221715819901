package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

func TestTurn(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		c := r.say("use echo")
		o := c.wait()
		want := session.Outcome{
			Session: "main", RequestID: "r1", Text: "used it", Model: "scripted", Seq: 6,
			Usage: openclaw.Usage{Input: 20, Output: 2},
		}
		ignore := cmpopts.IgnoreFields(session.Outcome{}, "Calls")
		if diff := cmp.Diff(want, o, ignore); diff != "" {
			t.Errorf("outcome (-want +got):\n%s", diff)
		}
		if len(o.Calls) != 1 || o.Calls[0].Tool != "echo" || o.Calls[0].ExitCode != 0 {
			t.Errorf("calls: %+v", o.Calls)
		}
		r.wantLog("main", "turn_started text tool_call tool_result text turn_completed")
		if got := kinds(c.seen()); got != "text tool_call tool_result text turn_completed" {
			t.Errorf("the requester saw %s", got)
		}
		for _, ev := range c.seen() {
			live := ev.Kind() == openclaw.KindDelta
			if ev.RequestID != "r1" || ev.Session != "main" || live != (ev.Seq == 0) {
				t.Errorf("delivered %s: %+v", ev.Kind(), ev)
			}
		}
		r.works("main")
	})
}

var errDisk = &openclaw.Error{Code: openclaw.CodeInternal, Message: "the disk is full; free some space", Err: errors.New("ENOSPC")}

// failAt lets the n-th append that has an event of the kind fail, and those
// after it up to times.
func failAt(kind openclaw.Kind, times int) func([]openclaw.Event) error {
	return func(events []openclaw.Event) error {
		has := slices.ContainsFunc(events, func(ev openclaw.Event) bool { return ev.Kind() == kind })
		if times == 0 || !has {
			return nil
		}
		times--
		return errDisk
	}
}

// Whatever happens to a turn, it is answered once, the log is in order, and the
// next turn works. (rig.close checks the first two.)
func TestEveryEnd(t *testing.T) {
	const call = "turn_started text tool_call tool_result "
	for name, tt := range map[string]struct {
		text   string
		store  func([]openclaw.Event) error // before each append
		lost   func([]openclaw.Event) error // after each append
		blind  bool                         // the first read after a lost append fails too
		during func(r *rig)                 // when everything waits
		want   openclaw.Code
		log    string
	}{
		"completes":      {text: "hi", log: "turn_started text turn_completed"},
		"model error":    {text: "fail", want: openclaw.CodeModelError, log: "turn_started turn_failed"},
		"model panics":   {text: "panic", want: openclaw.CodeInternal, log: "turn_started turn_failed"},
		"tool panics":    {text: "use echo broken", want: openclaw.CodeInternal, log: call + "tool_call tool_result turn_failed"},
		"model too slow": {text: "slow", want: openclaw.CodeTimeout, log: "turn_started turn_failed"},
		"tool too slow":  {text: "use wait", want: openclaw.CodeTimeout, log: call + "turn_failed"},
		"cancelled in the model": {text: "slow", during: func(r *rig) { r.cancel("main", all) },
			want: openclaw.CodeCancelled, log: "turn_started turn_cancelled"},
		"cancelled in a tool": {text: "use wait echo", during: func(r *rig) { r.cancel("main", all) },
			want: openclaw.CodeCancelled, log: call + "turn_cancelled"},
		// The model does not notice and finishes; whoever cancelled was told so.
		"cancelled, model finishes": {text: "late", during: func(r *rig) { r.cancelling("main", all); close(r.hold) },
			want: openclaw.CodeCancelled, log: "turn_started text turn_cancelled"},
		"reset": {text: "slow", during: func(r *rig) { _ = reply(r.hub.Reset, "main") },
			want: openclaw.CodeCancelled, log: "turn_started turn_cancelled compacted"},
		"turn_started not stored": {text: "use echo", store: failAt(openclaw.KindTurnStarted, 1), want: openclaw.CodeInternal},
		"turn_started stored, but reported lost": {text: "hi", lost: failAt(openclaw.KindTurnStarted, 1),
			log: "turn_started text turn_completed"},
		"tool_call stored, but reported lost": {text: "use echo", lost: failAt(openclaw.KindToolCall, 1),
			log: call + "text turn_completed"},
		// Nobody knows whether the call is in the log, until it is read.
		"tool_call stored, and no way to know": {text: "use echo", lost: failAt(openclaw.KindToolCall, 1), blind: true,
			want: openclaw.CodeInternal, log: "turn_started text tool_call"},
		"end stored, and no way to know": {text: "hi", lost: failAt(openclaw.KindTurnCompleted, 1), blind: true,
			want: openclaw.CodeInternal, log: "turn_started text turn_completed"},
		"tool_call not stored": {text: "use echo", store: failAt(openclaw.KindToolCall, 1),
			want: openclaw.CodeInternal, log: "turn_started turn_failed"},
		"tool_result not stored": {text: "use echo", store: failAt(openclaw.KindToolResult, 1),
			want: openclaw.CodeInternal, log: call + "turn_failed"},
		"tool_result never stored": {text: "use echo", store: failAt(openclaw.KindToolResult, 2),
			want: openclaw.CodeInternal, log: "turn_started text tool_call"},
		"end not stored": {text: "hi", store: failAt(openclaw.KindTurnCompleted, 1),
			want: openclaw.CodeInternal, log: "turn_started turn_failed"},
		"failure not stored": {text: "fail", store: failAt(openclaw.KindTurnFailed, 1),
			want: openclaw.CodeModelError, log: "turn_started"},
		"failure stored, but reported lost": {text: "fail", lost: failAt(openclaw.KindTurnFailed, 1),
			want: openclaw.CodeModelError, log: "turn_started turn_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				w := r.follow("main", 0)
				r.store.on(tt.store, func(events []openclaw.Event) error {
					if tt.lost == nil {
						return nil
					}
					err := tt.lost(events)
					if err != nil && tt.blind {
						r.store.breakReads(errDisk, 1)
					}
					return err
				})
				c := r.say(tt.text)
				synctest.Wait()
				if tt.during != nil {
					tt.during(r)
				}
				if got := c.code(); got != tt.want {
					t.Errorf("code %q, want %q (%v)", got, tt.want, c.wait().Err)
				}
				synctest.Wait()
				r.wantLog("main", tt.log)
				r.works("main")
				if seqs := w.seqs(); !slices.Equal(seqs, count(1, int64(len(r.store.log("main"))))) {
					t.Errorf("a subscriber saw %v", seqs)
				}
				r.hub.Unfollow("main", w)
				// The same again for a hub that knows the log only.
				time.Sleep(time.Hour)
				r.works("main")
			})
		})
	}
}

// Nothing is shown, stored or run of a turn whose beginning could not be
// stored, though the model has answered meanwhile.
func TestTurnThatIsNotStored(t *testing.T) {
	for _, text := range []string{"hi", "use echo", "fail"} {
		inBubble(t, nil, func(r *rig) {
			w := r.follow("main", 0)
			fault := failAt(openclaw.KindTurnStarted, 1)
			r.store.on(func(events []openclaw.Event) error { time.Sleep(time.Second); return fault(events) }, nil)
			c := r.say(text)
			if err := c.wait().Err; !errors.Is(err, errDisk) {
				t.Errorf("%s: error %v", text, err)
			}
			if len(c.seen()) > 0 || len(w.seen()) > 0 || len(r.used()) > 0 || c.wait().Seq != 0 {
				t.Errorf("%s: shown %v and %v, ran %v", text, c.seen(), w.seen(), r.used())
			}
			r.wantLog("main", "")
			r.works("main")
		})
	}
}

// What the turn used is known even where it failed before it could be stored.
func TestUsageOfFailedTurns(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.on(failAt(openclaw.KindToolCall, 1), nil)
		o := r.say("use echo").wait()
		if want := (openclaw.Usage{Input: 10, Output: 1}); o.Usage != want {
			t.Errorf("usage %+v, want %+v", o.Usage, want)
		}
		if b, ok := r.store.log("main")[1].Body.(openclaw.TurnFailed); !ok || b.Usage != o.Usage {
			t.Errorf("stored %+v", r.store.log("main")[1].Body)
		}
	})
}

// The model is asked while turn_started is on its way to the disk, and nobody
// sees anything of it until it has arrived.
func TestDurableBeforeVisible(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		w := r.follow("main", -1)
		commit := make(chan struct{})
		r.store.on(func([]openclaw.Event) error { <-commit; return nil }, nil)
		c := r.say("hi")
		synctest.Wait()
		if r.model.Calls() != 1 {
			t.Errorf("%d model calls before the commit, want 1", r.model.Calls())
		}
		if len(c.seen()) > 0 || len(w.seen()) > 0 {
			t.Errorf("before the commit the requester saw %v and a subscriber %v", c.seen(), w.seen())
		}
		commit <- struct{}{}
		synctest.Wait()
		if got := kinds(w.seen()); got != "turn_started" || c.finished() {
			t.Errorf("before the second commit: %s, finished: %v", got, c.finished())
		}
		close(commit)
		if c.code() != "" {
			t.Error(c.wait().Err)
		}
	})
}

func TestToolWaitsForTheLog(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		steps := make(chan struct{})
		r.store.on(func([]openclaw.Event) error { <-steps; return nil }, nil)
		c := r.say("use echo")
		for _, want := range []struct {
			ran, model int
			log        string
		}{
			{0, 1, ""},
			{0, 1, "turn_started"},
			{1, 1, "turn_started text tool_call"},
			{1, 2, "turn_started text tool_call tool_result"},
		} {
			synctest.Wait()
			if len(r.used()) != want.ran || r.model.Calls() != want.model {
				t.Errorf("with %q in the log: %d tools ran and %d model calls, want %d and %d",
					want.log, len(r.used()), r.model.Calls(), want.ran, want.model)
			}
			r.wantLog("main", want.log)
			if kinds(c.seen()) != strings.TrimPrefix(strings.TrimPrefix(want.log, "turn_started"), " ") {
				t.Errorf("with %q in the log the requester saw %q", want.log, kinds(c.seen()))
			}
			steps <- struct{}{}
		}
		c.wait()
	})
}

func TestFIFO(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		first := r.say("slow")
		second, third := r.say("fail"), r.say("hi")
		other := r.submit("other", openclaw.TurnStarted{Text: "hi"})
		if other.code() != "" {
			t.Error("another session had to wait")
		}
		synctest.Wait()
		if want := (session.Stats{Loaded: 2, Active: 1, Queued: 2}); r.hub.Stats() != want {
			t.Errorf("stats %+v, want %+v", r.hub.Stats(), want)
		}
		if active, err := r.hub.Active(r.t.Context(), "main"); !active || err != nil {
			t.Errorf("active: %v, %v", active, err)
		}
		if second.finished() || third.finished() {
			t.Error("a later turn overtook the first")
		}
		close(r.hold)
		if first.wait().Seq != 3 || second.wait().Seq != 5 || third.wait().Seq != 8 {
			t.Errorf("ends at %d, %d, %d", first.wait().Seq, second.wait().Seq, third.wait().Seq)
		}
		synctest.Wait()
		if want := (session.Stats{Loaded: 2}); r.hub.Stats() != want {
			t.Errorf("stats %+v, want %+v", r.hub.Stats(), want)
		}
	})
}

func TestBusy(t *testing.T) {
	inBubble(t, func(c *session.Config) { c.MaxQueue = func() int { return 2 } }, func(r *rig) {
		running, a, b := r.say("slow"), r.say("hi"), r.say("hi")
		refused := r.say("hi").wait()
		if openclaw.CodeOf(refused.Err) != openclaw.CodeSessionBusy || refused.Err.RetryAfter == 0 {
			t.Errorf("the fourth: %v", refused.Err)
		}
		close(r.hold)
		for _, c := range []*caller{running, a, b} {
			if c.code() != "" {
				t.Error(c.wait().Err)
			}
		}
		r.works("main")
	})
}

func TestStoreThatCannotBeRead(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("hi").wait()
		time.Sleep(time.Hour)
		r.store.breakReads(errDisk, 0)
		if c := r.say("hi"); !errors.Is(c.wait().Err, errDisk) {
			t.Errorf("Submit: %v", c.wait().Err)
		}
		keyed := r.submit("main", openclaw.TurnStarted{Text: "hi", IdempotencyKey: "k"})
		if !errors.Is(keyed.wait().Err, errDisk) {
			t.Errorf("Submit with a key: %v", keyed.wait().Err)
		}
		if err := reply(r.hub.Reset, "main"); !errors.Is(err, errDisk) {
			t.Errorf("Reset: %v", err)
		}
		if err := r.hub.Follow(r.t.Context(), "main", 0, &watcher{}, func(int64) {})(); !errors.Is(err, errDisk) {
			t.Errorf("Follow: %v", err)
		}
		if err := r.hub.Resume(r.t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("Resume: %v", err)
		}
		r.store.breakReads(nil, 0)
		r.works("main")
	})
}

func TestNewHub(t *testing.T) {
	if _, err := session.NewHub(session.Config{}); err == nil {
		t.Error("a hub without a store")
	}
	if _, err := session.NewHub(session.Config{Store: newMemory()}); err == nil {
		t.Error("a hub without an agent")
	}
}

// Nobody has to watch a turn.
func TestNoObserver(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.hub.Submit(session.Request{Session: "main", ID: "x", Started: openclaw.TurnStarted{Text: "use echo"}})
		synctest.Wait()
		r.wantLog("main", "turn_started text tool_call tool_result text turn_completed")
		r.hub.Submit(session.Request{Session: "main", ID: "x", Started: openclaw.TurnStarted{Text: "slow"}})
		r.hub.Submit(session.Request{Session: "main", ID: "y", Started: openclaw.TurnStarted{Text: "hi"}})
		if n := r.cancel("main", func(id string, o session.Observer) bool { return o == nil }); n != 2 {
			t.Errorf("cancelled %d, want 2", n)
		}
		synctest.Wait()
		r.hub.Drain(context.Background())
		r.hub.Submit(session.Request{Session: "main", ID: "z", Started: openclaw.TurnStarted{Text: "hi"}})
	})
}
