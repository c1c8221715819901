package session_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/session"
)

func TestNoMemory(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("remember me").wait()
		before := r.store.log("main")
		w := r.follow("main", -1)
		c := r.submit("main", openclaw.TurnStarted{Text: "use echo", Options: openclaw.TurnOptions{NoMemory: true}})
		o := c.wait()
		if o.Err != nil || o.Text != "used it" || o.Seq != 0 || len(o.Calls) != 1 {
			t.Errorf("outcome %+v", o)
		}
		if got := kinds(c.seen()); got != "text tool_call tool_result text turn_completed" {
			t.Errorf("the requester saw %s", got)
		}
		if diff := cmp.Diff(before, r.store.log("main")); diff != "" || len(w.seen()) > 0 {
			t.Errorf("it left traces: %s %v", diff, w.seen())
		}
		if m := r.model.Requests()[1].Messages; len(m) != 1 {
			t.Errorf("it saw %v", m)
		}
		r.works("main")
	})
}

// A failed turn without memory leaves nothing either, not even a session.
func TestNoMemoryFails(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for _, text := range []string{"fail", "panic", "use broken"} {
			c := r.submit("none", openclaw.TurnStarted{Text: text, Options: openclaw.TurnOptions{NoMemory: true}})
			if c.code() == "" {
				t.Errorf("%s did not fail", text)
			}
		}
		if log := r.store.log("none"); len(log) > 0 {
			t.Errorf("stored %v", log)
		}
	})
}

func TestFresh(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("remember me").wait()
		fresh := openclaw.TurnStarted{Text: "use echo", Options: openclaw.TurnOptions{Fresh: true}}
		if o := r.submit("main", fresh).wait(); o.Err != nil || o.Seq != 9 {
			t.Errorf("outcome %+v", o)
		}
		if m := r.model.Requests()[1].Messages; len(m) != 1 {
			t.Errorf("it saw %v", m)
		}
		r.works("main") // later turns see it
	})
}

func TestTimeoutOfTheRequest(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for own, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: 10 * time.Minute, 0: 10 * time.Minute} {
			began := time.Now()
			c := r.submit("main", openclaw.TurnStarted{Text: "slow", Options: openclaw.TurnOptions{Timeout: own}})
			if c.code() != openclaw.CodeTimeout || time.Since(began) != want {
				t.Errorf("timeout %v: %v after %v, want %v", own, c.code(), time.Since(began), want)
			}
		}
	})
}

// A changed agent takes effect with the next turn.
func TestAgentOfTheMoment(t *testing.T) {
	inBubble(t, func(c *session.Config) {
		n := 0
		first := c.Agent()
		c.Agent = func() *agent.Agent { n++; return first }
		t.Cleanup(func() {
			if n != 2 {
				t.Errorf("Agent was called %d times, want once a turn", n)
			}
		})
	}, func(r *rig) {
		r.say("hi").wait()
		r.say("use echo").wait()
	})
}
