package e2e

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

func TestHeartbeatTrigger(t *testing.T) {
	t.Parallel()
	h := newHome(t).set("OPENCLAW_HEARTBEAT_ENABLED=false") // a trigger works all the same
	c := h.start().dial(client.Options{})
	trigger := func(dry bool) protocol.HeartbeatStatus {
		t.Helper()
		s, err := client.Ask[protocol.HeartbeatStatus](within(t), c, protocol.TypeHeartbeatTrigger, protocol.HeartbeatTrigger{DryRun: dry})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for what, tasks := range map[string]string{"": "", "an empty file": "\n", "headings": "# Tasks\n\n<!-- none -->\n"} {
		if what != "" {
			h.write("HEARTBEAT.md", tasks)
		}
		if s := trigger(false); s.Result != protocol.HeartbeatOK || s.TokensUsed != 0 || s.ActionsTaken != 0 {
			t.Errorf("with nothing to do (%s): %+v", what, s)
		}
	}
	h.write("HEARTBEAT.md", "# Tasks\n\n- run: echo beat >> beat.txt\n- Be watchful.\n")
	if s := trigger(true); s.Result != protocol.HeartbeatOK || len(s.Due) == 0 || s.TokensUsed != 0 || s.ActionsTaken != 0 {
		t.Errorf("a dry run says %+v", s)
	}
	if _, err := os.Stat(h.workspace("beat.txt")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dry run has done something: %v", err)
	}
	if s := trigger(false); s.Result != protocol.HeartbeatActed || s.ActionsTaken != 1 || s.TokensUsed <= 0 || s.Text == "" {
		t.Errorf("the heartbeat says %+v", s)
	}
	if got, err := os.ReadFile(h.workspace("beat.txt")); err != nil || string(got) != "beat\n" {
		t.Errorf("the heartbeat wrote %q, %v", got, err)
	}
}

// TestHeartbeatByTheClock waits for a heartbeat that nobody asked for.
func TestHeartbeatByTheClock(t *testing.T) {
	t.Parallel()
	h := newHome(t).set("OPENCLAW_HEARTBEAT_INTERVAL=1")
	h.write("HEARTBEAT.md", "- run: echo beat >> beat.txt\n")
	g := h.start()
	told := make(chan protocol.Message, 100)
	for range 2 { // everybody is told
		g.dial(client.Options{Notify: func(m protocol.Message) { told <- m }})
	}
	for range 2 {
		select {
		case m := <-told:
			var s protocol.HeartbeatStatus
			if err := m.Into(&s); err != nil || m.Type != protocol.TypeHeartbeatStatus || m.ID != "" ||
				s.Result != protocol.HeartbeatActed || s.ActionsTaken != 1 {
				t.Errorf("a heartbeat by the clock says %s %q %s, %v", m.Type, m.ID, m.Payload, err)
			}
		case <-time.After(patience):
			t.Fatal("no heartbeat by the clock")
		}
	}
	g.stop()
}
