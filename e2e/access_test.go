package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// token has the characters that a URL must escape.
const token = "p+q/r=s&t%41u#w?x-0123456789"

func (h *home) withToken(token string) *home {
	return h.set("OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_AUTH_TOKEN="+token)
}

func TestToken(t *testing.T) {
	t.Parallel()
	h := newHome(t).withToken(token)
	g := h.start()
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for _, test := range []struct {
		name, path string
		header     http.Header
		refused    openclaw.Code
	}{
		{"in the URL", "?token=" + url.QueryEscape(token), nil, ""},
		{"in the URL of another path", "/ws?token=" + url.QueryEscape(token), nil, ""},
		{"as a header", "/", bearer(token), ""},
		{"wrong in the URL", "?token=guess", nil, openclaw.CodeAuthInvalid},
		{"wrong as a header", "/gateway", bearer("guess"), openclaw.CodeAuthInvalid},
		{"a part of it", "/", bearer(token[:len(token)-1]), openclaw.CodeAuthInvalid},
		{"missing", "/", nil, openclaw.CodeAuthRequired},
		{"empty", "?token=", nil, openclaw.CodeAuthRequired},
		{"not escaped", "?token=" + strings.ReplaceAll(token, "#", "%23"), nil, openclaw.CodeAuthInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := g.socket(test.path, test.header)
			s.t = t
			defer s.socket.CloseNow()
			if test.refused == "" {
				s.send(`{"type":"status","id":"1"}`)
				if f := s.next(); f.Type != protocol.TypeStatus {
					t.Errorf("got %s", f.text)
				}
				return
			}
			if e := s.refusal(""); e.Code != test.refused {
				t.Errorf("got %+v, want %s", e, test.refused)
			}
			if code := s.closed(); code != websocket.StatusPolicyViolation {
				t.Errorf("closed with %d, want 1008", code)
			}
		})
	}
	for path, want := range map[string]int{"/readyz": http.StatusUnauthorized, "/healthz": http.StatusOK} {
		if got := g.get(path, nil); got != want {
			t.Errorf("%s without the token: HTTP %d, want %d", path, got, want)
		}
	}
	if got := g.get("/readyz", bearer(token)); got != http.StatusOK {
		t.Errorf("/readyz with the token: HTTP %d", got)
	}
	g.stop()
	if where := h.find(token); len(where) > 0 || strings.Contains(g.stderr.String(), token) {
		t.Errorf("the token is written down in %q or on standard error", where)
	}
}

// TestWebPages is CVE-2026-25253: pages in the user's own browser that talk to
// the gateway.
func TestWebPages(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("config.yml", "gateway: {allowed_hosts: [claw.example], allowed_origins: ['https://page.example']}\n")
	open := h.start()
	locked := newHome(t).withToken(token).start()
	for _, test := range []struct {
		name, host, origin string
		want               int
	}{
		{"no page", "", "", http.StatusSwitchingProtocols},
		{"localhost", "localhost:18789", "", http.StatusSwitchingProtocols},
		{"a listed host", "claw.example", "", http.StatusSwitchingProtocols},
		{"a listed page", "", "https://page.example", http.StatusSwitchingProtocols},
		{"the gateway's own page", "", "http://" + open.address, http.StatusSwitchingProtocols},
		{"DNS rebinding", "evil.example", "", http.StatusForbidden},
		{"DNS rebinding by a page of its own origin", "evil.example", "http://evil.example", http.StatusForbidden},
		{"another page", "", "https://evil.example", http.StatusForbidden},
		{"a page with a name like a listed one", "", "https://page.example.evil.example", http.StatusForbidden},
		{"a file", "", "null", http.StatusForbidden},
		{"another port", "", "http://127.0.0.1:1", http.StatusForbidden},
	} {
		header := http.Header{}
		if test.host != "" {
			header.Set("Host", test.host)
		}
		if test.origin != "" {
			header.Set("Origin", test.origin)
		}
		if _, got := open.knock("/ws", header); got != test.want {
			t.Errorf("%s: HTTP %d, want %d", test.name, got, test.want)
		}
		if test.want != http.StatusForbidden {
			continue
		}
		if got := open.get("/healthz", header); got != test.want {
			t.Errorf("%s: /healthz answers HTTP %d, want %d", test.name, got, test.want)
		}
		header.Set("Authorization", "Bearer "+token)
		if _, got := locked.knock("/", header); got != test.want {
			t.Errorf("%s with the token: HTTP %d, want %d", test.name, got, test.want)
		}
	}
	// All that counts as no guess.
	if _, err := client.Ask[protocol.Status](within(t), locked.dial(client.Options{Token: token}), protocol.TypeStatus, struct{}{}); err != nil {
		t.Errorf("the owner is locked out: %v", err)
	}
	s := open.socket("/", http.Header{"X-Forwarded-For": {"192.0.2.1"}})
	if e := s.refusal(""); e.Code != openclaw.CodeAuthRequired {
		t.Errorf("through a proxy: %+v, want AUTH_REQUIRED", e)
	}
}

// TestGuessing shows the gateway more wrong tokens than it takes.
func TestGuessing(t *testing.T) {
	t.Parallel()
	g := newHome(t).withToken(token).start()
	wrong := func(n string) http.Header { return http.Header{"Authorization": {"Bearer wrong-" + n}} }
	for range 20 {
		g.get("/readyz", wrong("stale")) // a forgotten client
	}
	for _, n := range strings.Split("123456789", "") {
		if got := g.get("/readyz", wrong(n)); got != http.StatusUnauthorized {
			t.Fatalf("guess %s: HTTP %d", n, got)
		}
	}
	if _, got := g.knock("/", http.Header{"Authorization": {"Bearer " + token}}); got != http.StatusTooManyRequests {
		t.Errorf("after ten different guesses: HTTP %d, want 429", got)
	}
}

// TestUnsafeConfiguration starts gateways that must not run.
func TestUnsafeConfiguration(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, config, says string }{
		{"open to the network", "gateway: {host: 0.0.0.0}", "gateway.auth"},
		{"empty token", "gateway: {auth: {enabled: true, token: ''}}", "token"},
		{"unset variable", "gateway: {auth: {enabled: true, token: '${NO_SUCH_TOKEN}'}}", "NO_SUCH_TOKEN"},
		{"unknown key", "gateway: {prot: 1}", "port"},
	} {
		h := newHome(t)
		h.write("config.yml", test.config+"\n")
		got := h.run("gateway", "run")
		if got.code != 2 || !strings.Contains(got.stderr, test.says) || !strings.HasPrefix(got.stderr, "openclaw: ") {
			t.Errorf("%s: ended with %d, saying %q; want 2 and a word of %s", test.name, got.code, got.stderr, test.says)
		}
	}
}
