package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/budget"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/distil"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/httpapi"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/schedule"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

// app is a gateway, put together from a configuration. What may change while
// it runs is in parts.
type app struct {
	config  *config.Config // as it was at the start
	logger  *slog.Logger
	runner  *sandbox.Runner
	audit   *auditor
	store   *sqlite.Store
	parts   parts
	hub     *session.Hub
	gateway *gateway.Gateway
	door    *gateway.Door
	sockets *ws.Server
	heart   *schedule.Heart
	cron    *schedule.Cron
	distil  *distil.Distiller
	// clockless gateways start nothing by themselves: one that is served for a
	// single command must not do what is due besides.
	clockless bool
	http      *httpapi.Server
}

// newApp opens the store and puts the gateway together; it listens nowhere
// yet. models chooses the models, nil for what the configuration says. Close
// the app with run, or with close where run is never called.
func newApp(ctx context.Context, c *config.Config, models modelsFunc, logger *slog.Logger) (*app, error) {
	a := &app{config: c, logger: logger}
	var err error
	if a.runner, err = sandbox.New(sandbox.Options{}); err != nil {
		return nil, err
	}
	if a.parts.servers, err = newMCPHost(c, a.runner, logger); err != nil {
		return nil, err
	}
	a.parts.jobs = shell.NewHost(outputsPath(c))
	a.parts.tasks.jobs = a.parts.jobs
	a.parts.budget = budget.New(budget.Options{Terms: budgetTerms(c), Logger: logger})
	a.audit = &auditor{logger: logger}
	a.parts.record = a.audit.call
	if a.parts.grants, err = policy.OpenGrants(grantsPath(c), nil); err != nil {
		return nil, err
	}
	if err := a.openStore(ctx, func() error { return a.parts.set(c, models, a.runner, logger) }); err != nil {
		return nil, err
	}
	a.runner.RemoveStale()
	a.parts.jobs.Sweep(outputLimits(c)) // the store's lock keeps other gateways away
	if err := restoreBudget(ctx, a.parts.budget, a.store); err != nil {
		return nil, errors.Join(err, a.parts.memories.close(), a.store.Close())
	}
	if err = a.audit.open(c); err == nil { // the store's lock keeps other gateways away
		err = a.assemble(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, a.parts.memories.close(), a.audit.close(), a.store.Close())
	}
	return a, nil
}

// openStore opens the store, and makes meanwhile what does not need it: each
// takes as long as the other.
func (a *app) openStore(ctx context.Context, meanwhile func() error) (err error) {
	var broken error
	var wg sync.WaitGroup
	wg.Go(func() {
		a.store, broken = sqlite.Open(ctx, sqlite.Options{Path: a.config.Store.Path, Sync: a.config.Store.Sync, Logger: a.logger})
	})
	err = meanwhile()
	wg.Wait()
	if broken != nil {
		return cmp.Or(err, broken)
	}
	if err != nil {
		err = errors.Join(err, a.store.Close())
	}
	return err
}

// assemble puts the layers on top of each other, from the bottom to the top.
func (a *app) assemble(ctx context.Context) (err error) {
	a.hub, err = session.NewHub(session.Config{
		Store: a.store, Agent: a.parts.agent, Logger: a.logger,
		MaxQueue: func() int { return a.parts.config().Session.MaxQueue },
		Recall:   a.parts.recall, Ended: a.forget,
	})
	if err != nil {
		return err
	}
	a.parts.tasks.hub.Store(a.hub)
	if err := a.windUp(ctx); err != nil {
		return err
	}
	a.gateway, err = gateway.New(gateway.Config{
		Version: version, Hub: a.hub, Skills: &a.parts, Logger: a.logger,
		Heart: a.heart, CronJobs: a.cron, CronRuns: a.cron,
		Limits: clientLimits(a.config), Facts: a.facts(), Approvals: keptApprovals{&a.parts},
	})
	if err != nil {
		return err
	}
	a.door = gateway.NewDoor(access(a.config), nil)
	a.sockets = ws.NewServer(a.gateway, socketLimits(a.config), a.logger)
	a.http, err = httpapi.New(httpapi.Config{
		Door: a.door, Seen: a.audit.seen, Upgrader: a.sockets, Version: version, Logger: a.logger,
		Ready:         func() bool { return !a.gateway.Draining() },
		HeaderTimeout: time.Duration(a.config.Gateway.Limits.HeaderTimeout),
		Waiting:       max(1024, a.config.Gateway.MaxConnections),
	})
	return err
}

// windUp makes what starts turns by the clock.
func (a *app) windUp(ctx context.Context) (err error) {
	a.heart, err = schedule.NewHeart(ctx, schedule.Config{
		Settings: heartSettings(a.config), Submitter: a.hub, Ledger: a.store, Logger: a.logger,
		Busy:      func() bool { return a.hub.Stats().Active > 0 },
		Broke:     func() bool { return a.parts.budget.Exceeded(true) != nil },
		Broadcast: func(s protocol.HeartbeatStatus) { a.gateway.Broadcast(protocol.TypeHeartbeatStatus, s) },
	})
	if err != nil {
		return err
	}
	a.distil, err = distil.New(distil.Config{
		Store: a.store, Means: a.parts.distilling, Busy: func() bool { return a.hub.Stats().Active > 0 }, Logger: a.logger,
	})
	if err != nil {
		return err
	}
	a.cron, err = schedule.NewCron(ctx, schedule.CronConfig{
		Submitter: a.hub, Ledger: a.store, Store: a.store, Logger: a.logger,
		Skill: func(name string) (string, []string, error) {
			i, err := a.parts.Invoke(name, "")
			return i.Prompt, i.Tools, err
		},
	})
	if err != nil {
		return err
	}
	return a.cron.Set(ctx, cronJobs(a.config))
}

