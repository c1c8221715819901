package crashtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/httpapi"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

// childOptions say how a child process runs.
type childOptions struct {
	Store   string // the database file
	Sync    string // as in sqlite.Options
	Journal string // the file the tools write to
	Place   place  // where it kills itself, if anywhere
	N       int64  // and the how many-th time it comes there
	UID     int    // the user it runs as; 0: as it was started
}

// runChild is a whole gateway. It prints its address, serves until it is
// interrupted, and ends with the process that started it.
func runChild(o childOptions) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3) // whoever started this process has gone
	}()
	if o.UID != 0 {
		if err := syscall.Setuid(o.UID); err != nil {
			return err
		}
	}
	book, err := openJournal(o.Journal)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: o.Store, Sync: o.Sync, Logger: logger})
	if err != nil {
		return err
	}
	g, err := assemble(store, book, &fuse{place: o.Place, n: o.N}, logger)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return errors.Join(g.run(os.Stdout), store.Close())
}

// child is a gateway put together.
type child struct {
	hub     *session.Hub
	gateway *gateway.Gateway
	sockets *ws.Server
	http    *httpapi.Server
}

func assemble(store *sqlite.Store, book *journal, f *fuse, logger *slog.Logger) (*child, error) {
	p := parts{model: newModel(book, f)}
	a, err := agent.New(agent.Config{Models: p, Tools: []openclaw.Tool{work{book, f}}, Logger: logger})
	if err != nil {
		return nil, err
	}
	c := &child{}
	c.hub, err = session.NewHub(session.Config{
		Store: fused{store, f}, Agent: func() *agent.Agent { return a }, Logger: logger,
		IdleAfter: 50 * time.Millisecond, // so that conversations are loaded again and again
	})
	if err != nil {
		return nil, err
	}
	c.gateway, err = gateway.New(gateway.Config{
		Version: "crashtest", Hub: c.hub, Skills: p, Heart: p, Logger: logger, Facts: p.facts(store),
		Limits: gateway.Limits{InFlight: 1000, MessagesPerSecond: 1e6, Burst: 1e6},
	})
	if err != nil {
		return nil, err
	}
	c.sockets = ws.NewServer(c.gateway, ws.Limits{}, logger)
	c.http, err = httpapi.New(httpapi.Config{
		Door: gateway.NewDoor(gateway.Access{}, nil), Upgrader: c.sockets, Logger: logger,
		Ready: func() bool { return !c.gateway.Draining() },
	})
	return c, err
}

// run serves in the order of the program: turns resume before the first
// request is let in, and connections go last.
func (c *child) run(out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.hub.Resume(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- c.http.Serve(listener) }()
	fmt.Fprintln(out, listener.Addr())
	<-ctx.Done()
	c.gateway.Drain()
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	c.hub.Drain(expired)
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.gateway.Close()
	c.sockets.Close(last)
	return errors.Join(c.http.Shutdown(last), <-served)
}

// parts are what a gateway needs and these tests do not look at.
type parts struct{ model openclaw.Model }

func (p parts) Resolve(string) (agent.Choice, error) {
	return agent.Choice{Provider: "test", Name: "scripted", Model: p.model}, nil
}
func (parts) Invoke(string, string) (i gateway.Invocation, err error) { return i, nil }
func (parts) Fit(string) (i gateway.Invocation, err error)            { return i, nil }
func (parts) List() []protocol.SkillEntry                             { return nil }
func (parts) Counts() (c protocol.SkillCounts)                        { return c }
func (parts) Trigger(bool) (s protocol.HeartbeatStatus)               { return s }
func (parts) State() (s protocol.HeartbeatState)                      { return s }
func (parts) History(context.Context, int) ([]openclaw.Run, error)    { return nil, nil }

func (parts) facts(store *sqlite.Store) gateway.Facts {
	return gateway.Facts{
		Model:     func() (string, string) { return "test", "scripted" },
		Models:    func() []protocol.ModelEntry { return nil },
		Tools:     func() []protocol.ToolEntry { return nil },
		ToolNames: func() []string { return nil },
		Memory:    func() (m protocol.MemoryState) { return m },
		Problems:  func() []string { return nil },
		Sandbox:   func() string { return "" },
		Stored: func(ctx context.Context) (protocol.UsageToday, int, error) {
			n, err := store.Count(ctx)
			return protocol.UsageToday{}, n, err
		},
	}
}
