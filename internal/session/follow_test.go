package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// watcher is a Subscriber that remembers everything.
type watcher struct {
	replay func() error // called by Replay

	mu     sync.Mutex
	events []openclaw.Event
	last   int64 // what began was told
	gone   *openclaw.Error
}

func (w *watcher) add(d *session.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, d.Event)
}

func (w *watcher) Live(d *session.Delivery) { w.add(d) }

func (w *watcher) Replay(d *session.Delivery) error {
	if w.replay != nil {
		if err := w.replay(); err != nil {
			return err
		}
	}
	w.add(d)
	return nil
}

func (w *watcher) Gone(_ string, err *openclaw.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = err
}

func (w *watcher) began(last int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = last
}

func (w *watcher) ended() *openclaw.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

func (w *watcher) seen() []openclaw.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// seqs returns the numbers of what was seen, without deltas.
func (w *watcher) seqs() []int64 {
	var out []int64
	for _, ev := range w.seen() {
		if ev.Seq > 0 {
			out = append(out, ev.Seq)
		}
	}
	return out
}

func count(from, to int64) []int64 {
	var out []int64
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

// follow attaches a watcher that catches up without trouble.
func (r *rig) follow(name string, after int64) *watcher {
	r.t.Helper()
	w := &watcher{}
	if err := r.hub.Follow(context.Background(), name, after, w, w.began)(); err != nil {
		r.t.Fatal(err)
	}
	return w
}

func TestFollow(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		early := r.follow("main", 0) // the session is not there yet
		r.say("one").wait()
		for after, want := range map[int64][]int64{-1: count(4, 6), 0: count(1, 6), 2: count(3, 6), 3: count(4, 6)} {
			w := r.follow("main", after)
			defer func() {
				if !slices.Equal(w.seqs(), want) || w.last != 3 {
					t.Errorf("after %d: saw %v, last %d; want %v", after, w.seqs(), w.last, want)
				}
			}()
		}
		r.say("two").wait()
		if !slices.Equal(early.seqs(), count(1, 6)) || early.last != 0 {
			t.Errorf("the early one saw %v", early.seqs())
		}
		deltas := 0
		for _, ev := range early.seen() {
			if ev.Kind() == openclaw.KindDelta {
				deltas++
			}
		}
		if deltas != 4 {
			t.Errorf("%d deltas, want 4", deltas)
		}
	})
}

func TestFollowBeyondTheEnd(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("one").wait()
		w := &watcher{}
		err := r.hub.Follow(r.t.Context(), "main", 4, w, func(int64) { t.Error("it began") })()
		if openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
			t.Errorf("error %v", err)
		}
		r.say("two").wait()
		if len(w.seen()) > 0 {
			t.Errorf("saw %v", w.seen())
		}
	})
}

func TestFollowTooLate(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		ctx, cancel := context.WithCancel(r.t.Context())
		cancel()
		err := r.hub.Follow(ctx, "main", 0, &watcher{}, func(int64) { t.Error("it began") })()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		r.say("one").wait()
	})
}

// What happens while a slow subscriber replays the past comes after it, once.
func TestSlowReplay(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("one").wait()
		step := make(chan struct{})
		w := &watcher{replay: func() error { <-step; return nil }}
		caughtUp := make(chan error, 1)
		catchUp := r.hub.Follow(r.t.Context(), "main", 0, w, w.began)
		go func() { caughtUp <- catchUp() }()
		step <- struct{}{}
		r.say("two").wait()
		synctest.Wait()
		if got := w.seqs(); !slices.Equal(got, count(1, 1)) {
			t.Errorf("saw %v while it replays", got)
		}
		for range 5 {
			step <- struct{}{}
		}
		if err := <-caughtUp; err != nil {
			t.Error(err)
		}
		r.say("three").wait()
		if got := w.seqs(); !slices.Equal(got, count(1, 9)) {
			t.Errorf("saw %v", got)
		}
		r.hub.Unfollow("main", w)
		r.say("four").wait()
		if got := w.seqs(); !slices.Equal(got, count(1, 9)) {
			t.Errorf("saw %v after Unfollow", got)
		}
	})
}

