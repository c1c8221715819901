package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/session"
)

// inTwoLives runs a test on a store that sees the gateway stop and start
// again. The first life is left with no drain time.
func inTwoLives(t *testing.T, first, second func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		r := newRig(t, store, nil)
		first(r)
		r.close()
		r = newRig(t, store, nil)
		second(r)
		r.close()
	})
}

func TestDrainLetsTurnsFinish(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		running, waiting := r.say("slow"), r.say("hi")
		synctest.Wait()
		drained := make(chan struct{})
		go func() { r.hub.Drain(context.Background()); close(drained) }()
		synctest.Wait()
		if !r.hub.Draining() {
			t.Error("not draining")
		}
		late := r.say("hi")
		for name, c := range map[string]*caller{"waiting": waiting, "late": late} {
			if e := c.wait().Err; openclaw.CodeOf(errOrNil(e)) != openclaw.CodeShuttingDown || e.Details["resumes"] != false {
				t.Errorf("%s: %+v", name, e)
			}
		}
		close(r.hold)
		if running.code() != "" {
			t.Error(running.wait().Err)
		}
		<-drained
		r.wantLog("main", "turn_started text turn_completed")
	})
}

// A turn that the shutdown stops goes on at the next start, from where it was.
func TestShutdownAndResume(t *testing.T) {
	for _, tt := range []struct{ text, before, after string }{
		{"slow", "turn_started", "text turn_completed"},
		{"use wait", "turn_started text tool_call tool_result", "text turn_completed"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			inTwoLives(t, func(r *rig) {
				c := r.submit("main", keyed(tt.text, "k"))
				alone := r.submit("alone", openclaw.TurnStarted{Text: tt.text, Options: openclaw.TurnOptions{NoMemory: true}})
				synctest.Wait()
				r.stop()
				if e := c.wait().Err; openclaw.CodeOf(errOrNil(e)) != openclaw.CodeShuttingDown || e.Details["resumes"] != true {
					t.Errorf("outcome %+v", e)
				}
				if e := alone.wait().Err; openclaw.CodeOf(errOrNil(e)) != openclaw.CodeShuttingDown || e.Details["resumes"] != false {
					t.Errorf("outcome of the one without memory %+v", e)
				}
				r.wantLog("main", tt.before)
			}, func(r *rig) {
				close(r.hold)
				if err := r.hub.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
				next, repeat := r.say("hi"), r.submit("main", keyed(tt.text, "k"))
				if next.code() != "" || repeat.code() != "" {
					t.Errorf("outcomes %v, %v", next.wait().Err, repeat.wait().Err)
				}
				r.wantLog("main", tt.before+" "+tt.after+" turn_started text turn_completed")
				if used := r.used(); len(used) > 0 {
					t.Errorf("ran %v again", used)
				}
				if o := repeat.wait(); o.Usage != (openclaw.Usage{Input: 10 * (o.Usage.Input / 10), Output: o.Usage.Input / 10}) || o.Seq == 0 {
					t.Errorf("repeat %+v", o)
				}
				r.works("main")
			})
		})
	}
}

// crashed is a log as a killed process leaves it.
func crashed(bodies ...openclaw.Body) []openclaw.Event {
	var log []openclaw.Event
	for i, b := range bodies {
		log = append(log, openclaw.Event{Session: "main", Seq: int64(i + 1), RequestID: "old", Time: time.Now().UTC(), Body: b})
	}
	return log
}

func oldCall(id string) openclaw.ToolCalled {
	return openclaw.ToolCalled{CallID: id, Tool: "echo", Args: []byte(`{}`), Step: openclaw.Step{N: 1, Usage: &openclaw.Usage{Input: 5}}}
}

func TestResumeAfterCrash(t *testing.T) {
	started := keyed("use echo", "k")
	fresh := openclaw.TurnStarted{Text: "use echo", Options: openclaw.TurnOptions{Fresh: true}}
	for name, tt := range map[string]struct {
		log  []openclaw.Event
		want string
	}{
		"nothing happened": {crashed(started), "turn_started text tool_call tool_result text turn_completed"},
		"open call":        {crashed(started, oldCall("a")), "turn_started tool_call tool_result text turn_completed"},
		"fresh, open call": {crashed(fresh, oldCall("a")), "turn_started tool_call tool_result text turn_completed"},
		"result": {crashed(started, oldCall("a"), openclaw.ToolReturned{CallID: "a", Tool: "echo"}),
			"turn_started tool_call tool_result text turn_completed"},
		"second turn": {crashed(openclaw.TurnStarted{Text: "x"}, openclaw.TurnCompleted{}, started, oldCall("a")),
			"turn_started turn_completed turn_started tool_call tool_result text turn_completed"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.store.logs["main"] = tt.log
				w := r.follow("main", -1)
				if err := r.hub.Resume(r.t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				r.wantLog("main", tt.want)
				if seqs := w.seqs(); !slices.Equal(seqs, count(int64(len(tt.log)+1), int64(len(r.store.log("main"))))) {
					t.Errorf("a subscriber saw %v", seqs)
				}
				for _, ev := range r.store.log("main") {
					if b, ok := ev.Body.(openclaw.ToolReturned); ok && strings.HasSuffix(name, "open call") &&
						(b.Output != agent.OutcomeUnknown || ev.RequestID != "old") {
						t.Errorf("the open call came to %+v", ev)
					}
				}
				r.works("main")
			})
		})
	}
}

