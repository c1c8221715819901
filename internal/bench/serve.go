package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/httpapi"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

// serveEcho is what status is compared with: the same library, one goroutine a
// connection, every message sent back.
func serveEcho(out io.Writer) error {
	return listen(out, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow() //nolint:errcheck // the client has gone
		for {
			kind, data, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), kind, data) != nil {
				return
			}
		}
	}))
}

// allocationsPath is where a server says how often it has allocated memory.
const allocationsPath = "/bench/allocations"

// listen serves on a free port until interrupted.
func listen(out io.Writer, handler http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.HandleFunc("GET "+allocationsPath, func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprint(w, m.Mallocs)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	fmt.Fprintln(out, l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	return server.Close()
}

// fixed is the part of a gateway that the measurement does not touch.
type fixed struct{ model openclaw.Model }

func (f fixed) Resolve(string) (agent.Choice, error) {
	return agent.Choice{Name: "instant", Model: f.model}, nil
}
func (fixed) Invoke(string, string) (i gateway.Invocation, err error) { return i, nil }
func (fixed) Fit(string) (i gateway.Invocation, err error)            { return i, nil }
func (fixed) List() []protocol.SkillEntry                             { return nil }
func (fixed) Counts() (c protocol.SkillCounts)                        { return c }
func (fixed) Trigger(bool) (s protocol.HeartbeatStatus)               { return s }
func (fixed) State() (s protocol.HeartbeatState)                      { return s }
func (fixed) History(context.Context, int) ([]openclaw.Run, error)    { return nil, nil }

// serveScripted is a whole gateway, store included, around a model that
// answers at once. durable is the store's Sync.
func serveScripted(out io.Writer, durable string) error {
	dir, err := os.MkdirTemp(".", "scripted-")
	if err != nil {
		return err
	}
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(dir, "openclaw.db"), Sync: durable})
	if err != nil {
		return err
	}
	defer store.Close()
	if err := errors.Join(fill(store, shortSession, shortEvents), fill(store, longSession, longEvents)); err != nil {
		return err
	}
	parts := fixed{scripted.Forever(scripted.Step{Text: "Hello.", Usage: openclaw.Usage{Input: 10, Output: 2}})}
	a, err := agent.New(agent.Config{Models: parts})
	if err != nil {
		return err
	}
	hub, err := session.NewHub(session.Config{Store: store, Agent: func() *agent.Agent { return a }})
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Config{Hub: hub, Skills: parts, Heart: parts, Facts: gateway.Facts{
		Model:     func() (string, string) { return "scripted", "instant" },
		Tools:     func() []protocol.ToolEntry { return nil },
		ToolNames: func() []string { return nil },
		Memory:    func() (m protocol.MemoryState) { return m },
		Problems:  func() []string { return nil },
		Sandbox:   func() string { return "" },
		Stored:    func(context.Context) (u protocol.UsageToday, sessions int, err error) { return u, 0, nil },
	}, Limits: gateway.Limits{MessagesPerSecond: 1e6, Burst: 1e6}})
	if err != nil {
		return err
	}
	server, err := httpapi.New(httpapi.Config{
		Door: gateway.NewDoor(gateway.Access{}, nil), Upgrader: ws.NewServer(g, ws.Limits{Connections: 3000}, nil),
		Ready: func() bool { return true },
	})
	if err != nil {
		return err
	}
	err = listen(out, server)
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	hub.Drain(expired)
	return err
}

// The sessions that are there from the start, and how many events each has.
const (
	shortSession, shortEvents = "short", 9
	longSession, longEvents   = "long", 9999
)

// fill stores n events of turns like those that are measured: three each.
func fill(store *sqlite.Store, name string, n int) error {
	events := make([]openclaw.Event, n)
	at := time.Now().Add(-time.Hour)
	bodies := []openclaw.Body{
		openclaw.TurnStarted{Source: openclaw.SourceClient, Text: "hello"},
		openclaw.TextWritten{Text: "Hello."},
		openclaw.TurnCompleted{Text: "Hello.", Model: "instant", Usage: openclaw.Usage{Input: 10, Output: 2}},
	}
	for i := range events {
		events[i] = openclaw.Event{
			Session: name, Seq: int64(i + 1), Time: at, RequestID: fmt.Sprint("r", i/len(bodies)), Body: bodies[i%len(bodies)],
		}
	}
	return store.Append(context.Background(), events)
}
