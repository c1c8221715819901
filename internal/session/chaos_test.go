package session_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// seed is where random choices begin. Runs are alike unless somebody wants
// another one.
var seed = flag.Uint64("seed", 1, "begin random choices here; 0: anywhere")

func firstSeed(t *testing.T) uint64 {
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("to repeat the random choices: -seed=%d", n)
	return n
}

// Any mixture of turns, faults, resets, pauses and restarts leaves logs in
// order, answers each request once, and ends with a session that works.
func TestAnything(t *testing.T) {
	first := firstSeed(t)
	for i := range uint64(150) {
		t.Run(fmt.Sprint(first+i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { anything(t, rand.New(rand.NewPCG(first+i, 0))) })
		})
	}
}

// tryCancel cancels on a store that may be broken.
func tryCancel(h *session.Hub) string {
	answer := make(chan string, 1)
	h.Cancel("main", "test", all, func(n int, err error) { answer <- fmt.Sprint(n, " ", err) })
	return <-answer
}

func anything(t *testing.T, random *rand.Rand) {
	store := newMemory()
	r := newRig(t, store, nil)
	w := r.follow("main", 0)
	for range 1 + random.IntN(12) {
		var did string
		switch random.IntN(10) {
		default:
			started := anyTurn(random)
			did = fmt.Sprintf("submit %+v", started)
			r.submit("main", started)
		case 5:
			did = "cancel " + tryCancel(r.hub)
		case 6:
			did = breakStore(store, random)
		case 4:
			did = "reads work"
			store.breakReads(nil, 0)
		case 7:
			did = fmt.Sprintf("reset: %v", reply(r.hub.Reset, "main"))
		case 8:
			did = "restart"
			r.close()
			store.breakReads(nil, 0)
			r = newRig(t, store, nil)
			w = r.follow("main", int64(len(store.log("main"))))
			if err := r.hub.Resume(t.Context()); err != nil {
				t.Error(err)
			}
		case 9:
			did = "pause"
			time.Sleep(2 * time.Minute)
		}
		if random.IntN(2) == 0 {
			did += ", settle"
			synctest.Wait()
		}
		t.Log(did)
	}
	store.on(nil, nil)
	store.breakReads(nil, 0)
	synctest.Wait() // a read that failed before now may still be answering
	r.cancel("main", all)
	synctest.Wait()
	r.works("main")
	if seqs := w.seqs(); !slices.Equal(seqs, count(w.last+1, int64(len(store.log("main"))))) {
		t.Errorf("after %d a subscriber saw %v", w.last, seqs)
	}
	r.close()
}

func anyTurn(random *rand.Rand) openclaw.TurnStarted {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	return openclaw.TurnStarted{
		Text:           pick("hi", "use echo", "use echo echo wait", "use broken", "fail", "panic", "slow"),
		IdempotencyKey: pick("", "", "a", "b"),
		Options:        openclaw.TurnOptions{Fresh: random.IntN(6) == 0, NoMemory: random.IntN(6) == 0},
	}
}

// breakStore lets the next append or two with an event of some kind fail,
// before or after they are stored.
func breakStore(store *memory, random *rand.Rand) string {
	kinds := []openclaw.Kind{openclaw.KindTurnStarted, openclaw.KindToolCall, openclaw.KindToolResult,
		openclaw.KindTurnFailed, openclaw.KindTurnCompleted, openclaw.KindTurnCancelled, openclaw.KindCompacted}
	kind, times := kinds[random.IntN(len(kinds))], 1+random.IntN(2)
	fault, blind := failAt(kind, times), random.IntN(3)
	switch random.IntN(3) {
	case 0:
		store.on(nil, fault)
		return fmt.Sprintf("lose %d %s", times, kind)
	case 1:
		store.on(nil, func(events []openclaw.Event) error {
			err := fault(events)
			if err != nil {
				store.breakReads(err, blind)
			}
			return err
		})
		return fmt.Sprintf("lose %d %s, and break reads", times, kind)
	}
	store.on(fault, nil)
	return fmt.Sprintf("refuse %d %s", times, kind)
}
