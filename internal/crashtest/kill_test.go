package crashtest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// killsPerHome is how often the gateway of one home is killed: enough for a
// log that has seen everything, few enough to be read again after each.
const killsPerHome = 25

// TestKill kills gateways at random moments of many turns, starts them again,
// and holds them to their word after each kill and at the end.
func TestKill(t *testing.T) {
	base := randomSeed(t)
	homes := max(2, (*kills+killsPerHome-1)/killsPerHome)
	for i := range homes {
		t.Run(fmt.Sprint("home", i), func(t *testing.T) {
			t.Parallel()
			n := *kills / homes
			if i < *kills%homes {
				n++
			}
			newRun(t, base+uint64(i)).kills(n)
		})
	}
}

// run is the life of one home.
type run struct {
	t       *testing.T
	home    home
	rng     *rand.Rand
	traffic *traffic
	log     logs           // as of the kill before
	viewed  map[string]int // see account
}

func newRun(t *testing.T, seed uint64) *run {
	r := &run{t: t, home: newHome(t), rng: rand.New(rand.NewPCG(seed, 0)), viewed: map[string]int{}}
	r.traffic = newTraffic(t.Context(), r.rng.Uint64())
	t.Cleanup(r.traffic.stop)
	return r
}

func (r *run) kills(n int) {
	for i := range n {
		r.killOnce()
		if r.verify(false); r.t.Failed() {
			r.t.Fatalf("after kill %d of %d", i+1, n)
		}
	}
	p := start(r.t, r.home, r.home.options())
	r.traffic.where.set(p.ready(r.t))
	if err := r.traffic.finish(r.t.Context()); err != nil {
		r.t.Error(err)
	}
	if err := p.stop(); err != nil {
		r.t.Error(err)
	}
	r.verify(true)
	r.report()
}

// killOnce starts the gateway and kills it: from outside at some moment, or
// from inside at a chosen place.
func (r *run) killOnce() {
	o := r.home.options()
	dice := r.rng.IntN(100)
	inside := dice < 45
	if inside {
		o.Place = places[r.rng.IntN(len(places))]
		o.N = 1
		if o.Place != beforeResume && o.Place != afterResume {
			o.N += r.rng.Int64N(30)
		}
	}
	p := start(r.t, r.home, o)
	defer r.traffic.where.set("")
	if dice >= 90 { // perhaps before it serves
		pauseFor(r.rng, 100*time.Millisecond)
		r.killed(p.kill())
		return
	}
	if url := p.ready(r.t); url != "" {
		r.traffic.where.set(url)
	}
	if inside {
		r.killed(p.end(true))
		return
	}
	pauseFor(r.rng, 250*time.Millisecond)
	r.killed(p.kill())
}

func (r *run) killed(err error) {
	if err != nil {
		r.t.Fatalf("%v; it wrote: %q", err, r.home.complaints())
	}
}

// pauseFor waits for a random part of most.
func pauseFor(rng *rand.Rand, most time.Duration) { time.Sleep(time.Duration(rng.Int64N(int64(most)))) }

// verify compares the accounts while no gateway runs.
func (r *run) verify(final bool) {
	r.t.Helper()
	log, err := readLog(r.t.Context(), r.home)
	if err != nil {
		r.t.Fatal(err)
	}
	done, err := readJournal(r.home.journal())
	if err != nil {
		r.t.Fatal(err)
	}
	r.traffic.ledger.mu.Lock()
	a := account{log: log, deeds: done, ledger: r.traffic.ledger, final: final, viewed: r.viewed}
	faults := a.check()
	r.traffic.ledger.mu.Unlock()
	for session, events := range r.log {
		if len(log[session]) < len(events) || !reflect.DeepEqual(log[session][:len(events)], events) {
			faults = append(faults, session+": what was in the log is gone or has changed")
		}
	}
	r.log = log
	faults = append(faults, r.home.complaints()...)
	if len(faults) > 0 {
		r.t.Errorf("%d faults:\n%s", len(faults), strings.Join(faults[:min(len(faults), 20)], "\n"))
	}
}

// report says what the run has been through.
func (r *run) report() {
	var turns, unknown, cancelled, failed int
	for session, events := range r.log {
		all, _ := split(session, events)
		for _, t := range all {
			turns++
			if t.end == nil {
				continue
			}
			switch t.end.Kind() {
			case "turn_cancelled":
				cancelled++
			case "turn_failed":
				failed++
			}
			for _, ev := range t.events {
				if strings.Contains(fmt.Sprint(ev.Body), "outcome unknown: the gateway") {
					unknown++
				}
			}
		}
	}
	r.t.Logf("%d conversations, %d turns: %d cancelled, %d given up; %d calls of unknown outcome",
		len(r.log), turns, cancelled, failed, unknown)
}
