package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// attack is something that hostile clients do all at once, each on one
// connection after the other.
type attack struct {
	name    string
	clients int
	// act does it once; it returns when the gateway has let go of the
	// connection, or ctx has ended.
	act func(ctx context.Context, address string) error
}

var attacks = []attack{
	{"pings without end", 4, pour("", frame(fin|pinged, "x"))},
	{"fragments without end", 4, pour(frame(text, ""), frame(continued, " "))},
	{"messages over the rate", 4, pour("", frame(fin|text, statusRequest))},
	{"messages over the size", 4, pour(announce(fin|text, 1<<62), strings.Repeat("x", 1000))},
	{"clients that do not read", 50, pour("", frame(fin|text, `{"type":"tool_list"}`), deaf)},
	{"clients that say nothing", 500, pour("", "", deaf)},
	{"clients that come and go", 4, func(ctx context.Context, address string) error {
		c, err := dialRaw(ctx, address)
		if err != nil {
			return err
		}
		return c.Close()
	}},
	{"slowhttptest, slow header", 1, slowly("-H", "-i", "1")},
	{"slowhttptest, slow body", 1, slowly("-B", "-i", "1")},
	{"slowhttptest, slow read", 1, slowly("-X", "-w", "1", "-y", "2", "-n", "1")},
}

// attacked compares what others wait for a status while nobody attacks, while
// somebody attacks the gateway, and while the same is done to a second gateway:
// what the attackers take of this machine is the same in the last two.
func attacked(ctx context.Context, binary, dir string) (rows []row, err error) {
	var gateways [2]*process
	for i := range gateways {
		home, err := newHome(dir)
		if err != nil {
			return nil, err
		}
		if gateways[i], err = startGateway(ctx, binary, home, asShipped...); err != nil {
			return nil, err
		}
		defer func() { err = gateways[i].stop(err) }()
	}
	quiet, err := others(ctx, gateways[0])
	if err != nil {
		return nil, err
	}
	rows = []row{{"status of others, p99, nobody attacks", ms(quantile(quiet, 0.99)), "p50 " + ms(median(quiet))}}
	for _, a := range attacks {
		r, err := a.compare(ctx, gateways)
		if errors.Is(err, exec.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// compare attacks the second gateway, then the first, while others ask the
// first one.
func (a attack) compare(ctx context.Context, gateways [2]*process) (row, error) {
	before, err := gateways[0].memory()
	if err != nil {
		return row{}, err
	}
	var took [2][]time.Duration
	for _, at := range []int{1, 0} {
		if took[at], err = a.during(ctx, gateways[at].address, gateways[0]); err != nil {
			return row{}, err
		}
	}
	after, err := gateways[0].memory()
	here, there := quantile(took[0], 0.99), quantile(took[1], 0.99)
	return row{
		"… " + a.name, ms(here),
		fmt.Sprintf("the same on a second gateway %s: %s; its own memory %+.1f MB", ms(there), times(here, there), float64(after.own-before.own)/1e6),
	}, err
}

// during attacks address while others ask the gateway.
func (a attack) during(ctx context.Context, address string, gateway *process) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	errs := make(chan error, a.clients)
	for range a.clients {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := a.act(ctx, address); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond) // the attack begins
	took, err := others(ctx, gateway)
	select {
	case failed := <-errs:
		return nil, failed
	default:
		return took, err
	}
}

// statusRequest is the cheapest request.
const statusRequest = `{"type":"status","id":"1","payload":{}}`

// others is what four well-behaved clients wait for each of their answers.
func others(ctx context.Context, p *process) ([]time.Duration, error) {
	const clients, each, pause = 4, 60, 20 * time.Millisecond
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	for range clients {
		c, err := p.dial(ctx)
		if err != nil {
			return nil, err
		}
		defer c.CloseNow() //nolint:errcheck // the measurement is over
		wg.Go(func() {
			took, err := ask(ctx, c, each, pause)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, took...), errors.Join(failed, err)
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all, failed
}

// ask asks for the status, not faster than a client may.
func ask(ctx context.Context, c *websocket.Conn, n int, pause time.Duration) (took []time.Duration, err error) {
	for range n {
		begin := time.Now()
		if err := exchange(ctx, c, []byte(statusRequest)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
		time.Sleep(pause)
	}
	return took, nil
}
