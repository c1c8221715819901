package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type nothing struct{ session.Store }

func (nothing) Invoke(string, string) (i gateway.Invocation, err error)         { return i, nil }
func (nothing) Fit(string) (i gateway.Invocation, err error)                    { return i, nil }
func (nothing) List() []protocol.SkillEntry                                     { return nil }
func (nothing) Counts() protocol.SkillCounts                                    { return protocol.SkillCounts{} }
func (nothing) Trigger(bool) protocol.HeartbeatStatus                           { return protocol.HeartbeatStatus{} }
func (nothing) State() (s protocol.HeartbeatState)                              { return s }
func (nothing) History(context.Context, int) ([]openclaw.Run, error)            { return nil, nil }
func (nothing) Unfinished(context.Context) (u []openclaw.Unfinished, err error) { return u, err }

// serve starts a server whose gateway has no model; tool_list has an answer of
// the given size.
func serve(t *testing.T, limits ws.Limits, refuse *openclaw.Error, answer int) (*ws.Server, *gateway.Gateway, string) {
	t.Helper()
	return serveCounting(t, limits, refuse, answer, new(atomic.Int64))
}

// serveCounting counts how often tool_list was asked for.
func serveCounting(t *testing.T, limits ws.Limits, refuse *openclaw.Error, answer int, asked *atomic.Int64) (*ws.Server, *gateway.Gateway, string) {
	t.Helper()
	hub, err := session.NewHub(session.Config{Store: nothing{}, Agent: func() *agent.Agent { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Hub: hub, Skills: nothing{}, Heart: nothing{}, Facts: gateway.Facts{
		Model: func() (string, string) { return "", "" },
		Tools: func() []protocol.ToolEntry {
			asked.Add(1)
			return []protocol.ToolEntry{{Name: "x", Description: strings.Repeat("d", answer), Parameters: []byte("{}")}}
		},
	}, Limits: gateway.Limits{MessagesPerSecond: 1e6, Burst: 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	s := ws.NewServer(g, limits, nil)
	http := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Upgrade(w, r, func() *openclaw.Error { return refuse })
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		s.Close(ctx)
		http.Close()
		hub.Drain(ctx)
		g.Close()
	})
	return s, g, "ws" + strings.TrimPrefix(http.URL, "http")
}

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// want reads a message of the type, and for an error of the code.
func want(t *testing.T, c *websocket.Conn, kind protocol.Type, code openclaw.Code) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("reading a %s: %v", kind, err)
	}
	var m struct {
		Type    protocol.Type
		Payload struct{ Code openclaw.Code }
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Type != kind || m.Payload.Code != code {
		t.Fatalf("got %.200s, want %s %s", data, kind, code)
	}
}

func wantClose(t *testing.T, c *websocket.Conn, code protocol.CloseCode, reason string) {
	t.Helper()
	for {
		_, _, err := c.Read(t.Context())
		if err == nil {
			continue
		}
		var closed websocket.CloseError
		if ok := asClose(err, &closed); !ok || protocol.CloseCode(closed.Code) != code || reason != "" && closed.Reason != reason {
			t.Fatalf("connection ended with %v, want close %d %s", err, code, reason)
		}
		return
	}
}

func asClose(err error, closed *websocket.CloseError) bool {
	code := websocket.CloseStatus(err)
	if code < 0 {
		return false
	}
	closed.Code = code
	_, closed.Reason, _ = strings.Cut(fmt.Sprint(err), `reason = "`)
	closed.Reason = strings.TrimSuffix(closed.Reason, `"`)
	return true
}

func send(t *testing.T, c *websocket.Conn, kind websocket.MessageType, data string) {
	t.Helper()
	if err := c.Write(t.Context(), kind, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

const toolList = `{"type":"tool_list"}`

func TestTheGatewaySaysNothingFirst(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	c := dial(t, url)
	send(t, c, websocket.MessageText, toolList)
	want(t, c, protocol.TypeTools, "")
}

func TestFramesThatCloseTheConnection(t *testing.T) {
	tests := []struct {
		name   string
		kind   websocket.MessageType
		data   string
		answer openclaw.Code // said before the close
		code   protocol.CloseCode
	}{
		{"binary", websocket.MessageBinary, toolList, "", protocol.CloseNotText},
		{"not UTF-8", websocket.MessageText, "{\"type\":\"\xff\"}", "", protocol.CloseNotUTF8},
		{"a surrogate in UTF-8", websocket.MessageText, "\xed\xa0\x80", "", protocol.CloseNotUTF8},
		{"cut in the middle of a rune", websocket.MessageText, "\"\xe2\x82", "", protocol.CloseNotUTF8},
		{"too large by one byte", websocket.MessageText, strings.Repeat(" ", 4097), openclaw.CodeMessageTooLarge, protocol.CloseTooLarge},
		{"far too large", websocket.MessageText, strings.Repeat(" ", 1<<20), openclaw.CodeMessageTooLarge, protocol.CloseTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, url := serve(t, ws.Limits{Message: 4096}, nil, 0)
			c := dial(t, url)
			send(t, c, test.kind, test.data)
			if test.answer != "" {
				want(t, c, protocol.TypeError, test.answer)
			}
			wantClose(t, c, test.code, "")
		})
	}
}

func TestMessageOfExactlyTheLimit(t *testing.T) {
	_, _, url := serve(t, ws.Limits{Message: 4096}, nil, 0)
	c := dial(t, url)
	send(t, c, websocket.MessageText, toolList+strings.Repeat(" ", 4096-len(toolList)))
	want(t, c, protocol.TypeTools, "")
}

// TestRunesAcrossFragments sends a euro sign one byte a fragment.
func TestRunesAcrossFragments(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	c := dial(t, url)
	w, err := c.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{`{"type":"tool_list","x":"`, "\xe2", "\x82", "\xac", `"}`} {
		if _, err := w.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, c, protocol.TypeTools, "")
}

func TestRefusedClientIsToldWhy(t *testing.T) {
	refusal := &openclaw.Error{Code: openclaw.CodeAuthRequired, Message: "Authentication required"}
	_, _, url := serve(t, ws.Limits{}, refusal, 0)
	c := dial(t, url)
	want(t, c, protocol.TypeError, openclaw.CodeAuthRequired)
	wantClose(t, c, protocol.ClosePolicy, protocol.ReasonAuth)
}

func TestTooManyConnections(t *testing.T) {
	_, _, url := serve(t, ws.Limits{Connections: 2}, nil, 0)
	first, second := dial(t, url), dial(t, url)
	for _, c := range []*websocket.Conn{first, second} { // both are counted before the third comes
		send(t, c, websocket.MessageText, toolList)
		want(t, c, protocol.TypeTools, "")
	}
	third := dial(t, url)
	want(t, third, protocol.TypeError, openclaw.CodeGatewayBusy)
	wantClose(t, third, protocol.CloseTryAgain, "")
	send(t, first, websocket.MessageText, toolList)
	want(t, first, protocol.TypeTools, "")
}

func TestShutdownClosesWithGoingAway(t *testing.T) {
	s, _, url := serve(t, ws.Limits{}, nil, 0)
	c := dial(t, url)
	send(t, c, websocket.MessageText, toolList)
	want(t, c, protocol.TypeTools, "")
	done := make(chan struct{})
	go func() { s.Close(t.Context()); close(done) }()
	wantClose(t, c, protocol.CloseGoingAway, protocol.ReasonShutdown)
	<-done
}

// TestSlowReaderIsClosed has a client that asks and never reads: it is closed,
// and its place is free again.
func TestSlowReaderIsClosed(t *testing.T) {
	_, _, url := serve(t, ws.Limits{WriteTimeout: time.Second, Connections: 1}, nil, 1<<20)
	slow := dial(t, url)
	for range 50 {
		send(t, slow, websocket.MessageText, toolList)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		next := dial(t, url)
		send(t, next, websocket.MessageText, toolList)
		if _, data, err := next.Read(t.Context()); err == nil && !bytes.Contains(data, []byte(openclaw.CodeGatewayBusy)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the client that does not read still has its place after 20 s")
		}
	}
}

// TestFullQueueIsClosed has a client that only listens, and does not read.
func TestFullQueueIsClosed(t *testing.T) {
	_, g, url := serve(t, ws.Limits{WriteQueue: 8, WriteTimeout: time.Minute, PingInterval: time.Hour}, nil, 0)
	slow, other := dial(t, url), dial(t, url)
	for _, c := range []*websocket.Conn{slow, other} { // both are known to the gateway
		send(t, c, websocket.MessageText, toolList)
		want(t, c, protocol.TypeTools, "")
	}
	beat := protocol.HeartbeatStatus{Result: protocol.HeartbeatActed, Text: strings.Repeat("x", 1<<20)}
	for range 30 {
		g.Broadcast(protocol.TypeHeartbeatStatus, beat)
		want(t, other, protocol.TypeHeartbeatStatus, "")
	}
	wantClose(t, slow, protocol.ClosePolicy, protocol.ReasonSlow)
}

// TestSilentPeerIsCut opens a connection that answers no ping.
func TestSilentPeerIsCut(t *testing.T) {
	_, _, url := serve(t, ws.Limits{PingInterval: 20 * time.Millisecond, PongTimeout: 20 * time.Millisecond}, nil, 0)
	raw, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	fmt.Fprintf(raw, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(raw)
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	_ = raw.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if _, err := r.ReadByte(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the connection was still open after 10 s without a pong")
			}
			return
		}
	}
}
