package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// sessions compares a conversation that has just begun with a long one, and
// reads the long one from its beginning. The disk is left out of it
// (store.sync: normal): it varies more than what is compared.
func sessions(ctx context.Context, _, dir string) (rows []row, err error) {
	p, err := startSelf(dir, "scripted", "-sync", "normal")
	if err != nil {
		return nil, err
	}
	defer func() { err = p.stop(err) }()
	resumed, err := resume(ctx, p)
	if err != nil {
		return nil, err
	}
	names := []string{shortSession, longSession}
	var loaded [2]time.Duration
	var took, cpu [2][]time.Duration
	for i, name := range names {
		begin := time.Now()
		if _, _, err := ping(ctx, p, chat(name), 0); err != nil {
			return nil, err
		}
		loaded[i] = time.Since(begin)
	}
	for range 10 {
		for i, name := range names {
			t, used, err := ping(ctx, p, chat(name), 5)
			if err != nil {
				return nil, err
			}
			took[i], cpu[i] = append(took[i], t...), append(cpu[i], used)
		}
	}
	short, long := median(took[0]), median(took[1])
	return []row{
		{"turn in a session of 10,000 events, p50", ms(long), fmt.Sprintf("of 10 to 200 events %s: %s", ms(short), times(long, short))},
		{"its CPU", us(median(cpu[1])), fmt.Sprintf("of 10 to 200 events %s: %s", us(median(cpu[0])), times(median(cpu[1]), median(cpu[0])))},
		{"its first turn after a start: reads the log", ms(loaded[1]), "of 10 events " + ms(loaded[0])},
		resumed,
	}, nil
}

// resume subscribes to the long session from its beginning.
func resume(ctx context.Context, p *process) (row, error) {
	var took []time.Duration
	for range 5 {
		c, err := p.dial(ctx)
		if err != nil {
			return row{}, err
		}
		begin := time.Now()
		err = c.Write(ctx, websocket.MessageText,
			fmt.Appendf(nil, `{"type":"subscribe","id":"1","payload":{"session":%q,"after_seq":0}}`, longSession))
		for seen := 0; err == nil && seen < longEvents+1; seen++ { // and subscribed
			_, _, err = c.Read(ctx)
		}
		took = append(took, time.Since(begin))
		_ = c.CloseNow()
		if err != nil {
			return row{}, err
		}
	}
	all := median(took)
	return row{"resume of 10,000 events", ms(all), us(all/longEvents) + " an event, client included"}, nil
}

// followers has a thousand clients watch the turns of one session.
func followers(ctx context.Context, _, dir string) (rows []row, err error) {
	const watching, turns, events = 1000, 20, 3
	p, err := startSelf(dir, "scripted", "-sync", "normal")
	if err != nil {
		return nil, err
	}
	defer func() { err = p.stop(err) }()
	var wg sync.WaitGroup
	errs := make(chan error, watching)
	for range watching {
		c, err := p.dial(ctx)
		if err != nil {
			return nil, err
		}
		defer c.CloseNow() //nolint:errcheck // the measurement is over
		if err := exchange(ctx, c, []byte(`{"type":"subscribe","id":"1","payload":{"session":"watched"}}`)); err != nil {
			return nil, err
		}
		wg.Go(func() {
			for range turns * events {
				if _, _, err := c.Read(ctx); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if _, _, err := ping(ctx, p, chat("watched"), turns-1); err != nil { // ping sends one more
		return nil, err
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	const deliveries = watching * turns * events
	return []row{{
		fmt.Sprintf("delivery to one of %d subscribers, CPU", watching), us((after - before) / deliveries),
		fmt.Sprintf("%.0f deliveries/s, clients on this machine", deliveries/elapsed.Seconds()),
	}}, nil
}
