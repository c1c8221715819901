package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/coder/websocket"
)

func median(d []time.Duration) time.Duration { return quantile(d, 0.5) }

func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}

func us(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond)) }
func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }
func mb(bytes int64) string     { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
func times(a, b time.Duration) string {
	return fmt.Sprintf("%.2f ×", float64(a)/float64(b))
}

// startAndIdle starts the binary ten times on a new home and again on that
// home, and looks at the memory of the last one.
func startAndIdle(ctx context.Context, binary, dir string) ([]row, error) {
	const n = 10
	var first, again []time.Duration
	var memory resident
	for i := range n {
		home, err := newHome(dir)
		if err != nil {
			return nil, err
		}
		for _, starts := range []*[]time.Duration{&first, &again} {
			p, err := startGateway(ctx, binary, home)
			if err != nil {
				return nil, err
			}
			*starts = append(*starts, p.started)
			if i == n-1 {
				time.Sleep(time.Second)
				memory, err = p.memory()
			}
			if err := p.stop(err); err != nil {
				return nil, err
			}
		}
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	return []row{
		{"start to the first answer, new home, median of 10", ms(median(first)), "best " + ms(first[0])},
		{"start to the first answer, same home again", ms(median(again)), "best " + ms(again[0])},
		{"resident memory, idle", mb(memory.all), fmt.Sprintf("its own %s, pages of the binary and of the store %s", mb(memory.own), mb(memory.files))},
		{"installed size: one file", mb(info.Size()), ""},
	}, nil
}

// requests compares status with the same frame sent to a bare echo server, in
// turns, so that both see the same machine.
func requests(ctx context.Context, binary, dir string) (rows []row, err error) {
	home, err := newHome(dir)
	if err != nil {
		return nil, err
	}
	gateway, err := startGateway(ctx, binary, home)
	if err != nil {
		return nil, err
	}
	defer func() { err = gateway.stop(err) }()
	echo, err := startSelf(dir, "echo")
	if err != nil {
		return nil, err
	}
	defer func() { err = echo.stop(err) }()
	status := []byte(`{"type":"status","id":"1","payload":{}}`)
	var took, cpu, busy [2][]time.Duration
	for range 30 {
		for i, p := range []*process{gateway, echo} {
			t, used, err := ping(ctx, p, status, 300)
			if err != nil {
				return nil, err
			}
			took[i], cpu[i] = append(took[i], t...), append(cpu[i], used)
			if used, err = pingTogether(ctx, p, status, 16, 100); err != nil {
				return nil, err
			}
			busy[i] = append(busy[i], used)
		}
	}
	p50, bare := median(took[0]), median(took[1])
	used, bareUsed := median(cpu[0]), median(cpu[1])
	shared, bareShared := median(busy[0]), median(busy[1])
	return []row{
		{"status, p50", us(p50), fmt.Sprintf("bare echo %s: %s", us(bare), times(p50, bare))},
		{"status, p99", us(quantile(took[0], 0.99)), "bare echo " + us(quantile(took[1], 0.99))},
		{"CPU per status", us(used), fmt.Sprintf("bare echo %s: %s", us(bareUsed), times(used, bareUsed))},
		{"… with 16 clients at once", us(shared), fmt.Sprintf("bare echo %s: %s", us(bareShared), times(shared, bareShared))},
	}, nil
}

// ping sends the frame once and then n times over one connection, each when the
// last one is answered, and returns the times and the CPU the server used for
// each of the n.
func ping(ctx context.Context, p *process, frame []byte, n int) (took []time.Duration, cpu time.Duration, err error) {
	c, err := p.dial(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer c.CloseNow()                              //nolint:errcheck // the measurement is over
	if err := exchange(ctx, c, frame); err != nil { // the first pays for the connection
		return nil, 0, err
	}
	before, err := p.cpu()
	if err != nil {
		return nil, 0, err
	}
	for range n {
		begin := time.Now()
		if err := exchange(ctx, c, frame); err != nil {
			return nil, 0, err
		}
		took = append(took, time.Since(begin))
	}
	after, err := p.cpu()
	return took, (after - before) / time.Duration(max(n, 1)), err
}

// pingTogether lets clients ping at the same time, each over a connection of
// its own and n times, and returns the CPU the server used for each.
func pingTogether(ctx context.Context, p *process, frame []byte, clients, n int) (time.Duration, error) {
	open := make([]*websocket.Conn, clients)
	for i := range open {
		c, err := p.dial(ctx)
		if err != nil {
			return 0, err
		}
		defer c.CloseNow() //nolint:errcheck // the measurement is over
		if err := exchange(ctx, c, frame); err != nil {
			return 0, err
		}
		open[i] = c
	}
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	done := make(chan error, clients)
	for _, c := range open {
		go func() {
			var err error
			for i := 0; i < n && err == nil; i++ {
				err = exchange(ctx, c, frame)
			}
			done <- err
		}()
	}
	for range clients {
		err = errors.Join(err, <-done)
	}
	after, failed := p.cpu()
	return (after - before) / time.Duration(clients*n), errors.Join(err, failed)
}

// exchange sends a frame and reads its answer.
func exchange(ctx context.Context, c *websocket.Conn, frame []byte) error {
	if err := c.Write(ctx, websocket.MessageText, frame); err != nil {
		return err
	}
	_, _, err := c.Read(ctx)
	return err
}

// connections opens many and lets them be.
func connections(ctx context.Context, binary, dir string) (rows []row, err error) {
	const n = 2000
	home, err := newHome(dir)
	if err != nil {
		return nil, err
	}
	p, err := startGateway(ctx, binary, home)
	if err != nil {
		return nil, err
	}
	defer func() { err = p.stop(err) }()
	before, err := p.memory()
	if err != nil {
		return nil, err
	}
	open := make([]*websocket.Conn, n) // one that is not referenced is closed in the end
	for i := range open {
		if open[i], err = p.dial(ctx); err != nil {
			return nil, err
		}
	}
	time.Sleep(time.Second)
	after, err := p.memory()
	for _, c := range open {
		_ = c.CloseNow()
	}
	per := float64(after.own-before.own) / n / 1000
	return []row{{fmt.Sprintf("memory per idle connection, of %d", n), fmt.Sprintf("%.1f KB", per), ""}}, err
}
