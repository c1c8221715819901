// Package mcp offers the tools of MCP servers: programs that it starts and
// talks to over their standard input and output, and servers on the network.
//
// A Host owns one connection per server, made in the background, and the
// server's process where there is one. It lists a server's tools, follows
// their changes, and connects again, ever more rarely, after a server has
// ended. A call on a server that is dead, hangs or is being connected is an
// error of that call and nothing more. What a server sends is bounded and is
// data for the model: a server can neither ask the model or the user anything
// nor read files through this client.
//
// The package confines no process: starting a program and killing all of it is
// the work of the Exec it is given. It does not decide which calls may run.
package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

// Server says how to reach a server: either Command or URL is set.
type Server struct {
	Name string

	Command string            // a program, by path or to be found in PATH
	Args    []string          //
	Env     map[string]string // besides the variables of Options.Environ that every program gets

	URL     string // of a server that speaks streamable HTTP
	Headers map[string]string

	Allowed []string // tools to offer, by the server's own names; empty: all
	Blocked []string // tools never to offer
}

func (s Server) equal(t Server) bool {
	return s.Name == t.Name && s.Command == t.Command && s.URL == t.URL && slices.Equal(s.Args, t.Args) &&
		maps.Equal(s.Env, t.Env) && maps.Equal(s.Headers, t.Headers) &&
		slices.Equal(s.Allowed, t.Allowed) && slices.Equal(s.Blocked, t.Blocked)
}

// Command is what an Exec runs.
type Command struct {
	Argv           []string // Argv[0] is an absolute path
	Dir            string   // absolute
	Env            []string // "NAME=value"; all there is
	Stdin          *os.File // handed over as it is
	Stdout, Stderr io.Writer
}

// Exec runs a program to its end and returns when nothing it started is left.
// When ctx ends, it kills all of that.
type Exec func(ctx context.Context, c Command) error

// Options configure a Host. Exec is needed for servers with a Command.
type Options struct {
	Exec    Exec
	Dir     string   // where programs run; absolute
	Environ []string // where their variables come from; nil: this process
	Version string   // told to servers as the client's
	Logger  *slog.Logger

	StartTimeout time.Duration // to connect and to list the tools; 0: 30 s
	CallTimeout  time.Duration // for one call; 0: 2 min
	MaxOutput    int           // of a result, in bytes; 0: 64 KiB

	// FirstPause is how long a server that ended is left alone before the next
	// attempt; each further one takes twice as long, up to 5 min. 0: 1 s.
	FirstPause time.Duration
}

func (o Options) withDefaults() Options {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 30 * time.Second
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 2 * time.Minute
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = 64 << 10
	}
	if o.FirstPause == 0 {
		o.FirstPause = time.Second
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}

// Host holds the connections to servers. It is safe for concurrent use. Close
// it.
type Host struct {
	opts  Options
	tasks sync.WaitGroup // the goroutines of all servers

	mu      sync.Mutex
	closed  bool
	servers map[string]*server
	tools   []openclaw.Tool
	version uint64
}

// New returns a Host without servers, or what is wrong with opts.
func New(opts Options) (*Host, error) {
	opts = opts.withDefaults()
	if opts.StartTimeout < 0 || opts.CallTimeout < 0 || opts.FirstPause < 0 || opts.MaxOutput < minOutput {
		return nil, fmt.Errorf("mcp: the time limits must be positive, and MaxOutput at least %d bytes", minOutput)
	}
	return &Host{opts: opts, servers: map[string]*server{}}, nil
}

// Set makes list the servers there are and returns at once. Servers that are
// not in it any more, or are in it with other settings, end when the calls
// that run on them have; those that are new are connected in the background;
// the others are left alone.
func (h *Host) Set(list []Server) error {
	for _, s := range list {
		if s.Command != "" && h.opts.Exec == nil {
			return errors.New("mcp: Exec is missing")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errors.New("mcp: the host is closed")
	}
	next := map[string]*server{}
	for _, s := range list {
		if old := h.servers[s.Name]; old != nil && old.spec.equal(s) {
			next[s.Name] = old
			continue
		}
		fresh := newServer(h, s)
		next[s.Name] = fresh
		h.tasks.Go(fresh.run)
	}
	for name, old := range h.servers {
		if next[name] != old {
			h.tasks.Go(old.retire)
		}
	}
	h.servers = next
	h.rebuild()
	return nil
}

// Tools returns the tools of all servers that have been reached, sorted by
// name. The caller only reads the slice.
func (h *Host) Tools() []openclaw.Tool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tools
}

// Version is another number whenever Tools returns others than before.
func (h *Host) Version() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version
}

// Settle blocks until every server has been connected or could not be, or ctx
// ends.
func (h *Host) Settle(ctx context.Context) {
	h.mu.Lock()
	servers := slices.Collect(maps.Values(h.servers))
	h.mu.Unlock()
	for _, s := range servers {
		select {
		case <-s.tried:
		case <-ctx.Done():
			return
		}
	}
}

// Close ends all servers, and the calls that run on them, and waits for that.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	servers := slices.Collect(maps.Values(h.servers))
	h.mu.Unlock()
	for _, s := range servers {
		s.stop()
	}
	h.tasks.Wait()
}

// changed is called by a server whose tools are others now.
func (h *Host) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rebuild()
}

// rebuild makes the list of tools. The caller holds mu.
func (h *Host) rebuild() {
	var all []*tool
	for _, name := range slices.Sorted(maps.Keys(h.servers)) {
		all = append(all, h.servers[name].offered()...)
	}
	nameTools(all)
	next := make([]openclaw.Tool, len(all))
	same := len(all) == len(h.tools)
	for i, t := range all {
		next[i] = t
		same = same && t.same(h.tools[i].(*tool))
	}
	if !same {
		h.tools = next
		h.version++
	}
}
