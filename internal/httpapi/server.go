// Package httpapi is the HTTP side of the gateway's port: it lets requests
// through the Door, hands WebSocket upgrades on, and answers the plain routes
// (liveness, readiness, schemas).
//
// It owns the HTTP server and its time limits. It knows nothing of turns.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/protocol"
)

// Upgrader takes over requests that ask for a WebSocket.
type Upgrader interface {
	// Upgrade answers the request. refusal is asked once, when the connection
	// is one that can be closed; with one the client is told and closed.
	Upgrade(w http.ResponseWriter, r *http.Request, refusal func() *openclaw.Error)
}

// Config is what a Server is made of.
type Config struct {
	Door *gateway.Door // required
	// Seen is told of each request that is a connection, changes something or is
	// refused; refused is nil for one that is let in. It must not block. nil:
	// nobody wants it.
	Seen     func(r *http.Request, webSocket bool, refused *openclaw.Error)
	Upgrader Upgrader // required
	// Ready says whether new work is accepted.
	Ready         func() bool
	Version       string
	HeaderTimeout time.Duration // for the request header; default 5 s
	// Waiting bounds the connections that have not been let in or sit idle;
	// with one more the oldest is closed. Default 1,024.
	Waiting int
	Logger  *slog.Logger
}

// Server serves one listener.
type Server struct {
	config Config
	routes *http.ServeMux
	// Documents that take some milliseconds to make, and never change.
	protocolSchema, asyncAPI func() []byte
	http                     *http.Server
	porch                    *porch
}

// New checks the configuration.
func New(config Config) (*Server, error) {
	if config.Door == nil || config.Upgrader == nil || config.Ready == nil {
		return nil, errors.New("httpapi: Config.Door, Upgrader and Ready are required")
	}
	if config.HeaderTimeout <= 0 {
		config.HeaderTimeout = 5 * time.Second
	}
	if config.Waiting <= 0 {
		config.Waiting = 1024
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: config, routes: http.NewServeMux(), porch: newPorch(config.Waiting)}
	s.protocolSchema = sync.OnceValue(protocol.Schema)
	s.asyncAPI = sync.OnceValue(func() []byte { return protocol.AsyncAPI(config.Version) })
	s.routes.HandleFunc("GET /healthz", s.healthz)
	s.routes.HandleFunc("GET /readyz", s.readyz)
	s.routes.HandleFunc("GET /schema/{name}", s.schema)
	s.routes.HandleFunc("GET /{$}", s.index)
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: config.HeaderTimeout,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnState:         s.porch.state,
		ConnContext:       withConn,

		DisableGeneralOptionsHandler: true, // it would answer past the Door
		ErrorLog:                     slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Serve answers requests until Shutdown; it blocks, and closes the listener.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops accepting and waits for plain requests until ctx ends.
// WebSocket connections are not its business.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// ServeHTTP lets the request through the Door and routes it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verdict := s.config.Door.Check(r)
	if s.config.Seen != nil && (verdict.Err != nil && r.URL.Path != "/healthz" || upgrade(r) || r.Method == http.MethodPost) {
		s.config.Seen(r, upgrade(r), verdict.Err)
	}
	if verdict.Err != nil && verdict.Status != http.StatusUnauthorized {
		s.fail(w, verdict.Status, verdict.Err)
		return
	}
	if upgrade(r) {
		s.config.Upgrader.Upgrade(w, r, func() *openclaw.Error {
			if verdict.Err != nil { // judged again, it would count as another guess
				return verdict.Err
			}
			return s.config.Door.Check(r).Err
		})
		return
	}
	if verdict.Err != nil && r.URL.Path != "/healthz" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.fail(w, verdict.Status, verdict.Err)
		return
	}
	if verdict.Err == nil {
		s.porch.leave(connOf(r))
	}
	s.serveRoute(w, r)
}

// upgrade says whether the request asks for a WebSocket where there is one.
func upgrade(r *http.Request) bool {
	switch r.URL.Path {
	case "/", "/ws", "/gateway":
		return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	}
	return false
}

func (s *Server) serveRoute(w http.ResponseWriter, r *http.Request) {
	handler, pattern := s.routes.Handler(r)
	if pattern != "" {
		s.routes.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case "/ws", "/gateway":
		w.Header().Set("Upgrade", "websocket")
		s.fail(w, http.StatusUpgradeRequired, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: "this path speaks WebSocket; connect with ws:// in place of http://",
		})
		return
	}
	probe := &statusOnly{header: http.Header{}}
	handler.ServeHTTP(probe, r) // 405 with Allow, or 404
	if allow := probe.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		s.fail(w, http.StatusMethodNotAllowed, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: "this path does not take " + r.Method + "; use " + allow,
		})
		return
	}
	s.fail(w, http.StatusNotFound, &openclaw.Error{
		Code: openclaw.CodeNotFound, Message: "nothing is served here; the WebSocket API is at /ws, liveness at /healthz, schemas at /schema/protocol.json",
	})
}

// statusOnly takes a response of the router apart.
type statusOnly struct{ header http.Header }

func (p *statusOnly) Header() http.Header         { return p.header }
func (p *statusOnly) WriteHeader(int)             {}
func (p *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

// fail answers with the protocol's error as JSON.
func (s *Server) fail(w http.ResponseWriter, status int, err *openclaw.Error) {
	if err.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(err.RetryAfter.Seconds()))))
	}
	s.json(w, status, map[string]any{"error": protocol.NewError(err)})
}

func (s *Server) json(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.config.Logger.Error("response has no JSON form", "err", err)
		status, data = http.StatusInternalServerError, []byte("{}")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // the client may be gone
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, map[string]any{"status": "ok"})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if !s.config.Ready() {
		s.json(w, http.StatusServiceUnavailable, map[string]any{"status": "draining"})
		return
	}
	s.json(w, http.StatusOK, map[string]any{"status": "ready"})
}

func (s *Server) schema(w http.ResponseWriter, r *http.Request) {
	var document []byte
	switch r.PathValue("name") {
	case "protocol.json":
		document = s.protocolSchema()
	case "asyncapi.json":
		document = s.asyncAPI()
	default:
		s.fail(w, http.StatusNotFound, &openclaw.Error{
			Code: openclaw.CodeNotFound, Message: "there are /schema/protocol.json and /schema/asyncapi.json",
		})
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(document)
}

// index is for people who open the address in a browser.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte("OpenClaw Gateway " + s.config.Version + "\n\n" +
		"This address speaks WebSocket. From a terminal: openclaw chat \"hello\"\n" +
		"Protocol: /schema/protocol.json and /schema/asyncapi.json\n"))
}
