package schedule

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/protocol"
)

// soak is thirty days of heartbeats in simulated time. Each life is one run of
// the gateway; between two the machine is off for a while.
type soak struct {
	t      *testing.T
	random *rand.Rand
	shift  time.Duration // from the bubble's clock to the simulated one
	ledger *ledger
	turns  *turns
	quiet  Quiet
	tasks  string
	up     [][2]time.Time // when the gateway ran
}

func (s *soak) now() time.Time { return time.Now().Add(s.shift) }

func (s *soak) live(d time.Duration) {
	h, err := NewHeart(s.t.Context(), Config{
		Settings:  Settings{Enabled: true, Interval: 30 * time.Minute, Quiet: s.quiet, Tasks: s.tasks},
		Submitter: s.turns, Ledger: s.ledger, Now: s.now, Broadcast: func(protocol.HeartbeatStatus) {},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { h.Run(ctx) })
	from := s.now()
	time.Sleep(d)
	cancel()
	wg.Wait()
	s.up = append(s.up, [2]time.Time{from, s.now()})
}

// TestThirtyDays covers the night of 29 March 2026, when Berlin's clocks are
// set forward. Every slot of the regular heartbeat while the gateway ran has
// exactly one record, quiet ones say so and no other does; the task runs by
// its own clock and never in the quiet hours.
func TestThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet, err := ParseQuiet("22:00", "07:00", "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 3, 14, 8, 0, 0, 0, time.UTC)
		s := &soak{
			t: t, random: rand.New(rand.NewPCG(1, 2)), shift: time.Until(start), ledger: &ledger{}, quiet: quiet,
			turns: &turns{takes: 20 * time.Second, outcome: session.Outcome{Text: protocol.HeartbeatOK}},
			tasks: filepath.Join(t.TempDir(), "HEARTBEAT.md"),
		}
		text := "---\ntasks: [{name: inbox, interval: 4h, prompt: look}]\n---\n"
		if err := os.WriteFile(s.tasks, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for s.now().Before(start.Add(30 * 24 * time.Hour)) {
			s.live(time.Duration(s.random.Int64N(int64(40 * time.Hour))))
			time.Sleep(time.Duration(s.random.Int64N(int64(3 * time.Hour))))
		}
		s.checkSlots()
		s.checkTask()
	})
}

// ran says whether the gateway ran all the while.
func (s *soak) ran(from, to time.Time) bool {
	for _, life := range s.up {
		if !from.Before(life[0]) && !to.After(life[1]) {
			return true
		}
	}
	return false
}

func (s *soak) checkSlots() {
	runs, _ := s.ledger.Runs(s.t.Context(), heartbeatJob, 1<<20)
	var slots []openclaw.Run // the oldest first, of the regular heartbeat
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].State == openclaw.RunRunning {
			s.t.Errorf("left running: %+v", runs[i])
		}
		if quiet := s.quiet.Holds(runs[i].Due); quiet != (runs[i].Reason == "quiet_hours") && runs[i].Result != protocol.HeartbeatFailed {
			s.t.Errorf("quiet %v: %+v", quiet, runs[i])
		}
		slots = append(slots, runs[i])
	}
	if len(slots) < 1000 {
		s.t.Fatalf("%d slots in thirty days", len(slots))
	}
	for i := 1; i < len(slots); i++ {
		if gap := slots[i].Due.Sub(slots[i-1].Due); gap > 30*time.Minute && s.ran(slots[i-1].Due, slots[i].Due) {
			s.t.Errorf("nothing between %v and %v, while the gateway ran", slots[i-1].Due, slots[i].Due)
		}
	}
}

func (s *soak) checkTask() {
	runs, _ := s.ledger.Runs(s.t.Context(), jobOf("inbox"), 1<<20)
	for i, r := range runs {
		if s.quiet.Holds(r.Due) {
			s.t.Errorf("the task ran in the quiet hours: %+v", r)
		}
		if i > 0 && runs[i-1].Due.Sub(r.Due) < 4*time.Hour {
			s.t.Errorf("the task ran at %v and again at %v", r.Due, runs[i-1].Due)
		}
	}
	if n := len(runs); n < 85 || n > 150 || n != s.turns.count() { // five slots of four hours fit into a day of fifteen
		s.t.Errorf("%d runs of the task, %d turns", n, s.turns.count())
	}
}

// TestRestartKeepsTheInterval: what passed while the gateway was off counts
// once, and what has not passed is waited for.
func TestRestartKeepsTheInterval(t *testing.T) {
	for name, tt := range map[string]struct {
		off  time.Duration
		want string // the slots after the first
	}{
		"short": {10 * time.Minute, "1h0m0s 1h30m0s"},
		"long":  {5 * time.Hour, "1h0m0s 6h0m0s 6h30m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &soak{t: t, ledger: &ledger{}, turns: &turns{}}
				began := time.Now()
				s.live(35 * time.Minute)
				time.Sleep(tt.off)
				s.live(61*time.Minute + time.Second)
				runs, _ := s.ledger.Runs(t.Context(), heartbeatJob, 100)
				var got []string
				for _, r := range runs[:len(runs)-1] {
					got = append([]string{r.Due.Sub(began).String()}, got...)
				}
				if strings.Join(got, " ") != tt.want {
					t.Errorf("slots %v, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestHeartbeatWaitsForPeople: one that is due while people's turns run begins
// when they have ended, or after a while.
func TestHeartbeatWaitsForPeople(t *testing.T) {
	for name, tt := range map[string]struct{ busy, begins time.Duration }{
		"a short turn": {2 * time.Minute, 2 * time.Minute},
		"a long one":   {time.Hour, patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, idle := &ledger{}, time.Now().Add(30*time.Minute+tt.busy)
				h, err := NewHeart(t.Context(), Config{
					Settings: Settings{Enabled: true, Interval: 30 * time.Minute}, Submitter: &turns{}, Ledger: l,
					Busy: func() bool { return time.Now().Before(idle) }, Broadcast: func(protocol.HeartbeatStatus) {},
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Minute)
				defer cancel()
				began := time.Now()
				h.Run(ctx)
				runs, _ := l.Runs(t.Context(), heartbeatJob, 10)
				if len(runs) != 1 {
					t.Fatalf("%d heartbeats", len(runs))
				}
				if late := runs[0].Ended.Sub(began) - 30*time.Minute; late < tt.begins || late > tt.begins+2*lookAgain {
					t.Errorf("it began %v after its time", late)
				}
			})
		})
	}
}
