package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
)

// TestEveryRoute asks every route with and without an upgrade, in every state
// of the door.
func TestEveryRoute(t *testing.T) {
	routes := []struct {
		path   string
		status int // of a GET that may pass
	}{
		{"/healthz", 200}, {"/readyz", 200}, {"/schema/protocol.json", 200}, {"/schema/asyncapi.json", 200},
		{"/schema/x", 404}, {"/", 200}, {"/ws", 426}, {"/gateway", 426}, {"/nowhere", 404}, {"/healthz/", 404}, {"//", 307},
	}
	doors := []struct {
		name    string
		auth    bool
		query   string
		headers []string
		status  int // 0: may pass
	}{
		{"open", false, "", nil, 0},
		{"through a proxy", false, "", []string{"X-Forwarded-For", "127.0.0.1"}, 401},
		{"no token", true, "", nil, 401},
		{"token in the address", true, "?token=" + token, nil, 0},
		{"token in the header", true, "", []string{"Authorization", "Bearer " + token}, 0},
		{"wrong token", true, "?token=wrong", nil, 401},
		{"foreign page", false, "", []string{"Origin", "https://evil.example"}, 403},
		{"foreign page with the token", true, "?token=" + token, []string{"Origin", "null"}, 403},
		{"image in a foreign page", true, "?token=wrong", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"rebound name", false, "", []string{"Host", "evil.example"}, 403},
	}
	for _, route := range routes {
		for _, door := range doors {
			for _, upgrade := range []bool{false, true} {
				access := gateway.Access{}
				if door.auth {
					access.Token = token
				}
				s, u := newServer(t, access, true)
				headers := door.headers
				if upgrade {
					headers = append(slices.Clip(headers), "Upgrade", "websocket", "Connection", "Upgrade")
				}
				got := request(s, http.MethodGet, route.path+door.query, headers...).StatusCode
				socket := upgrade && slices.Contains([]string{"/", "/ws", "/gateway"}, route.path)
				want := route.status
				switch {
				case door.status == 403:
					want = 403
				case socket:
					want = 101
				case door.status == 401 && route.path != "/healthz":
					want = 401
				}
				if got != want {
					t.Errorf("%s, %s, upgrade %v: %d, want %d", route.path, door.name, upgrade, got, want)
				}
				if want == 101 && (u.refusal == nil) != (door.status == 0) {
					t.Errorf("%s, %s: the WebSocket is refused with %v", route.path, door.name, u.refusal)
				}
			}
		}
	}
}

// TestTokenChangesDuringUpgrade changes the token after the request was let
// through and before its connection can be closed with the others.
func TestTokenChangesDuringUpgrade(t *testing.T) {
	door := gateway.NewDoor(gateway.Access{Token: token}, nil)
	u := &upgrades{before: func() { door.Set(gateway.Access{Token: "another"}) }}
	s, err := New(Config{Door: door, Upgrader: u, Ready: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	request(s, http.MethodGet, "/?token="+token, "Upgrade", "websocket")
	if openclaw.CodeOf(u.refusal) != openclaw.CodeAuthInvalid {
		t.Errorf("the old token gets %v", u.refusal)
	}
}

// listen serves s on a port of its own.
func listen(t *testing.T, s *Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.http.Close() // with the connections of the attackers
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func connect(t *testing.T, address, bytes string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
	return c
}

// wantGone waits until the server has let go of the connection.
func wantGone(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection was still open after 30 s")
	}
}

// TestNobodyStandsInTheWay has strangers take every place in front of the
// door, in each way there is; a client that has business still gets in, and
// who waited longest is gone.
func TestNobodyStandsInTheWay(t *testing.T) {
	for name, bytes := range map[string]string{
		"silent":           "",
		"dribbled header":  "GET / HTTP/1.1\r\nHost: localhost\r\n",
		"body that waits":  "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
		"liveness, a body": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
		"idle":             "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(Config{
				Door: gateway.NewDoor(gateway.Access{Token: token}, nil), Upgrader: &upgrades{},
				Ready: func() bool { return true }, Waiting: 8,
			})
			if err != nil {
				t.Fatal(err)
			}
			address := listen(t, s)
			first := connect(t, address, bytes)
			for range 20 {
				connect(t, address, bytes)
			}
			for range 5 {
				c := connect(t, address, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+"\r\nConnection: close\r\n\r\n")
				r, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				if r.StatusCode != http.StatusOK {
					t.Fatal(r.Status)
				}
			}
			wantGone(t, first)
		})
	}
}

// TestRequestsThatAreNone sends what no client sends.
func TestRequestsThatAreNone(t *testing.T) {
	s, _ := newServer(t, gateway.Access{}, true)
	address := listen(t, s)
	for name, test := range map[string]struct {
		bytes  string
		status int
	}{
		"OPTIONS * of a rebound name": {"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
		"absolute address of another": {"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 403},
		"two Hosts":                   {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
		"no Host":                     {"GET / HTTP/1.1\r\n\r\n", 400},
		"no Host in the old protocol": {"GET / HTTP/1.0\r\n\r\n", 403},
		"header without an end":       {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 24<<10), 431},
		"two lengths":                 {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
		"HTTP/2 at once":              {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403},
	} {
		c := connect(t, address, test.bytes)
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != test.status {
			t.Errorf("%s: %v, %v; want %d", name, r, err, test.status)
		}
	}
}

// TestSlowHTTPTest lets Debian's slowhttptest do its worst in each of its ways
// while others are served.
func TestSlowHTTPTest(t *testing.T) {
	program, err := exec.LookPath("slowhttptest")
	if err != nil {
		if os.Getenv("CI_FOREIGN") == "1" {
			t.Fatal("install the Debian package slowhttptest:", err)
		}
		t.Skip("the Debian package slowhttptest is not installed")
	}
	for name, mode := range map[string][]string{
		"slow header": {"-H", "-i", "1"}, "slow body": {"-B", "-i", "1"}, "slow read": {"-X", "-w", "1", "-y", "2", "-n", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := New(Config{
				Door: gateway.NewDoor(gateway.Access{}, nil), Upgrader: &upgrades{},
				Ready: func() bool { return true }, HeaderTimeout: time.Second, Waiting: 64,
			})
			if err != nil {
				t.Fatal(err)
			}
			address := listen(t, s)
			var out bytes.Buffer
			cmd := exec.CommandContext(t.Context(), program,
				append(mode, "-c", "200", "-r", "200", "-l", "2", "-p", "1", "-u", fmt.Sprintf("http://%s/schema/protocol.json", address))...)
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			others := &http.Client{Timeout: 30 * time.Second}
			var worst time.Duration
			for {
				began := time.Now()
				r, err := get(others, "http://"+address+"/readyz")
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
				worst = max(worst, time.Since(began))
				select {
				case <-done: // its exit code is its opinion of the server
					t.Logf("the slowest answer to others took %v\n%s", worst, out.Bytes())
					return
				default:
				}
			}
		})
	}
}

// get tries a few times: who is held up on a busy machine before it has sent
// its request looks like one of the attackers, and may have to make room.
func get(c *http.Client, url string) (r *http.Response, err error) {
	for range 5 {
		if r, err = c.Get(url); err == nil {
			return r, nil
		}
	}
	return nil, err
}
