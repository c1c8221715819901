//go:build !race

package ws_test

import (
	"runtime"
	"testing"

	"github.com/openclaw/openclaw-go/internal/ws"
)

// TestMessageAllocations bounds what a message and its answer allocate between
// the socket and the gateway, the test's own client included: a buffer, a timer
// or a goroutine for each would show. The race detector allocates on its own
// account, so this test is not built with it.
func TestMessageAllocations(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	c := rawDial(t, url, "")
	const n, most = 500, 30 // 25, and a fifth for a newer compiler or library
	for _, warm := range []bool{true, false} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			c.say(t, frame(fin|text, toolList))
			if _, _, err := c.hear(); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if got := (after.Mallocs - before.Mallocs) / n; !warm && got > most {
			t.Errorf("a message allocates %d times, want at most %d", got, most)
		}
	}
}
