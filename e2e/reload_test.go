package e2e

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// TestReload changes the configuration file of a gateway while a turn runs.
func TestReload(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("config.yml", "gateway: {allowed_origins: []}\n")
	g := h.start()
	s := g.socket("/", nil)
	s.send(untilToldSo)
	h.pid("pid")
	page := http.Header{"Origin": {"https://page.example"}}
	if _, got := g.knock("/", page); got != http.StatusForbidden {
		t.Errorf("before: HTTP %d", got)
	}
	h.write("config.yml", "gateway: {allowed_origins: ['https://page.example']}\n")
	eventually(t, "the page to be let in", func() bool {
		_, got := g.knock("/", page)
		return got == http.StatusSwitchingProtocols
	})
	h.touch("go")
	if f := s.answer("slow"); f.Type != protocol.TypeResponse {
		t.Errorf("the turn that ran meanwhile ends with %s", f.text)
	}
}

// TestReloadToken changes the token: who came in with the old one must go.
func TestReloadToken(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	auth := func(token string) string { return "gateway: {auth: {enabled: true, token: " + token + "}}\n" }
	h.write("config.yml", auth("the-first-of-two-tokens"))
	g := h.start()
	s := g.socket("?token=the-first-of-two-tokens", nil)
	s.send(`{"type":"status","id":"1"}`)
	if f := s.answer("1"); f.Type != protocol.TypeStatus {
		t.Fatalf("got %s", f.text)
	}
	h.write("config.yml", auth("the-second-of-two-tokens"))
	if code := s.closed(); code != websocket.StatusPolicyViolation {
		t.Errorf("the connection is closed with %d, want 1008", code)
	}
	if got := g.get("/readyz", http.Header{"Authorization": {"Bearer the-first-of-two-tokens"}}); got != http.StatusUnauthorized {
		t.Errorf("with the old token: HTTP %d", got)
	}
	if got := g.get("/readyz", http.Header{"Authorization": {"Bearer the-second-of-two-tokens"}}); got != http.StatusOK {
		t.Errorf("with the new token: HTTP %d", got)
	}
}

// TestReloadBroken breaks the file: the gateway goes on with what it had and
// says so until the file is mended.
func TestReloadBroken(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const sound = "gateway: {allowed_origins: ['https://page.example']}\n"
	h.write("config.yml", sound)
	g := h.start()
	c := g.dial(client.Options{})
	problems := func() []string {
		status, err := client.Ask[protocol.Status](within(t), c, protocol.TypeStatus, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		return status.Problems
	}
	for _, broken := range []string{"gateway: {allowed_origins: [\n", "gateway: {prot: 18790}\n", "gateway: {port: many}\n"} {
		h.write("config.yml", broken)
		eventually(t, "status to show the problem", func() bool { return len(problems()) > 0 })
		if _, got := g.knock("/", http.Header{"Origin": {"https://page.example"}}); got != http.StatusSwitchingProtocols {
			t.Errorf("with the file %q the old configuration is not in force: HTTP %d", broken, got)
		}
		h.write("config.yml", sound)
		eventually(t, "status to show no problem", func() bool { return len(problems()) == 0 })
	}
	g.mayLog(`"level":"ERROR"`)
}
