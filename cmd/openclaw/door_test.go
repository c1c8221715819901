package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// served is an app that answers on listeners of its own.
type served struct {
	*app
	t    *testing.T
	home string
	log  *bytes.Buffer // at debug; read it when the app is closed
	once sync.Once     // of close
}

func serveApp(t *testing.T, environ ...string) *served {
	t.Helper()
	s := &served{t: t, home: t.TempDir(), log: &bytes.Buffer{}}
	a, err := newApp(t.Context(), s.load(environ...), nil, slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	t.Cleanup(s.close)
	return s
}

func (s *served) load(environ ...string) *config.Config {
	s.t.Helper()
	c, _, err := config.Load(config.Options{Home: s.home, Environ: append([]string{"HOME=" + s.home, "OPENCLAW_PROVIDER=offline"}, environ...)})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// close may be called more than once.
func (s *served) close() {
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.gateway.Drain()
		s.hub.Drain(ctx)
		s.parts.jobs.Close()
		s.parts.servers.Close()
		s.gateway.Close()
		s.sockets.Close(ctx)
		if err := errors.Join(s.http.Shutdown(ctx), s.parts.memories.close(), s.audit.close(), s.store.Close()); err != nil {
			s.t.Error(err)
		}
	})
}

// listen serves on another address; "" is returned where the machine has none
// such.
func (s *served) listen(network, address string) string {
	l, err := net.Listen(network, address)
	if err != nil {
		s.t.Logf("no %s on this machine: %v", address, err)
		return ""
	}
	go func() { _ = s.http.Serve(l) }() // until close
	return l.Addr().String()
}

