package session_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

const asked = "turn_started text tool_call approval_requested approval_resolved tool_result "

// output returns what the model read of the last call.
func (r *rig) output(name string) (output string) {
	for _, ev := range r.store.log(name) {
		if b, ok := ev.Body.(openclaw.ToolReturned); ok {
			output = b.Output
		}
	}
	return output
}

// approve answers the only question and returns what came of it.
func (r *rig) approve(decision string) error {
	r.t.Helper()
	synctest.Wait()
	list := r.hub.Questions()
	if len(list) != 1 {
		r.t.Fatalf("%d questions wait", len(list))
	}
	reply := make(chan error, 1)
	r.hub.Approve(list[0].Body.(openclaw.ApprovalRequested).ApprovalID, decision, func(err error) { reply <- err })
	return <-reply
}

func TestApproval(t *testing.T) {
	for name, tt := range map[string]struct {
		follow bool
		answer func(r *rig, c *caller)
		output string
		ran    int
		code   openclaw.Code
		log    string
	}{
		"nobody is there": {output: "deny by nobody", log: asked + "text turn_completed"},
		"answered": {follow: true, output: "session by client", ran: 1, log: asked + "text turn_completed",
			answer: func(r *rig, _ *caller) { _ = r.approve(openclaw.DecideSession) }},
		"denied": {follow: true, output: "deny by client", log: asked + "text turn_completed",
			answer: func(r *rig, _ *caller) { _ = r.approve(openclaw.DecideDeny) }},
		"too late": {follow: true, output: "deny by timeout", log: asked + "text turn_completed"},
		"cancelled": {follow: true, output: "stopped before it finished", code: openclaw.CodeCancelled, log: asked + "turn_cancelled",
			answer: func(r *rig, _ *caller) { synctest.Wait(); r.cancel("main", all) }},
		"deleted": {follow: true, code: openclaw.CodeCancelled,
			answer: func(r *rig, _ *caller) { synctest.Wait(); _ = reply(r.hub.Delete, "main") }},
		"the question cannot be stored": {follow: true, output: "error: " + errDisk.Message, log: "turn_started text tool_call tool_result text turn_completed",
			answer: func(r *rig, _ *caller) {}},
		"the answer cannot be stored": {follow: true, output: "deny by end", log: "turn_started text tool_call approval_requested tool_result text turn_completed",
			answer: func(r *rig, _ *caller) {
				if err := r.approve(openclaw.DecideOnce); openclaw.CodeOf(err) != openclaw.CodeInternal {
					r.t.Errorf("approve: %v", err)
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				switch name {
				case "the question cannot be stored":
					r.store.on(failAt(openclaw.KindApprovalRequested, 1), nil)
				case "the answer cannot be stored":
					r.store.on(failAt(openclaw.KindApprovalResolved, 1), nil)
				}
				if tt.follow {
					r.follow("main", 0)
				}
				c := r.say("use careful")
				if tt.answer != nil {
					tt.answer(r, c)
				}
				if got := c.code(); got != tt.code {
					t.Errorf("code %q, want %q", got, tt.code)
				}
				if got := r.output("main"); got != tt.output {
					t.Errorf("the model read %q, want %q", got, tt.output)
				}
				r.wantLog("main", tt.log)
				if ran := r.used(); len(ran) != tt.ran {
					t.Errorf("ran %v", ran)
				}
				if left := r.hub.Questions(); len(left) > 0 {
					t.Errorf("left open: %v", left)
				}
			})
		})
	}
}

// A question counts once: the second of two answers at the same time fails.
func TestAnswersCountOnce(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.follow("main", 0)
		c := r.say("use careful")
		synctest.Wait()
		id := r.hub.Questions()[0].Body.(openclaw.ApprovalRequested).ApprovalID
		var mu sync.Mutex
		var codes []openclaw.Code
		var wg sync.WaitGroup
		for _, decision := range []string{openclaw.DecideOnce, openclaw.DecideDeny, openclaw.DecideAlways} {
			wg.Go(func() {
				r.hub.Approve(id, decision, func(err error) {
					mu.Lock()
					defer mu.Unlock()
					codes = append(codes, openclaw.CodeOf(err))
				})
			})
		}
		wg.Wait()
		c.wait()
		synctest.Wait()
		slices.Sort(codes)
		if want := []openclaw.Code{"", openclaw.CodeNotFound, openclaw.CodeNotFound}; !slices.Equal(codes, want) {
			t.Errorf("answers: %q", codes)
		}
	})
}

// approver is an observer that can answer.
type approver struct {
	caller
	there bool
}

