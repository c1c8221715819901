package session_test

import (
	"strings"
	"testing"
	"testing/synctest"

	openclaw "github.com/openclaw/openclaw-go"
)

func client(text string) openclaw.TurnStarted {
	return openclaw.TurnStarted{Source: openclaw.SourceClient, Text: text}
}

// A conversation that was compacted reads the same when it is loaded again,
// and a turn that a crash stops anywhere around its compaction goes on.
func TestCompacted(t *testing.T) {
	for name, text := range map[string]string{"on command": "/compact the tools", "on overflow": "use echo overflow"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newMemory(), nil)
				for _, text := range []string{"use echo", "hello there", "use echo echo"} {
					r.submit("main", client(text)).wait()
				}
				before := len(r.store.log("main"))
				if o := r.submit("main", client(text)).wait(); o.Err != nil {
					t.Fatal(o.Err)
				}
				log := r.store.log("main")
				if !strings.Contains(kinds(log[before:]), "compacted") {
					t.Fatalf("the turn is %s", kinds(log[before:]))
				}
				r.works("main")
				r.close()
				for end := before + 1; end <= len(log); end++ {
					resumedFrom(t, log[:end])
				}
			})
		})
	}
}

// resumedFrom lets a gateway start with a log and checks that the session
// works.
func resumedFrom(t *testing.T, log []openclaw.Event) {
	t.Helper()
	store := newMemory()
	store.logs["main"] = append([]openclaw.Event(nil), log...)
	r := newRig(t, store, nil)
	if err := r.hub.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if now := store.log("main"); !now[len(now)-1].Kind().Ends() {
		t.Errorf("after %s the turn did not end: %s", kinds(log), kinds(now))
	}
	r.works("main")
	r.close()
}

// That a turn by itself was compacted does not touch the conversation.
func TestCompactedAlone(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.submit("main", client("hello there")).wait()
		fresh := client("use echo overflow")
		fresh.Options.Fresh = true
		if o := r.submit("main", fresh).wait(); o.Err != nil {
			t.Fatal(o.Err)
		}
		none := client("use echo overflow")
		none.Options.NoMemory = true
		if o := r.submit("main", none).wait(); o.Err != nil {
			t.Fatal(o.Err)
		}
		if log := kinds(r.store.log("main")); strings.Contains(log, "compacted") {
			t.Errorf("the log is %s", log)
		}
		r.works("main")
	})
}
