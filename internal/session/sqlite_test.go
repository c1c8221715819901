package session_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// TestOnDisk lives three lives on the real store: a turn is stopped, goes on,
// and is remembered.
func TestOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openclaw.db")
	live := func(test func(r *rig)) {
		t.Helper()
		store, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Sync: sqlite.SyncNormal})
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, newMemory(), func(c *session.Config) { c.Store = store })
		test(r)
		r.close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	var want session.Outcome
	live(func(r *rig) {
		want = r.submit("main", keyed("use echo", "k")).wait()
		if want.Err != nil || want.Seq != 6 {
			t.Errorf("first: %+v", want)
		}
		r.submit("main", openclaw.TurnStarted{Text: "use wait"})
		for <-r.starts != "wait" {
		}
	})
	live(func(r *rig) {
		if err := r.hub.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameOutcome(t, "repeat", want, r.submit("main", keyed("use echo", "k")).wait())
		if o := r.say("hi").wait(); o.Err != nil || o.Seq != 15 {
			t.Errorf("after the resumed turn: %+v", o)
		}
		if used := r.used(); len(used) > 0 {
			t.Errorf("ran %v again", used)
		}
	})
	live(func(r *rig) {
		events, info, more, err := r.hub.History(t.Context(), "main", 0, 100)
		if err != nil || more || info.LastSeq != 15 {
			t.Errorf("history: %+v, more %v, %v", info, more, err)
		}
		if diff := cmp.Diff("turn_started text tool_call tool_result text turn_completed "+
			"turn_started text tool_call tool_result text turn_completed turn_started text turn_completed", kinds(events)); diff != "" {
			t.Error(diff)
		}
		w := r.follow("main", 0)
		if got := w.seqs(); !cmp.Equal(got, count(1, 15)) {
			t.Errorf("saw %v", got)
		}
		if err := reply(r.hub.Delete, "main"); err != nil {
			t.Error(err)
		}
	})
}