func (a *approver) Approves() bool { return a.there }

func TestWhoCanAnswer(t *testing.T) {
	ask := func(r *rig, there, noMemory bool) *approver {
		a := &approver{caller: caller{id: "a", done: make(chan struct{})}, there: there}
		started := openclaw.TurnStarted{Text: "use careful", Options: openclaw.TurnOptions{NoMemory: noMemory}}
		r.hub.Submit(session.Request{Session: "main", ID: "a", Started: started, Observer: a})
		synctest.Wait()
		return a
	}
	inBubble(t, nil, func(r *rig) {
		if a := ask(r, false, false); !a.finished() {
			t.Error("a requester that has gone was waited for")
		}
		a := ask(r, true, false)
		if err := r.approve(openclaw.DecideOnce); err != nil || a.wait().Err != nil || len(r.used()) != 1 {
			t.Errorf("the requester's answer: %v, %v", err, a.wait().Err)
		}
		w := &watcher{}
		unfollow := r.hub.FollowApprovals(w)
		a = ask(r, false, false)
		if err := r.approve(openclaw.DecideOnce); err != nil || kinds(w.seen()) != "approval_requested approval_resolved" {
			t.Errorf("one that follows all approvals: %v, saw %s", err, kinds(w.seen()))
		}
		a.wait()
		unfollow()
		if a := ask(r, false, false); !a.finished() {
			t.Error("one that follows no more was waited for")
		}
	})
	// A turn without memory is shown to no subscriber, so none can answer.
	inBubble(t, nil, func(r *rig) {
		r.follow("main", 0)
		if a := ask(r, false, true); !a.finished() {
			t.Error("a subscriber was waited for that sees nothing")
		}
		a := ask(r, true, true)
		if err := r.approve(openclaw.DecideOnce); err != nil || a.wait().Err != nil {
			t.Errorf("without memory: %v", err)
		}
		r.wantLog("main", "")
	})
}

// prompt is a subscriber that answers before it returns.
type prompt struct {
	watcher
	hub   *session.Hub
	codes chan openclaw.Code
}

func (p *prompt) Live(d *session.Delivery) {
	p.watcher.Live(d)
	if q, ok := d.Event.Body.(openclaw.ApprovalRequested); ok {
		p.hub.Approve(q.ApprovalID, openclaw.DecideOnce, func(err error) { p.codes <- openclaw.CodeOf(err) })
	}
}

// An answer counts that comes as soon as the question is seen.
func TestPromptAnswer(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		p := &prompt{hub: r.hub, codes: make(chan openclaw.Code, 1)}
		if err := r.hub.Follow(context.Background(), "main", 0, p, p.began)(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c := r.say("use careful")
		if code := <-p.codes; code != "" {
			t.Errorf("the answer is refused: %s", code)
		}
		if c.wait(); len(r.used()) != 1 {
			t.Error("the tool has not run")
		}
	})
}

// A question that all have left who could answer it keeps nobody waiting; one
// who comes back in time can still answer.
func TestApproverLeaves(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		w := &watcher{}
		unfollow := r.hub.FollowApprovals(w)
		c := r.say("use careful")
		time.Sleep(15 * time.Second)
		unfollow()
		time.Sleep(time.Second)
		unfollow = r.hub.FollowApprovals(w)
		time.Sleep(15 * time.Second)
		if c.finished() {
			t.Fatal("it was denied while somebody was there")
		}
		unfollow()
		time.Sleep(11 * time.Second)
		if !c.finished() {
			t.Error("it waits for an answer that nobody can give")
		}
	})
}

// A question that is open when the gateway stops is denied, and the turn that
// resumes hears that its call did not run.
func TestStopWithAnOpenQuestion(t *testing.T) {
	for name, crash := range map[string]bool{"shutdown": false, "crash": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemory()
				r := newRig(t, store, nil)
				w := r.follow("main", 0)
				r.say("use careful")
				synctest.Wait()
				if crash { // nothing of the end gets into the log
					store.on(func([]openclaw.Event) error { return errDisk }, nil)
				}
				r.stop()
				store.on(nil, nil)
				if !crash && kinds(w.seen()) != "turn_started text tool_call approval_requested approval_resolved tool_result" {
					t.Errorf("the subscriber saw %s", kinds(w.seen()))
				}
				r = newRig(t, store, nil)
				if err := r.hub.Resume(context.Background()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				r.wantLog("main", asked+"text turn_completed")
				if len(r.used()) > 0 {
					t.Errorf("ran %v", r.used())
				}
				r.close()
			})
		})
	}
}