// However a replay ends before its time, nothing stays attached, and the idle
// session can go.
func TestReplayThatEnds(t *testing.T) {
	errNo := errors.New("no more")
	for name, tt := range map[string]struct {
		end  func(r *rig, w *watcher, cancel context.CancelCauseFunc)
		want func(err error) bool
	}{
		"Unfollow": {func(r *rig, w *watcher, _ context.CancelCauseFunc) { r.hub.Unfollow("main", w) },
			func(err error) bool { return openclaw.CodeOf(err) == openclaw.CodeCancelled }},
		"context": {func(_ *rig, _ *watcher, cancel context.CancelCauseFunc) { cancel(errNo) },
			func(err error) bool { return errors.Is(err, errNo) }},
		"refusal": {func(_ *rig, w *watcher, _ context.CancelCauseFunc) {
			w.replay = func() error { return errNo }
		}, func(err error) bool { return errors.Is(err, errNo) }},
		"Delete": {func(r *rig, _ *watcher, _ context.CancelCauseFunc) { _ = reply(r.hub.Delete, "main") },
			func(err error) bool { return openclaw.CodeOf(err) == openclaw.CodeSessionNotFound }},
		"Delete and begin again": {func(r *rig, _ *watcher, _ context.CancelCauseFunc) {
			_ = reply(r.hub.Delete, "main")
			r.say("use echo").wait()
		}, func(err error) bool { return openclaw.CodeOf(err) == openclaw.CodeSessionNotFound }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(r *rig) {
				r.say("one").wait()
				step := make(chan struct{})
				w := &watcher{}
				w.replay = func() error { <-step; return nil }
				ctx, cancel := context.WithCancelCause(r.t.Context())
				catchUp := r.hub.Follow(ctx, "main", 0, w, w.began)
				caughtUp := make(chan error, 1)
				go func() { caughtUp <- catchUp() }()
				synctest.Wait() // in Replay
				tt.end(r, w, cancel)
				synctest.Wait()
				step <- struct{}{}
				if err := <-caughtUp; !tt.want(err) {
					t.Errorf("error %v", err)
				}
				r.say("two").wait()
				if got := w.seqs(); len(got) > 1 {
					t.Errorf("saw %v", got)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if n := r.hub.Stats().Loaded; n != 0 {
					t.Errorf("%d sessions in memory", n)
				}
			})
		})
	}
}

// Unfollow at the last moment of a replay does not pass for success.
func TestUnfollowInReplay(t *testing.T) {
	for range 20 { // what comes second is a matter of luck
		inBubble(t, nil, func(r *rig) {
			r.say("one").wait()
			w := &watcher{}
			n := 0
			w.replay = func() error {
				if n++; n == 3 {
					r.hub.Unfollow("main", w)
				}
				return nil
			}
			err := r.hub.Follow(context.Background(), "main", 0, w, w.began)()
			if openclaw.CodeOf(err) != openclaw.CodeCancelled {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDeleteTellsSubscribers(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.say("one").wait()
		w, other := r.follow("main", 0), r.follow("other", 0)
		if err := reply(r.hub.Delete, "main"); err != nil {
			t.Fatal(err)
		}
		if openclaw.CodeOf(errOrNil(w.ended())) != openclaw.CodeSessionNotFound || other.ended() != nil {
			t.Errorf("gone: %v and %v", w.ended(), other.ended())
		}
		r.works("main")
		if got := w.seqs(); !slices.Equal(got, count(1, 3)) {
			t.Errorf("saw %v of the new session", got)
		}
	})
}

func errOrNil(e *openclaw.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// Followers that come and go at random places of a log that grows see each
// event once and in order.
func TestFollowUnderLoad(t *testing.T) {
	const turns, followers = 60, 40
	seed := firstSeed(t)
	r := newRig(t, newMemory(), nil)
	var group sync.WaitGroup
	group.Go(func() {
		for i := range turns {
			r.say(fmt.Sprint("turn ", i)).wait()
		}
	})
	for i := range followers {
		group.Go(func() { followAtRandom(r, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	group.Wait()
	r.close()
}

func followAtRandom(r *rig, random *rand.Rand) {
	for range 8 {
		w := &watcher{}
		after := random.Int64N(int64(len(r.store.log("main"))) + 1)
		if err := r.hub.Follow(context.Background(), "main", after, w, w.began)(); err != nil {
			r.t.Errorf("after %d: %v", after, err)
			return
		}
		for range random.IntN(3) { // let it live for a while
			if _, err := r.hub.Active(context.Background(), "main"); err != nil {
				r.t.Error(err)
			}
		}
		r.hub.Unfollow("main", w)
		_, _ = r.hub.Active(context.Background(), "main") // comes after Unfollow
		got := w.seqs()
		if int64(len(got)) < w.last-after || !slices.Equal(got, count(after+1, after+int64(len(got)))) {
			r.t.Errorf("after %d, last %d: saw %v", after, w.last, got)
		}
	}
}

func TestFrameIsEncodedOnce(t *testing.T) {
	n := 0
	d := session.Delivery{Event: openclaw.Event{Seq: 7}}
	for range 3 {
		frame := d.Frame(func(ev openclaw.Event) []byte { n++; return fmt.Append(nil, ev.Seq) })
		if string(frame) != "7" {
			t.Errorf("frame %q", frame)
		}
	}
	if n != 1 {
		t.Errorf("encoded %d times", n)
	}
}
