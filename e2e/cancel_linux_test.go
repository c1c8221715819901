package e2e

import (
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// fugitives is a script whose processes try to outlive it: one in a session
// of its own that ignores signals, one whose parent ends at once, and the shell
// itself.
const fugitives = `setsid sh -c "trap '' HUP INT TERM; echo \$\$ > first; while :; do sleep 300; done" & ` +
	`(sh -c "echo \$\$ > second; exec sleep 300" &); echo $$ > third; sleep 300; sleep 300`

// TestCancel cancels a turn whose command has scattered.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.start().socket("/", nil)
	s.send(`{"type":"chat","id":"slow","payload":{"text":"run: ` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(fugitives) + `"}}`)
	pids := []int{h.pid("first"), h.pid("second"), h.pid("third")}
	begin, had := time.Now(), scheduled()
	s.send(`{"type":"cancel","id":"stop","payload":{"request_id":"slow"}}`)
	got := s.answers("stop", "slow")
	took, slower := time.Since(begin), had.slower()
	if f := got["stop"]; f.Type != protocol.TypeOK || *decode[protocol.OK](t, f).Cancelled != 1 {
		t.Errorf("the cancellation is answered by %s", f.text)
	}
	if e := refused(t, got["slow"]); e.Code != openclaw.CodeCancelled {
		t.Errorf("the turn ends with %+v", e)
	}
	// What the protocol promises is for an idle machine; the tests of a whole
	// repository keep one busy.
	promised := 2 * time.Second
	if raceDetector {
		promised = 5 * time.Second
	}
	if promised = time.Duration(slower * float64(promised)); took > promised {
		t.Errorf("the cancellation took %s, want at most %s", took, promised)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("the process %d has survived", pid)
		}
	}
	s.send(`{"type":"chat","id":"next","payload":{"text":"run: echo on it goes"}}`)
	if f := s.answer("next"); f.Type != protocol.TypeResponse {
		t.Errorf("the next turn ends with %s", f.text)
	}
}