// facts are what the status of the gateway reports of the parts below it.
func (a *app) facts() gateway.Facts {
	var counted sessionCount
	return gateway.Facts{
		Model: a.parts.model, Models: a.parts.models, Tools: a.parts.tools, ToolNames: a.parts.toolNames,
		Memory: a.parts.remembered, Sandbox: a.parts.sandbox, Problems: a.parts.problems, Usage: a.used,
		Stored: func(ctx context.Context) (protocol.UsageToday, int, error) {
			n, err := counted.read(ctx, a.store, a.hub.Stats().Commits)
			return usageToday(a.parts.budget.State()), n, err
		},
	}
}

// run serves until ctx ends, then lets running turns finish and closes
// everything. ready is called with the address once requests are answered.
func (a *app) run(ctx context.Context, ready func(address string)) error {
	listener, err := a.listen()
	if err != nil {
		return errors.Join(err, a.close())
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		a.parts.port.Store(int32(tcp.Port))
	}
	if err := a.parts.servers.Set(mcpServers(a.config)); err != nil {
		return errors.Join(err, listener.Close(), a.close())
	}
	if err := a.hub.Resume(ctx); err != nil {
		if ctx.Err() != nil { // asked to stop already: what it is told of this is that it worked
			err = nil
		}
		return errors.Join(err, listener.Close(), a.close())
	}
	clock, stopClock := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	if !a.clockless {
		wg.Go(func() { a.heart.Run(clock) })
		wg.Go(func() { a.cron.Run(clock) })
		wg.Go(func() { a.distil.Run(clock) })
		wg.Go(func() { a.parts.follow(clock) })
	}
	served := make(chan error, 1)
	wg.Go(func() { served <- a.http.Serve(listener) })
	a.logger.Info("gateway ready", "address", listener.Addr().String(), "version", version)
	ready(listener.Addr().String())
	wg.Go(a.parts.logSandbox)
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	a.shutdown(stopClock)
	wg.Wait()
	return errors.Join(err, a.parts.memories.close(), a.audit.close(), a.store.Close())
}

// shutdown is the order in which a gateway stops: nobody new and nothing new,
// then what runs, then the connections. The clock stops before the turns,
// since a heartbeat that runs is a turn like any other.
func (a *app) shutdown(stopClock context.CancelFunc) {
	timeout := time.Duration(a.parts.config().Gateway.DrainTimeout)
	a.logger.Info("gateway stops", "drain_timeout", timeout.String())
	a.gateway.Drain()
	stopClock()
	plain, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := a.http.Shutdown(plain); err != nil {
		a.logger.Warn("http server did not close", "err", err)
	}
	drain, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	a.hub.Drain(drain)
	a.parts.jobs.Close()
	a.parts.servers.Close()
	a.gateway.Close()
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	a.sockets.Close(last)
}

// close frees an app that was never run.
func (a *app) close() error {
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	a.hub.Drain(expired)
	a.parts.jobs.Close()
	a.parts.servers.Close()
	return errors.Join(a.parts.memories.close(), a.audit.close(), a.store.Close())
}

func (a *app) listen() (net.Listener, error) {
	g := a.config.Gateway
	listener, err := net.Listen("tcp", net.JoinHostPort(g.Host, strconv.Itoa(g.Port)))
	if err != nil {
		return nil, &openclaw.Error{
			Code: openclaw.CodeGatewayBusy, Err: err,
			Message: fmt.Sprintf("cannot listen on %s port %d; stop what uses it or set gateway.port", g.Host, g.Port),
		}
	}
	return listener, nil
}

// reload takes over a changed configuration without dropping a connection or
// a turn. What cannot change while the gateway runs is logged.
func (a *app) reload(c *config.Config, models modelsFunc) {
	changed := config.Diff(a.parts.config(), c)
	if len(changed) == 0 {
		a.parts.fault(nil)
		return
	}
	if err := a.parts.set(c, models, a.runner, a.logger); err != nil {
		a.audit.configuration(changed, "refused")
		a.parts.fault(err)
		a.logger.Error("configuration not taken over", "err", err)
		return
	}
	a.audit.configuration(changed, "taken over")
	a.parts.fault(nil)
	if err := a.parts.servers.Set(mcpServers(c)); err != nil {
		a.logger.Error("mcp servers not taken over", "err", err)
	}
	a.parts.budget.Set(budgetTerms(c))
	a.gateway.SetLimits(clientLimits(c))
	a.sockets.SetLimits(socketLimits(c))
	a.heart.Set(heartSettings(c))
	if err := a.cron.Set(context.Background(), cronJobs(c)); err != nil {
		a.logger.Error("cron jobs not taken over", "err", err)
	}
	if a.door.Set(access(c)) {
		a.sockets.CloseAll(protocol.ClosePolicy, protocol.ReasonAuth)
	}
	a.logger.Info("configuration taken over", "changed", changed)
	if slices.ContainsFunc(changed, func(key string) bool { return strings.HasPrefix(key, "hands.sandbox") }) {
		a.parts.logSandbox()
	}
	if later := config.NeedRestart(changed); len(later) > 0 {
		a.logger.Warn("these changes take effect at the next start", "keys", later)
	}
}
