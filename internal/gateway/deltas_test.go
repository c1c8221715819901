package gateway_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// TestDeltasOfAClientThatIsBehind streams to clients that read at once and to
// some that do not: those get the same text in fewer frames, and before
// whatever comes after it.
func TestDeltasOfAClientThatIsBehind(t *testing.T) {
	words := strings.SplitAfter(strings.Repeat("a word ", 500), " ")
	for name, test := range map[string]struct {
		behind      bool
		first, chat string
		frames      int
	}{
		"subscriber":            {false, `{"type":"subscribe","id":"1","payload":{"session":"main"}}`, ``, len(words) - 1},
		"subscriber behind":     {true, `{"type":"subscribe","id":"1","payload":{"session":"main"}}`, ``, 1},
		"requester":             {false, ``, `,"options":{"stream":true}`, len(words) - 1},
		"requester behind":      {true, ``, `,"options":{"stream":true}`, 1},
		"behind, and no memory": {true, ``, `,"options":{"stream":true,"no_memory":true}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, settings{}, []step{{Words: words[:len(words)-1]}})
				defer r.close(t)
				conn := &recorder{}
				conn.behind.Store(test.behind)
				c := r.gateway.Connect(conn)
				defer c.Close()
				if test.first != "" {
					c.Receive([]byte(test.first))
				}
				c.Receive([]byte(`{"type":"chat","id":"2","payload":{"text":"x"` + test.chat + `}}`))
				synctest.Wait()
				frames, written := 0, ""
				for _, frame := range conn.take() {
					if strings.Contains(frame, `"kind":"delta"`) {
						_, rest, _ := strings.Cut(frame, `"text":"`)
						text, _, _ := strings.Cut(rest, `"`)
						frames, written = frames+1, written+text
					} else if written != "" && frames != test.frames {
						t.Fatalf("after %d deltas comes %s", frames, frame)
					}
				}
				if frames != test.frames || written != strings.Repeat("a word ", 500) {
					t.Errorf("%d deltas, want %d; %d bytes", frames, test.frames, len(written))
				}
			})
		})
	}
}
