package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

func TestCancel(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		if n := r.cancel("main", all); n != 0 {
			t.Errorf("cancelled %d turns of a session that is not there", n)
		}
		running, a, b, c := r.say("slow"), r.say("hi"), r.say("hi"), r.say("hi")
		synctest.Wait()
		only := func(ids ...*caller) func(string, session.Observer) bool {
			return func(id string, o session.Observer) bool {
				for _, c := range ids {
					if c.id == id && o == session.Observer(c) {
						return true
					}
				}
				return false
			}
		}
		if n := r.cancel("main", only(b)); n != 1 || b.code() != openclaw.CodeCancelled {
			t.Errorf("waiting turn: %d, %v", n, b.wait().Err)
		}
		if by := b.wait().Err.Details["by"]; by != "test" || len(b.seen()) > 0 {
			t.Errorf("by %v, saw %v", by, b.seen())
		}
		if n := r.cancel("main", only(b)); n != 0 {
			t.Errorf("cancelled %d turns again", n)
		}
		if n := r.cancel("main", only(running, a)); n != 2 || running.code() != openclaw.CodeCancelled || a.code() != openclaw.CodeCancelled {
			t.Errorf("two turns: %d, %v, %v", n, running.wait().Err, a.wait().Err)
		}
		if o := c.wait(); o.Err != nil || o.Seq != 5 {
			t.Errorf("the one that is left: %+v", o)
		}
		if n := r.cancel("main", all); n != 0 {
			t.Errorf("cancelled %d turns that have ended", n)
		}
		r.works("main")
	})
}

// A turn whose end is on its way to the disk can still be cancelled, one whose
// end is there cannot: the number and the outcome agree.
func TestCancelAtTheEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		n := make(chan int, 1)
		commit := make(chan struct{})
		r.store.on(func(events []openclaw.Event) error {
			if events[len(events)-1].Kind() == openclaw.KindTurnCompleted {
				<-commit
			}
			return nil
		}, nil)
		c := r.say("hi")
		synctest.Wait()
		r.hub.Cancel("main", "test", all, func(found int, _ error) { n <- found })
		close(commit)
		if found := <-n; found != 0 || c.code() != "" {
			t.Errorf("cancelled %d, outcome %v; the end was being stored", found, c.wait().Err)
		}
	})
}

// A second cancel is no second turn.
func TestCancelTwice(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		c := r.say("late")
		synctest.Wait()
		first := r.cancelling("main", all)
		second := r.cancel("main", all)
		close(r.hold)
		if n := <-first; n != 1 || second != 0 {
			t.Errorf("cancelled %d and %d", n, second)
		}
		if c.code() != openclaw.CodeCancelled {
			t.Error(c.wait().Err)
		}
	})
}

// Whoever is told of a cancellation can rely on it: a crash after that finds it
// in the log.
func TestCancelIsStored(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("use wait")
		synctest.Wait()
		told := make(chan string, 1)
		r.hub.Cancel("main", "test", all, func(n int, err error) {
			told <- fmt.Sprint(n, err, " ", kinds(r.store.log("main")))
		})
		if got, want := <-told, "1 <nil> turn_started text tool_call tool_result turn_cancelled"; got != want {
			t.Errorf("told of %s, want %s", got, want)
		}
	})
}

// One that could not be stored is no success.
func TestCancelOnABrokenStore(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("slow")
		synctest.Wait()
		full := &openclaw.Error{Code: openclaw.CodeInternal, Message: "disk is full"}
		r.store.on(func([]openclaw.Event) error { return full }, nil)
		told := make(chan error, 1)
		r.hub.Cancel("main", "test", all, func(_ int, err error) { told <- err })
		if err := <-told; !errors.Is(err, full) {
			t.Errorf("told %v, want %v", err, full)
		}
		r.store.on(nil, nil)
		r.works("main")
	})
}

// A turn that is out of time but still runs is cancelled like any other:
// whoever was told "one cancelled" sees CANCELLED.
func TestCancelAfterTimeout(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		c := r.say("use deaf")
		time.Sleep(time.Hour)
		found := r.cancelling("main", all)
		close(r.hold)
		if n := <-found; n != 1 || c.code() != openclaw.CodeCancelled {
			t.Errorf("outcome %v", c.wait().Err)
		}
		r.wantLog("main", "turn_started text tool_call tool_result turn_cancelled")
		r.works("main")
	})
}

// Whoever asked again with the same key may stop the turn too.
func TestCancelByRepeat(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		first, repeat := r.submit("main", keyed("slow", "k")), r.submit("main", keyed("slow", "k"))
		synctest.Wait()
		n := r.cancel("main", func(id string, o session.Observer) bool { return id == repeat.id && o == session.Observer(repeat) })
		if n != 1 || first.code() != openclaw.CodeCancelled || repeat.code() != openclaw.CodeCancelled {
			t.Errorf("cancelled %d: %v, %v", n, first.wait().Err, repeat.wait().Err)
		}
	})
}

