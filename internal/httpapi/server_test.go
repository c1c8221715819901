package httpapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
)

// upgrades remembers what it was asked to upgrade.
type upgrades struct {
	asked   int
	refusal *openclaw.Error
	before  func() // asking; may be nil
}

func (u *upgrades) Upgrade(w http.ResponseWriter, _ *http.Request, refusal func() *openclaw.Error) {
	u.asked++
	if u.before != nil {
		u.before()
	}
	u.refusal = refusal()
	w.WriteHeader(http.StatusSwitchingProtocols)
}

const token = "correct-horse-battery"

func newServer(t *testing.T, access gateway.Access, ready bool) (*Server, *upgrades) {
	t.Helper()
	return newServerWaiting(t, access, ready, 10*time.Second)
}

// newServerWaiting has a patience of its own for the header of a request.
func newServerWaiting(t *testing.T, access gateway.Access, ready bool, header time.Duration) (*Server, *upgrades) {
	t.Helper()
	u := &upgrades{}
	s, err := New(Config{
		Door: gateway.NewDoor(access, nil), Upgrader: u, Version: "test",
		Ready: func() bool { return ready }, HeaderTimeout: header,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, u
}

func request(s *Server, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost:18789"+target, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// code returns the error code of an answer, "" if it is no error.
func code(t *testing.T, r *http.Response) openclaw.Code {
	t.Helper()
	var body struct {
		Error struct {
			Code    openclaw.Code
			Message string
		}
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return ""
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body.Error.Code
}

func TestRoutes(t *testing.T) {
	websocket := []string{"Upgrade", "websocket", "Connection", "Upgrade"}
	bearer := []string{"Authorization", "Bearer " + token}
	tests := []struct {
		name, method, target string
		headers              []string
		status               int
		code                 openclaw.Code
	}{
		{"liveness needs no token", "GET", "/healthz", nil, 200, ""},
		{"liveness from a foreign page", "GET", "/healthz", []string{"Origin", "https://evil.example"}, 403, openclaw.CodeAuthInvalid},
		{"readiness without the token", "GET", "/readyz", nil, 401, openclaw.CodeAuthRequired},
		{"readiness", "GET", "/readyz", bearer, 200, ""},
		{"readiness with a wrong token", "GET", "/readyz", []string{"Authorization", "Bearer guess"}, 401, openclaw.CodeAuthInvalid},
		{"schema", "GET", "/schema/protocol.json", bearer, 200, ""},
		{"AsyncAPI", "GET", "/schema/asyncapi.json", bearer, 200, ""},
		{"no such schema", "GET", "/schema/x", bearer, 404, openclaw.CodeNotFound},
		{"page for people", "GET", "/", bearer, 200, ""},
		{"wrong method", "POST", "/healthz", bearer, 405, openclaw.CodeInvalidMessage},
		{"no such route", "GET", "/nowhere", bearer, 404, openclaw.CodeNotFound},
		{"no such route without the token", "GET", "/nowhere", nil, 401, openclaw.CodeAuthRequired},
		{"WebSocket path without an upgrade", "GET", "/ws", bearer, 426, openclaw.CodeInvalidMessage},
		{"upgrade", "GET", "/", append(websocket, bearer...), 101, ""},
		{"upgrade at /ws", "GET", "/ws", append(websocket, bearer...), 101, ""},
		{"upgrade at /gateway", "GET", "/gateway", append(websocket, bearer...), 101, ""},
		{"upgrade elsewhere", "GET", "/healthz", append(websocket, bearer...), 200, ""},
		{"upgrade without the token is refused inside", "GET", "/", websocket, 101, ""},
		{"upgrade from a foreign page", "GET", "/", append(websocket, "Origin", "https://evil.example"), 403, openclaw.CodeAuthInvalid},
		{"path tricks", "GET", "//healthz", nil, 401, openclaw.CodeAuthRequired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newServer(t, gateway.Access{Token: token}, true)
			r := request(s, test.method, test.target, test.headers...)
			if got := code(t, r); r.StatusCode != test.status || got != test.code {
				t.Errorf("%d %q, want %d %q", r.StatusCode, got, test.status, test.code)
			}
		})
	}
}

func TestUpgradeIsToldOfTheRefusal(t *testing.T) {
	s, u := newServer(t, gateway.Access{Token: token}, true)
	request(s, "GET", "/", "Upgrade", "websocket")
	if u.asked != 1 || openclaw.CodeOf(u.refusal) != openclaw.CodeAuthRequired {
		t.Errorf("asked %d times with refusal %v", u.asked, u.refusal)
	}
	request(s, "GET", "/?token="+token, "Upgrade", "WebSocket")
	if u.asked != 2 || u.refusal != nil {
		t.Errorf("asked %d times with refusal %v", u.asked, u.refusal)
	}
}

func TestDrainingIsNotReady(t *testing.T) {
	s, _ := newServer(t, gateway.Access{}, false)
	if r := request(s, "GET", "/readyz"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", r.StatusCode)
	}
	if r := request(s, "GET", "/healthz"); r.StatusCode != http.StatusOK {
		t.Errorf("liveness %d, want 200", r.StatusCode)
	}
}

func TestThrottledAddressIsToldWhenToComeBack(t *testing.T) {
	s, _ := newServer(t, gateway.Access{Token: token}, true)
	for _, guess := range "0123456789" {
		request(s, "GET", "/readyz", "Authorization", "Bearer guess"+string(guess))
	}
	r := request(s, "GET", "/readyz", "Authorization", "Bearer "+token)
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "60" {
		t.Errorf("status %d, Retry-After %q; want 429 and 60", r.StatusCode, r.Header.Get("Retry-After"))
	}
}

// TestSlowHeader has a client that never finishes its request header.
func TestSlowHeader(t *testing.T) {
	s, _ := newServerWaiting(t, gateway.Access{}, true, 200*time.Millisecond)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for r := bufio.NewReader(c); ; {
		if _, err := r.ReadByte(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was still open after 10 s")
			}
			break
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
