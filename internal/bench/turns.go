package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// turns measures turns around a model that answers at once, with a store that
// survives a power cut and with one that survives a crash only.
func turns(ctx context.Context, _, dir string) (rows []row, err error) {
	full, err := startSelf(dir, "scripted", "-sync", "full")
	if err != nil {
		return nil, err
	}
	defer func() { err = full.stop(err) }()
	normal, err := startSelf(dir, "scripted", "-sync", "normal")
	if err != nil {
		return nil, err
	}
	defer func() { err = normal.stop(err) }()
	var took, cpu [2][]time.Duration
	var syncs []time.Duration
	for round := range 15 {
		frame := chat(fmt.Sprint("t", round))
		for i, p := range []*process{full, normal} {
			t, used, err := ping(ctx, p, frame, 20)
			if err != nil {
				return nil, err
			}
			took[i], cpu[i] = append(took[i], t...), append(cpu[i], used)
		}
		t, err := syncTimes(dir, 20)
		if err != nil {
			return nil, err
		}
		syncs = append(syncs, t...)
	}
	sync, p50 := median(syncs), median(took[0])
	rows = []row{
		{"text turn, p50", ms(p50), fmt.Sprintf("one sync of this disk %s: two of them and %s", ms(sync), ms(p50-2*sync))},
		{"text turn, p50, store.sync: normal", ms(median(took[1])), "full: " + times(p50, median(took[1]))},
		{"CPU per text turn", us(median(cpu[0])), "store.sync: normal " + us(median(cpu[1]))},
	}
	counted, err := allocations(ctx, full)
	if err != nil {
		return nil, err
	}
	rate, err := throughput(ctx, full)
	return append(append(rows, counted...), rate...), err
}

// chat is a frame that starts a turn of the session.
func chat(session string) []byte {
	return fmt.Appendf(nil, `{"type":"chat","id":"1","payload":{"text":"hello","context":{"session":%q}}}`, session)
}

// allocations counts them over the whole way of a request, socket included.
func allocations(ctx context.Context, p *process) (rows []row, err error) {
	const n = 200
	for _, r := range []struct {
		what  string
		frame []byte
	}{
		{"allocations per status", []byte(`{"type":"status","id":"1","payload":{}}`)},
		{"allocations per text turn", chat("allocations")},
	} {
		before, err := p.allocations()
		if err != nil {
			return nil, err
		}
		if _, _, err := ping(ctx, p, r.frame, n); err != nil {
			return nil, err
		}
		after, err := p.allocations()
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{r.what, fmt.Sprint((after - before) / n), ""})
	}
	return rows, nil
}

// throughput runs turns in many sessions at once.
func throughput(ctx context.Context, p *process) ([]row, error) {
	const sessions, each = 200, 25
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := flood(ctx, p, sessions, each); err != nil {
		return nil, err
	}
	elapsed := time.Since(begin)
	after, err := p.cpu()
	return []row{{
		fmt.Sprintf("turns per second, %d sessions", sessions),
		fmt.Sprintf("%.0f", sessions*each/elapsed.Seconds()),
		"CPU per turn " + us((after-before)/(sessions*each)),
	}}, err
}

// flood runs turns in each session, one client a session.
func flood(ctx context.Context, p *process, sessions, each int) error {
	clients := make([]*websocket.Conn, sessions)
	for s := range clients {
		c, err := p.dial(ctx)
		if err != nil {
			return err
		}
		defer c.CloseNow() //nolint:errcheck // the measurement is over
		clients[s] = c
	}
	errs := make(chan error, sessions)
	var wg sync.WaitGroup
	for s, c := range clients {
		wg.Go(func() {
			frame := chat(fmt.Sprint("s", s))
			for range each {
				if err := exchange(ctx, c, frame); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// syncTimes are how long the disk takes to make a small write durable.
func syncTimes(dir string, n int) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for range n {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}
