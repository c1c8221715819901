package mcp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/openclaw/openclaw-go"
)

const (
	maxPause  = 5 * time.Minute
	steady    = time.Minute     // a server that lived so long begins with the first pause again
	eager     = time.Second     // how soon a call may try again to connect
	settling  = 2 * time.Second // between two looks at the tools, however often a server says that they changed
	tolerated = 2               // calls without an answer in a row, before the server counts as hanging
)

// server is one server and the goroutine that keeps it connected.
type server struct {
	host *Host
	spec Server

	life    context.Context
	stop    context.CancelFunc
	tried   chan struct{} // closed when it has been connected, or could not be, for the first time
	kick    chan struct{} // a call wants it connected now
	relist  chan struct{} // its tools have changed
	restart chan string   // what a call saw of it says that it should be connected anew

	greeting greeting // belongs to run

	mu      sync.Mutex
	session *sdk.ClientSession // nil: not connected
	tools   []*sdk.Tool        // as it listed them last
	fault   error              // why it is not connected; nil while it may still be
	began   time.Time          // the last attempt
	news    chan struct{}      // closed when session or fault changes
	retired bool
	late    int // calls without an answer in a row
	calls   sync.WaitGroup
}

func newServer(h *Host, spec Server) *server {
	life, stop := context.WithCancel(context.Background())
	return &server{
		host: h, spec: spec, life: life, stop: stop,
		tried: make(chan struct{}), kick: make(chan struct{}, 1), relist: make(chan struct{}, 1),
		restart: make(chan string, 1), news: make(chan struct{}),
	}
}

// run keeps the server connected until stop is called.
func (s *server) run() {
	defer s.stop()
	first := sync.OnceFunc(func() { close(s.tried) })
	defer first()
	pause := s.host.opts.FirstPause
	for s.life.Err() == nil {
		began := time.Now()
		err := s.connectOnce(first)
		if s.life.Err() != nil {
			return
		}
		if s.greeting.other(err) {
			s.host.opts.Logger.Info("mcp server is greeted in another way", "server", s.spec.Name, "err", s.redact(err.Error()))
			continue
		}
		s.update(func() { s.session, s.fault = nil, err })
		if time.Since(began) > steady {
			pause = s.host.opts.FirstPause
		}
		s.host.opts.Logger.Warn("mcp server is not connected", "server", s.spec.Name, "err", s.redact(err.Error()), "again_in", pause.String())
		first()
		select {
		case <-time.After(pause):
		case <-s.kick:
		case <-s.life.Done():
		}
		pause = min(2*pause, maxPause)
	}
}

// connectOnce connects, lists the tools, and blocks until the connection has
// ended and nothing of it is left.
func (s *server) connectOnce(connected func()) error {
	s.update(func() { s.fault, s.began = nil, time.Now() })
	link, err := s.open()
	if err != nil {
		return err
	}
	defer link.close()
	ctx, cancel := context.WithTimeout(s.life, s.greeting.limit(s.host.opts.StartTimeout))
	defer cancel()
	session, err := s.client().Connect(ctx, link.transport, s.greeting.options())
	if err != nil {
		return notGreeted{link.explain(err)}
	}
	s.greeting.worked()
	tools, err := s.list(ctx, session)
	ended := make(chan error, 1)
	var wait sync.WaitGroup
	wait.Go(func() { ended <- session.Wait() })
	defer wait.Wait()
	defer link.end(session)
	if err != nil {
		return link.explain(err)
	}
	for drained := false; !drained; { // what is left of the connection before
		select {
		case <-s.restart:
		case <-s.relist:
		default:
			drained = true
		}
	}
	s.update(func() { s.session, s.tools, s.late = session, tools, 0 })
	s.host.changed()
	s.host.opts.Logger.Info("mcp server connected", "server", s.spec.Name, "tools", len(tools))
	connected()
	err = s.attend(session, ended)
	s.update(func() { s.session = nil })
	return link.explain(err)
}

// attend follows the changes of the tools until the connection ends.
func (s *server) attend(session *sdk.ClientSession, ended <-chan error) error {
	for {
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it ended the connection")
			}
			return err
		case reason := <-s.restart:
			return errors.New(reason)
		case <-s.life.Done():
			return s.life.Err()
		case <-s.relist:
			ctx, cancel := context.WithTimeout(s.life, s.host.opts.StartTimeout)
			tools, err := s.list(ctx, session)
			cancel()
			if err != nil {
				return err
			}
			s.update(func() { s.tools = tools })
			s.host.changed()
			select {
			case <-time.After(settling):
			case <-s.life.Done():
			}
		}
	}
}

// client returns a client that offers a server nothing: it has no files to
// show, answers no questions and lends no model.
func (s *server) client() *sdk.Client {
	return sdk.NewClient(&sdk.Implementation{Name: "openclaw", Version: s.host.opts.Version}, &sdk.ClientOptions{
		Capabilities:   &sdk.ClientCapabilities{},
		MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) {
			select {
			case s.relist <- struct{}{}:
			default: // a look is due already
			}
		},
	})
}

// update changes the state and tells those who wait for it.
func (s *server) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.news)
	s.news = make(chan struct{})
}

// acquire returns the connection for one call; release it. Where there is
// none, it waits for the attempt that is under way, or for one more.
func (s *server) acquire(ctx context.Context) (_ *sdk.ClientSession, release func(), err error) {
	entered := time.Now()
	for {
		s.mu.Lock()
		session, fault, began, news, retired := s.session, s.fault, s.began, s.news, s.retired
		if session != nil && !retired {
			s.calls.Add(1)
		}
		s.mu.Unlock()
		switch {
		case retired:
			return nil, nil, s.failed("has been removed from the configuration; do not call it again", nil)
		case session != nil:
			return session, s.calls.Done, nil
		case fault != nil && (began.After(entered) || time.Since(began) < eager):
			return nil, nil, s.failed("is not running ("+s.redact(fault.Error())+"); it is tried again later, go on without it", fault)
		case fault != nil:
			select {
			case s.kick <- struct{}{}:
			default: // somebody else wants the same
			}
		}
		select {
		case <-news:
		case <-s.life.Done():
			return nil, nil, s.failed("has been stopped", nil)
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// retire ends the server when its calls have ended.
func (s *server) retire() {
	s.update(func() { s.retired = true })
	s.calls.Wait()
	s.stop()
}

// answered counts the calls without an answer in a row. A server that has too
// many hangs, and is connected anew.
func (s *server) answered(yes bool) {
	s.mu.Lock()
	s.late++
	if yes {
		s.late = 0
	}
	hangs := s.late >= tolerated
	s.mu.Unlock()
	if hangs {
		s.reconnect("it does not answer")
	}
}

// reconnect ends the connection there is.
func (s *server) reconnect(reason string) {
	select {
	case s.restart <- reason:
	default: // it is about to end already
	}
}

func (s *server) failed(what string, err error) error {
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: "the MCP server " + s.spec.Name + " " + what, Err: err}
}

// offered returns the server's tools that the owner wants.
func (s *server) offered() []*tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*tool
	for _, t := range s.tools {
		wanted := len(s.spec.Allowed) == 0 || slices.Contains(s.spec.Allowed, t.Name)
		if wanted && !slices.Contains(s.spec.Blocked, t.Name) {
			list = append(list, newTool(s, t))
		}
	}
	return list
}