// A turn that brings the process down must not do so for ever.
func TestGiveUp(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.logs["main"] = crashed(keyed("use echo", "k"), oldCall("a"))
		r.store.resumes["main"] = 3
		if err := r.hub.Resume(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.wantLog("main", "turn_started tool_call tool_result turn_failed")
		if n := r.model.Calls(); n != 0 {
			t.Errorf("%d model calls", n)
		}
		log := r.store.log("main")
		if b := log[2].Body.(openclaw.ToolReturned); b.Output != agent.OutcomeUnknown {
			t.Errorf("the open call came to %+v", b)
		}
		b := log[3].Body.(openclaw.TurnFailed)
		if b.Code != openclaw.CodeInternal || !strings.Contains(b.Message, "4 times") || b.Usage.Input != 5 || log[3].RequestID != "old" {
			t.Errorf("it failed with %+v", log[3])
		}
		if c := r.submit("main", keyed("use echo", "k")); c.code() != openclaw.CodeInternal || c.wait().Seq != 4 {
			t.Errorf("a repeat is told %+v", c.wait())
		}
		r.works("main")
	})
}

func TestCancelResumed(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.logs["main"] = crashed(openclaw.TurnStarted{Text: "slow"})
		if err := r.hub.Resume(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := r.cancel("main", func(id string, _ session.Observer) bool { return id == "old" }); n != 1 {
			t.Errorf("cancelled %d", n)
		}
		synctest.Wait()
		r.wantLog("main", "turn_started turn_cancelled")
		r.works("main")
	})
}

// Resume that comes too late takes nothing away from a turn that runs.
func TestLateResume(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		c := r.say("slow")
		synctest.Wait()
		if err := r.hub.Resume(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		close(r.hold)
		if c.code() != "" {
			t.Error(c.wait().Err)
		}
		r.wantLog("main", "turn_started text turn_completed")
	})
	// What was unfinished when the store was asked may have ended since.
	inBubble(t, func(c *session.Config) { c.Store = stale{c.Store.(*memory)} }, func(r *rig) {
		r.say("hi").wait()
		if err := r.hub.Resume(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.wantLog("main", "turn_started text turn_completed")
	})
}

// stale takes the first turn of session main for unfinished.
type stale struct{ *memory }

func (stale) Unfinished(context.Context) ([]openclaw.Unfinished, error) {
	return []openclaw.Unfinished{{Session: "main", Seq: 1, Resumes: 1}}, nil
}

// A turn that could not be resumed is closed before the next one begins.
func TestResumeFails(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.store.logs["main"] = crashed(openclaw.TurnStarted{Text: "use echo"}, oldCall("a"))
		unfinished, err := r.store.Unfinished(r.t.Context())
		if err != nil || len(unfinished) != 1 {
			t.Fatal(unfinished, err)
		}
		r.works("main")
		r.wantLog("main", "turn_started tool_call tool_result turn_failed turn_started text turn_completed")
		for _, ev := range r.store.log("main")[2:4] {
			if ev.RequestID != "old" {
				t.Errorf("%s belongs to request %q", ev.Kind(), ev.RequestID)
			}
		}
	})
}

// A long log is read in pages.
func TestLongLog(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		bodies := []openclaw.Body{openclaw.TurnStarted{Text: "use echo"}}
		for i := range 700 {
			id := fmt.Sprint(i)
			bodies = append(bodies, oldCall(id), openclaw.ToolReturned{CallID: id, Output: id})
		}
		r.store.logs["main"] = crashed(append(bodies, oldCall("open"))...)
		r.works("main")
		if w := r.follow("main", 0); len(w.seqs()) != len(r.store.log("main")) {
			t.Errorf("saw %d events of %d", len(w.seqs()), len(r.store.log("main")))
		}
		events, _, more, err := r.hub.History(r.t.Context(), "main", 1000, 10)
		if err != nil || !more || len(events) != 10 || events[0].Seq != 990 {
			t.Errorf("history: %d events, more %v, %v", len(events), more, err)
		}
		events, _, more, err = r.hub.History(r.t.Context(), "main", 3, 10)
		if err != nil || more || len(events) != 2 {
			t.Errorf("history: %d events, more %v, %v", len(events), more, err)
		}
		if _, _, _, err := r.hub.History(r.t.Context(), "none", 0, 10); openclaw.CodeOf(err) != openclaw.CodeSessionNotFound {
			t.Errorf("history of nothing: %v", err)
		}
	})
}

