package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

func keyed(text, key string) openclaw.TurnStarted {
	return openclaw.TurnStarted{Text: text, IdempotencyKey: key}
}

// sameOutcome compares what two requests were told, apart from their own IDs.
func sameOutcome(t *testing.T, what string, want, got session.Outcome) {
	t.Helper()
	diff := cmp.Diff(want, got, cmpopts.IgnoreFields(session.Outcome{}, "RequestID"),
		cmpopts.IgnoreFields(openclaw.Error{}, "Err"), cmpopts.IgnoreUnexported(session.CallDone{}))
	if diff != "" {
		t.Errorf("%s (-first +repeat):\n%s", what, diff)
	}
}

// The outcome is the first one's wherever the repeat comes: while it runs,
// when it has ended, and when nothing but the log is left.
func TestRepeatedKey(t *testing.T) {
	for _, text := range []string{"use echo", "hi", "fail", "use broken"} {
		t.Run(text, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				first := r.submit("main", keyed(text, "k"))
				during := r.submit("main", keyed(text, "k"))
				want := first.wait()
				sameOutcome(t, "while it ran", want, during.wait())
				if got := during.wait().RequestID; got != during.id || len(during.seen()) > 0 {
					t.Errorf("the repeat was told of request %s and shown %v", got, during.seen())
				}
				calls := r.model.Calls()
				sameOutcome(t, "afterwards", want, r.submit("main", keyed(text, "k")).wait())
				time.Sleep(time.Hour) // unloads the session
				sameOutcome(t, "from the log", want, r.submit("main", keyed(text, "k")).wait())
				if r.model.Calls() != calls {
					t.Error("a repeat asked the model again")
				}
				other := r.submit("other", keyed(text, "k")).wait()
				if other.Seq != want.Seq || r.model.Calls() == calls {
					t.Error("the key of one session counted in another")
				}
				r.works("main")
			})
		})
	}
}

func TestRepeatedKeyInQueue(t *testing.T) {
	inBubble(t, func(c *session.Config) { c.MaxQueue = func() int { return 1 } }, func(r *rig) {
		running := r.say("slow")
		waiting, repeat := r.submit("main", keyed("hi", "k")), r.submit("main", keyed("hi", "k"))
		synctest.Wait()
		if repeat.finished() {
			t.Fatalf("the repeat was told %+v", repeat.wait())
		}
		close(r.hold)
		running.wait()
		sameOutcome(t, "repeat", waiting.wait(), repeat.wait())
		r.wantLog("main", "turn_started text turn_completed turn_started text turn_completed")
	})
}

func TestKeyWithAnotherText(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		check := func(when string) {
			t.Helper()
			if c := r.submit("main", keyed("something else", "k")); c.code() != openclaw.CodeInvalidMessage {
				t.Errorf("%s: %v", when, c.wait().Err)
			}
		}
		running := r.submit("main", keyed("slow", "k"))
		check("while it runs")
		waiting := r.submit("main", keyed("hi", "k2"))
		if c := r.submit("main", keyed("ho", "k2")); c.code() != openclaw.CodeInvalidMessage {
			t.Errorf("in the queue: %v", c.wait().Err)
		}
		close(r.hold)
		running.wait()
		waiting.wait()
		check("afterwards")
	})
}

func TestKeyIsForgotten(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.submit("main", keyed("hi", "k")).wait()
		time.Sleep(23 * time.Hour)
		if o := r.submit("main", keyed("hi", "k")).wait(); o.Seq != 3 {
			t.Errorf("after 23 hours it ran again: %+v", o)
		}
		time.Sleep(2 * time.Hour)
		if o := r.submit("main", keyed("hi", "k")).wait(); o.Seq != 6 {
			t.Errorf("after 25 hours it did not run: %+v", o)
		}
	})
}

// A turn without memory leaves no key behind, but is shared while it runs.
func TestKeyWithoutMemory(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		started := keyed("slow", "k")
		started.Options.NoMemory = true
		first, repeat := r.submit("main", started), r.submit("main", started)
		close(r.hold)
		sameOutcome(t, "repeat", first.wait(), repeat.wait())
		if n := r.model.Calls(); n != 1 {
			t.Errorf("%d model calls", n)
		}
		r.submit("main", started).wait()
		if n := r.model.Calls(); n != 2 {
			t.Errorf("%d model calls after the repeat", n)
		}
	})
}

// The end of the first is lost, so nobody knows the outcome; the repeat must
// not run it again.
func TestKeyOfTurnWithoutEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.on(failAt(openclaw.KindTurnFailed, 1), nil)
		if c := r.submit("main", keyed("fail", "k")); c.code() != openclaw.CodeModelError {
			t.Errorf("first: %v", c.wait().Err)
		}
		for _, when := range []string{"open", "closed"} {
			if c := r.submit("main", keyed("fail", "k")); c.code() != openclaw.CodeInternal {
				t.Errorf("%s: %v", when, c.wait().Err)
			}
			r.works("main")
		}
		if n := r.model.Calls(); n != 3 {
			t.Errorf("%d model calls", n)
		}
	})
}
