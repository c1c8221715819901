package crashtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/protocol"
)

// killed returns a home whose gateway was killed at work, and the number of
// the last event that the client of each conversation was told of.
func killed(t *testing.T, sync string) (home, map[string]int64) {
	t.Helper()
	h := newHome(t)
	o := h.options()
	o.Sync, o.Place, o.N = sync, afterAppend, 60
	p := start(t, h, o)
	told := chatUntilKilled(t, p.ready(t))
	if err := p.end(true); err != nil {
		t.Fatal(err)
	}
	return h, told
}

// chatUntilKilled holds a few conversations until the connection is lost.
func chatUntilKilled(t *testing.T, url string) map[string]int64 {
	t.Helper()
	c := dial(t, url)
	told := map[string]int64{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 3 {
		session := fmt.Sprint("s", i)
		wg.Go(func() {
			for n := 0; ; n++ {
				r, err := say(t.Context(), c, session, script{Key: fmt.Sprintf("k%d-%d", i, n), Steps: 2, Calls: 1})
				if errors.Is(err, context.DeadlineExceeded) || codeOf(err) != "" {
					t.Error(err)
				}
				if err != nil {
					return
				}
				mu.Lock()
				told[session] = r.Seq
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return told
}

// frameSize is the size of a frame of the write-ahead log: a header and a page.
const frameSize = 24 + 4096

// TestTornLog tears the write-ahead log of a killed gateway in the ways a power
// cut can when nothing was synced since the last checkpoint (store.sync
// normal): the end is missing, is zeros, or was never meant to be there. The
// gateway must come up with the beginning of every conversation, and go on.
func TestTornLog(t *testing.T) {
	t.Parallel()
	h, _ := killed(t, sqlite.SyncNormal)
	whole := mustRead(t, h)
	wal, err := os.ReadFile(h.store() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if salt := binary.BigEndian.Uint32(wal); salt&^1 != 0x377f0682 {
		t.Fatalf("the write-ahead log begins with %x", salt)
	}
	rng := rand.New(rand.NewPCG(randomSeed(t), 1))
	somewhere := 32 + rng.IntN(len(wal)-32)
	cut := func(at int) []byte { return wal[:at] }
	tests := map[string][]byte{
		"nothing left":      nil,
		"half a frame":      cut(len(wal) - frameSize/2),
		"zeros at the end":  append(cut(somewhere)[:somewhere:somewhere], make([]byte, len(wal)-somewhere)...),
		"one bit elsewhere": flip(wal, somewhere),
	}
	if thorough() {
		tests["half a header"], tests["header only"], tests["cut somewhere"] = cut(20), cut(32), cut(somewhere)
	}
	for name, torn := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.copy(t, torn)
			goOn(t, h, whole)
			wantRanOnce(t, h)
		})
	}
}

// flip returns data with one bit changed.
func flip(data []byte, at int) []byte {
	out := append([]byte(nil), data...)
	out[at] ^= 0x10
	return out
}

// copy returns another home with the same store and the write-ahead log given.
func (h home) copy(t testing.TB, wal []byte) home {
	t.Helper()
	to := newHome(t)
	data, err := os.ReadFile(h.store())
	if err == nil {
		err = errors.Join(os.WriteFile(to.store(), data, 0o600), os.WriteFile(to.store()+"-wal", wal, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// goOn starts a gateway on what is left of a log, and uses it like a client
// that has seen the whole.
func goOn(t *testing.T, h home, whole logs) {
	t.Helper()
	left := mustRead(t, h)
	for session, events := range left {
		if len(events) > len(whole[session]) {
			t.Errorf("%s: %d events are left of %d", session, len(events), len(whole[session]))
		}
	}
	p, c := serve(t, h, h.options())
	for session, events := range whole {
		resubscribe(t, c, session, int64(len(events)), int64(len(left[session])))
		r := mustSay(t, c, session, script{Key: "after-" + session, Steps: 1, Calls: 1})
		if want := (&tally{ran: 1}).text("after-" + session); r.Text != want {
			t.Errorf("the answer is %q, want %q", r.Text, want)
		}
	}
	mustStop(t, p)
	wantSound(t, h, left)
}

// resubscribe asks for what came after the event seen, when the log may end
// before that: the gateway must say so, and not wait in silence until seq has
// grown past it.
func resubscribe(t *testing.T, c *client.Client, session string, seen, last int64) {
	t.Helper()
	subscribe := func(after int64) (protocol.Subscribed, error) {
		return client.Ask[protocol.Subscribed](t.Context(), c, protocol.TypeSubscribe,
			protocol.Subscribe{Session: session, AfterSeq: &after})
	}
	_, err := subscribe(seen)
	beyond := codeOf(err) == openclaw.CodeInvalidMessage
	switch {
	case seen <= last && err != nil, last == 0 && !beyond:
		t.Errorf("%s: subscribing after %d of %d: %v", session, seen, last, err)
	case err != nil && !beyond: // a turn that resumes may have got that far
		t.Errorf("%s: subscribing after %d of %d: %v", session, seen, last, err)
	}
	if _, err := subscribe(0); err != nil {
		t.Errorf("%s: subscribing from the beginning: %v", session, err)
	}
}

// TestKilledWhileWriting appends to the write-ahead log what a process leaves
// that is killed in the middle of a commit: nothing that a client was told of
// is missing.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	h, told := killed(t, sqlite.SyncFull)
	whole := mustRead(t, h)
	wal, err := os.ReadFile(h.store() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	for name, tail := range map[string][]byte{
		"garbage":         []byte("half of something"),
		"half a frame":    wal[32 : 32+frameSize/2],
		"frame of before": wal[32 : 32+frameSize],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.copy(t, append(wal[:len(wal):len(wal)], tail...))
			left := mustRead(t, h)
			for session, seq := range told {
				if n := len(left[session]); int64(n) < seq || n != len(whole[session]) {
					t.Errorf("%s: %d events are left of %d; a client was told of %d", session, n, len(whole[session]), seq)
				}
			}
			goOn(t, h, whole)
			wantRanOnce(t, h)
		})
	}
}
