package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
)

// embedded is a gateway served by this process for one command. Others may
// connect to it meanwhile. Close it.
type embedded struct {
	port int
	stop context.CancelFunc
	done chan error // gets what run returned
	logs *logging
}

// embed serves a gateway on the configured address, and says so in one line.
func (c *cli) embed(ctx context.Context, cfg *config.Config, purpose string) (*embedded, error) {
	logs, err := openLog(cfg, nil)
	if err != nil {
		return nil, err
	}
	a, err := newApp(ctx, cfg, nil, logs.logger)
	if err != nil {
		return nil, errors.Join(startError(err), logs.close())
	}
	a.clockless = true
	e := &embedded{done: make(chan error, 1), logs: logs}
	life, stop := context.WithCancel(context.WithoutCancel(ctx)) // it drains when it is told to, not when ctx ends
	e.stop = stop
	ready := make(chan string, 1)
	go func() { e.done <- a.run(life, func(address string) { ready <- address }) }()
	select {
	case address := <-ready:
		_, port, _ := net.SplitHostPort(address) // it comes from the listener
		e.port, _ = strconv.Atoi(port)
	case err := <-e.done:
		stop()
		return nil, errors.Join(startError(err), logs.close())
	}
	// One question is all that is asked of this gateway, so the servers whose
	// tools it may need get a moment.
	settle, cancel := context.WithTimeout(ctx, 10*time.Second)
	a.parts.servers.Settle(settle)
	cancel()
	provider, _ := a.parts.model()
	c.remark("no gateway is running; serving one for %s (%s)", purpose, modelNote(provider))
	return e, nil
}

// modelNote says which model answers, and that the offline one is none.
func modelNote(provider string) string {
	if provider == offlineModel {
		return "offline model: no API key is set"
	}
	return "model: " + provider
}

// close lets running turns finish, those of other clients too, and waits.
func (e *embedded) close(c *cli) error {
	e.stop()
	if c.abandoned {
		return nil // the process ends, and the log knows what has not finished
	}
	late := time.NewTimer(time.Second)
	defer late.Stop()
	for {
		select {
		case err := <-e.done:
			return errors.Join(err, e.logs.close())
		case <-late.C:
			c.remark("waiting for the turns of other clients; Ctrl-C stops them")
		}
	}
}

// startError gives an error of putting a gateway together its exit code: what
// a part refuses there has come from the configuration.
func startError(err error) error {
	var network *net.OpError
	switch {
	case err == nil, errors.As(err, &network):
		return err
	case openclaw.CodeOf(err) == openclaw.CodeInvalidMessage:
		return &failure{exit: exitConfiguration, err: fmt.Errorf("the configuration cannot be used: %w", err)}
	}
	return err
}
