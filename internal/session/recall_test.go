package session_test

import (
	"context"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// What is recalled is stored with the turn and said once in a conversation;
// a turn without memory does not even ask.
func TestRecall(t *testing.T) {
	asked := 0
	recall := func(c *session.Config) {
		c.Recall = func(_ context.Context, started openclaw.TurnStarted) string {
			asked++
			return "- likes tea\n- called " + started.Text
		}
	}
	inBubble(t, recall, func(r *rig) {
		r.say("one").wait()
		r.say("two").wait()
		r.say("one").wait()
		r.submit("main", openclaw.TurnStarted{Text: "three", Options: openclaw.TurnOptions{NoMemory: true}}).wait()
		r.submit("main", openclaw.TurnStarted{Text: "four", Options: openclaw.TurnOptions{Fresh: true}}).wait()
		r.submit("main", openclaw.TurnStarted{Text: "five", Recall: "- given"}).wait()
		var got []string
		for _, ev := range r.store.log("main") {
			if b, ok := ev.Body.(openclaw.TurnStarted); ok {
				got = append(got, b.Text+": "+b.Recall)
			}
		}
		want := "one: - likes tea\n- called one; two: - called two; one: ; four: - likes tea\n- called four; five: - given"
		if s := strings.Join(got, "; "); s != want || asked != 4 {
			t.Errorf("stored %q, asked %d times", s, asked)
		}
		requests := r.model.Requests()
		if last := requests[3].Messages[0].Parts; len(last) < 1 || strings.Contains(last[len(last)-1].Text, "tea") {
			t.Errorf("a turn without memory reads %v", last)
		}
		if parts := requests[0].Messages[0].Parts; len(parts) != 2 || !strings.Contains(parts[1].Text, "- likes tea\n- called one\n</data-") {
			t.Errorf("the model reads %v", parts)
		}
	})
}
