package session_test

import (
	"testing"
	"testing/synctest"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// A heartbeat never delays somebody's turn: one that runs is cancelled, one
// that waits goes last.
func TestHeartbeatGivesWay(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		beat := openclaw.TurnStarted{Source: openclaw.SourceHeartbeat, Text: "slow beat"}
		running := r.submit("main", beat)
		synctest.Wait()
		waiting := r.submit("main", openclaw.TurnStarted{Source: openclaw.SourceHeartbeat, Text: "beat"})
		person := r.say("hi")
		if code := running.code(); code != openclaw.CodeCancelled || running.wait().Err.Details["by"] != session.ByUser {
			t.Errorf("the heartbeat that ran: %v", running.wait().Err)
		}
		first, last := person.wait(), waiting.wait()
		if first.Err != nil || last.Err != nil || first.Seq > last.Seq {
			t.Errorf("the person: %+v, the heartbeat that waited: %+v", first, last)
		}
		r.works("main")
	})
}