func TestReset(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		if err := reply(r.hub.Reset, "main"); openclaw.CodeOf(err) != openclaw.CodeSessionNotFound {
			t.Errorf("reset of nothing: %v", err)
		}
		r.say("one").wait()
		running, waiting := r.say("use wait"), r.say("hi")
		synctest.Wait()
		answer := make(chan error, 1)
		r.hub.Reset("main", func(err error) { answer <- err })
		after := r.say("two")
		if err := <-answer; err != nil {
			t.Error(err)
		}
		if running.code() != openclaw.CodeCancelled || waiting.code() != openclaw.CodeCancelled || after.code() != "" {
			t.Errorf("outcomes %q %q %q", running.code(), waiting.code(), after.code())
		}
		r.wantLog("main", "turn_started text turn_completed turn_started text tool_call tool_result turn_cancelled "+
			"compacted turn_started text turn_completed")
		requests := r.model.Requests()
		if m := requests[len(requests)-1].Messages; len(m) != 1 {
			t.Errorf("after the reset the model read %v", m)
		}
		if b := r.store.log("main")[8].Body; !cmp.Equal(b, openclaw.Body(openclaw.Compacted{BeforeSeq: 9})) {
			t.Errorf("stored %+v", b)
		}
		r.works("main")
	})
}

// A turn whose end is lost is closed before the context is emptied, or it
// would be taken up again at the next start.
func TestResetAfterLostEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.on(failAt(openclaw.KindTurnFailed, 1), nil)
		r.say("fail").wait()
		if err := reply(r.hub.Reset, "main"); err != nil {
			t.Error(err)
		}
		r.wantLog("main", "turn_started turn_failed compacted")
		if b := r.store.log("main")[2].Body; !cmp.Equal(b, openclaw.Compacted{BeforeSeq: 3}) {
			t.Errorf("stored %+v", b)
		}
		r.works("main")
	})
}

func TestDelete(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		if err := reply(r.hub.Delete, "main"); openclaw.CodeOf(err) != openclaw.CodeSessionNotFound {
			t.Errorf("delete of nothing: %v", err)
		}
		r.submit("main", keyed("one", "k")).wait()
		running, waiting := r.say("slow"), r.say("hi")
		synctest.Wait()
		if err := reply(r.hub.Delete, "main"); err != nil {
			t.Error(err)
		}
		if running.code() != openclaw.CodeCancelled || waiting.code() != openclaw.CodeCancelled {
			t.Errorf("outcomes %q %q", running.code(), waiting.code())
		}
		if log := r.store.log("main"); len(log) > 0 {
			t.Errorf("left %v", log)
		}
		if o := r.submit("main", keyed("another", "k")).wait(); o.Err != nil || o.Seq != 3 {
			t.Errorf("the first turn afterwards: %+v", o)
		}
		r.works("main")
	})
}

// The one who asked for a reset gets an answer even if the gateway stops at
// that moment, and Drain does not wait for ever.
func TestResetWhileDraining(t *testing.T) {
	for name, f := range map[string]func(h *session.Hub) func(string, func(error)){
		"reset":  func(h *session.Hub) func(string, func(error)) { return h.Reset },
		"delete": func(h *session.Hub) func(string, func(error)) { return h.Delete },
	} {
		t.Run(name, func(t *testing.T) {
			for _, first := range []string{"asked first", "drained first"} {
				inBubble(t, nil, func(r *rig) {
					c := r.say("late") // does not stop at once
					synctest.Wait()
					answer := make(chan error, 1)
					drained := make(chan struct{})
					if first == "asked first" {
						f(r.hub)("main", func(err error) { answer <- err })
					}
					go func() { r.hub.Drain(context.Background()); close(drained) }()
					synctest.Wait()
					if first != "asked first" {
						f(r.hub)("main", func(err error) { answer <- err })
					}
					synctest.Wait()
					close(r.hold)
					if err := <-answer; err != nil || c.code() != openclaw.CodeCancelled {
						t.Errorf("%s: %v, the turn %v", first, err, c.wait().Err)
					}
					<-drained
				})
			}
		})
	}
}

func TestControlAfterDrain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("hi").wait()
		r.stop()
		for name, f := range map[string]func(string, func(error)){"reset": r.hub.Reset, "delete": r.hub.Delete} {
			if err := reply(f, "main"); openclaw.CodeOf(err) != openclaw.CodeShuttingDown {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := r.cancel("main", all); n != 0 {
			t.Errorf("cancelled %d", n)
		}
		if c := r.say("hi"); c.code() != openclaw.CodeShuttingDown || c.wait().Err.Details["resumes"] != false {
			t.Errorf("submit: %+v", c.wait().Err)
		}
		err := r.hub.Follow(context.Background(), "main", 0, &watcher{}, func(int64) { t.Error("it began") })()
		if openclaw.CodeOf(err) != openclaw.CodeShuttingDown {
			t.Errorf("follow: %v", err)
		}
		if active, err := r.hub.Active(context.Background(), "main"); active || err != nil {
			t.Errorf("active: %v, %v", active, err)
		}
	})
}