func (s *served) dial(address, target string, header http.Header) *websocket.Conn {
	s.t.Helper()
	c, _, err := websocket.Dial(s.t.Context(), "ws://"+address+target, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		s.t.Fatal(err)
	}
	c.SetReadLimit(-1)
	s.t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// ask sends a frame and returns the next that comes.
func ask(t *testing.T, c *websocket.Conn, frame string) string {
	t.Helper()
	if frame != "" {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	_, data, err := c.Read(t.Context())
	if err != nil {
		t.Fatalf("after %.100s: %v", frame, err)
	}
	return string(data)
}

const doorToken = "xyzzy-4f9c1d2e7b-plugh"

// TestDoorsOfTheApp knocks at the real thing from each kind of address: IPv4,
// IPv6, IPv4 mapped into IPv6, and one that is this machine's but not loopback.
func TestDoorsOfTheApp(t *testing.T) {
	for _, auth := range []bool{false, true} {
		s := serveApp(t, fmt.Sprintf("OPENCLAW_GATEWAY_AUTH_ENABLED=%v", auth), "OPENCLAW_AUTH_TOKEN="+doorToken)
		_, anyPort, _ := net.SplitHostPort(s.listen("tcp", ":0"))
		from := map[string]bool{ // whether the peer is loopback
			s.listen("tcp4", "127.0.0.1:0"): true, s.listen("tcp6", "[::1]:0"): true, "127.0.0.1:" + anyPort: true,
		}
		if outside := ownAddress(); outside != "" {
			from[net.JoinHostPort(outside, anyPort)] = false
		}
		delete(from, "")
		for address, local := range from {
			for _, proxy := range []bool{false, true} {
				for query, right := range map[string]bool{"": false, "?token=" + doorToken: true, "?token=guess": false} {
					header := http.Header{}
					if proxy {
						header.Set("Via", "1.1 proxy")
					}
					want := openclaw.CodeAuthRequired
					switch {
					case auth && right, !auth && local && !proxy:
						want = ""
					case auth && query != "":
						want = openclaw.CodeAuthInvalid
					}
					what := fmt.Sprintf("auth %v, %s%s, proxy %v", auth, address, query, proxy)
					s.knock(what, address, query, header, want)
				}
			}
		}
	}
}

// knock connects over WebSocket and over HTTP and expects the code.
func (s *served) knock(what, address, query string, header http.Header, want openclaw.Code) {
	s.t.Helper()
	c := s.dial(address, "/"+query, header)
	defer c.CloseNow()
	if want == "" {
		if got := ask(s.t, c, `{"type":"status"}`); !strings.HasPrefix(got, `{"type":"status"`) {
			s.t.Errorf("%s: %s", what, got)
		}
	} else if got := ask(s.t, c, ""); !strings.Contains(got, string(want)) {
		s.t.Errorf("%s: %s, want %s", what, got, want)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+address+"/readyz"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if ok := answer.StatusCode == http.StatusOK; ok != (want == "") || !strings.Contains(string(body), string(want)) {
		s.t.Errorf("%s: HTTP %d %s, want %q", what, answer.StatusCode, body, want)
	}
}

// ownAddress returns an address of this machine that is not loopback, "" if
// it has none.
func ownAddress() string {
	addresses, _ := net.InterfaceAddrs() // none, then
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	return ""
}

// TestChangedTokenClosesConnections reloads the configuration with another
// token: who came with the old one is closed, and cannot come back with it.
func TestChangedTokenClosesConnections(t *testing.T) {
	on, off := "OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_GATEWAY_AUTH_ENABLED=false"
	const first, second = "OPENCLAW_AUTH_TOKEN=" + doorToken, "OPENCLAW_AUTH_TOKEN=another-" + doorToken
	for name, test := range map[string]struct {
		before, after []string
		query         string
		stays         bool
	}{
		"another token":   {[]string{on, first}, []string{on, second}, "?token=" + doorToken, false},
		"auth turned on":  {[]string{off}, []string{on, first}, "", false},
		"auth turned off": {[]string{on, first}, []string{off, first}, "?token=" + doorToken, true},
		"another limit":   {[]string{on, first}, []string{on, first, "OPENCLAW_GATEWAY_LIMITS_BURST=7"}, "?token=" + doorToken, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveApp(t, test.before...)
			address := s.listen("tcp", "127.0.0.1:0")
			c := s.dial(address, "/"+test.query, nil)
			ask(t, c, `{"type":"status"}`)
			s.reload(s.load(test.after...), nil)
			if test.stays {
				ask(t, c, `{"type":"status"}`)
				return
			}
			_, data, err := c.Read(t.Context())
			if websocket.CloseStatus(err) != websocket.StatusCode(protocol.ClosePolicy) {
				t.Errorf("the connection of the old token: %s, %v", data, err)
			}
			if again := s.dial(address, "/"+test.query, nil); !strings.Contains(ask(t, again, ""), "AUTH_") {
				t.Error("the old token still opens the door")
			}
		})
	}
}

// TestTokenIsNowhere lets a gateway with a distinctive token do all that it
// does and then looks for the token wherever others can look.
func TestTokenIsNowhere(t *testing.T) {
	s := serveApp(t, "OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_AUTH_TOKEN="+doorToken)
	t.Setenv("OPENCLAW_AUTH_TOKEN", doorToken) // as a process has it
	address := s.listen("tcp", "127.0.0.1:0")
	c := s.dial(address, "/?token="+doorToken, nil)
	var said strings.Builder
	for i, frame := range []string{
		`"subscribe","payload":{"session":"main"}`, `"status"`, `"tool_list"`, `"model_list"`, `"skill_list"`, `"session_list"`,
		`"heartbeat_trigger"`, `"nonsense"`, `"chat","payload":{"text":""}`, `"skill_invoke","payload":{"skill":"x"}`,
		`"chat","payload":{"text":"run: env; cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline /proc/*/cmdline","context":{"session":"main"}}`,
		`"session_history","payload":{"session":"main"}`,
	} {
		id := fmt.Sprintf(`"id":"%d"`, i)
		answer := ask(t, c, `{`+id+`,"type":`+frame+`}`)
		for said.WriteString(answer); !strings.Contains(answer, id); said.WriteString(answer) {
			answer = ask(t, c, "")
		}
	}
	if !strings.Contains(said.String(), "PATH=") {
		t.Error("the command has not shown its environment:", said.String())
	}
	for _, target := range []string{"/", "/healthz", "/readyz", "/schema/protocol.json", "/schema/asyncapi.json", "/ws", "/metrics", "/v1/models", "/nowhere"} {
		for _, shown := range []string{doorToken, doorToken + "x"} {
			r, err := http.Get("http://" + address + target + "?token=" + shown)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Header.Write(&said)
			_, _ = io.Copy(&said, r.Body)
			_ = r.Body.Close()
		}
	}
	for _, broken := range []string{"GET /?token=" + doorToken + " HTTP/9.9\r\n\r\n", "\x00?token=" + doorToken + "\r\n\r\n"} {
		raw, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(raw, broken)
		_, _ = io.Copy(&said, raw)
		_ = raw.Close()
	}
	_ = c.CloseNow()
	s.reload(s.load("OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_AUTH_TOKEN=another-"+doorToken), nil)
	s.close()
	seek(t, "answers", said.String())
	seek(t, "the log", s.log.String())
	err := filepath.WalkDir(s.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seek(t, path, string(data))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// seek fails when the token is in the text.
func seek(t *testing.T, where, text string) {
	t.Helper()
	if i := strings.Index(text, doorToken); i >= 0 {
		t.Errorf("the token is in %s: %q", where, text[max(0, i-200):min(len(text), i+100)])
	}
}

// A gateway that is stopped before it serves has done what it was asked: that
// is no failure.
func TestStopBeforeReady(t *testing.T) {
	s := &served{t: t, home: t.TempDir(), log: &bytes.Buffer{}}
	a, err := newApp(t.Context(), s.load("OPENCLAW_GATEWAY_PORT=0"), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := a.run(ctx, func(string) { t.Error("it says that it is ready") }); err != nil {
		t.Error(err)
	}
}