// A log with large events is read in pages that are not.
func TestLargeEvents(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		bodies := []openclaw.Body{openclaw.TurnStarted{Text: "use echo"}}
		for i := range 20 {
			id := fmt.Sprint(i)
			bodies = append(bodies, oldCall(id), openclaw.ToolReturned{CallID: id, Output: strings.Repeat("x", 300<<10)})
		}
		r.store.logs["main"] = crashed(append(bodies, openclaw.TextWritten{Text: "done"}, openclaw.TurnCompleted{Text: "done"})...)
		last := int64(len(r.store.log("main")))
		r.works("main")
		if w := r.follow("main", 0); len(w.seqs()) != len(r.store.log("main")) {
			t.Errorf("saw %d events of %d", len(w.seqs()), len(r.store.log("main")))
		}
		seen, pages := int64(0), 0
		for before, more := last+1, true; more; pages++ {
			var events []openclaw.Event
			var err error
			events, _, more, err = r.hub.History(r.t.Context(), "main", before, 100)
			if err != nil || len(events) == 0 || events[len(events)-1].Seq != before-1 || size(events) > 800<<10 {
				t.Fatalf("history before %d: %d events of %d bytes, %v", before, len(events), size(events), err)
			}
			before, seen = events[0].Seq, seen+int64(len(events))
		}
		if seen != last || pages != 10 {
			t.Errorf("%d events of %d in %d pages", seen, last, pages)
		}
	})
}

func TestIdle(t *testing.T) {
	inBubble(t, func(c *session.Config) { c.IdleAfter = time.Minute }, func(r *rig) {
		loaded := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := r.hub.Stats().Loaded; n != want {
				t.Errorf("%d sessions in memory after %v, want %d", n, time.Since(began), want)
			}
		}
		began = time.Now()
		r.say("one").wait()
		time.Sleep(59 * time.Second)
		loaded(1)
		time.Sleep(2 * time.Second)
		loaded(0)
		r.works("main")

		w := r.follow("main", -1)
		time.Sleep(time.Hour)
		loaded(1) // it is watched
		r.works("main")
		r.hub.Unfollow("main", w)
		time.Sleep(2 * time.Minute)
		loaded(0)
		r.hub.Unfollow("main", w) // does nothing

		c := r.say("slow")
		time.Sleep(5 * time.Minute)
		loaded(1) // its turn runs
		close(r.hold)
		c.wait()
		time.Sleep(2 * time.Minute)
		loaded(0)
	})
}

var began time.Time

// Posts that race with the end of an idle session are never lost.
func TestPostsRaceWithEnds(t *testing.T) {
	r := newRig(t, newMemory(), func(c *session.Config) { c.IdleAfter = time.Microsecond })
	var group sync.WaitGroup
	for i := range 4 {
		name := fmt.Sprint("s", i%2)
		group.Go(func() {
			for range 100 {
				if o := r.submit(name, openclaw.TurnStarted{Text: "hi"}).wait(); o.Err != nil {
					t.Error(o.Err)
				}
				w := &watcher{}
				if err := r.hub.Follow(context.Background(), name, -1, w, w.began)(); err != nil || w.last == 0 {
					t.Errorf("last %d, %v", w.last, err)
				}
				r.hub.Unfollow(name, w)
			}
		})
	}
	group.Wait()
	r.close()
}

// Drain comes at any moment; whatever was submitted is answered.
func TestDrainRaces(t *testing.T) {
	for range 30 {
		r := newRig(t, newMemory(), nil)
		var group sync.WaitGroup
		for i := range 8 {
			name := fmt.Sprint("s", i%3)
			group.Go(func() {
				for range 5 {
					r.submit(name, openclaw.TurnStarted{Text: "use echo wait"})
					r.hub.Cancel(name, "x", func(string, session.Observer) bool { return i%4 == 0 }, func(int, error) {})
				}
				_ = reply(r.hub.Reset, name)
			})
		}
		group.Go(func() { _ = r.hub.Resume(context.Background()) })
		group.Go(r.stop)
		group.Wait()
		r.close()
	}
}

// What the client is not told is in the gateway's log.
func TestFailuresAreLogged(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for _, text := range []string{"fail", "panic", "hi"} {
			r.say(text).wait()
		}
		r.store.on(func([]openclaw.Event) error { return errors.New("disk") }, nil)
		r.say("hi").wait()
		log := r.log.String()
		for _, want := range []string{"MODEL_ERROR", "no: private", "panic: model", "turn could not be stored", "err=disk"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
}
