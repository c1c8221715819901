package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is the other side of a connection; it answers each request with what
// answer returns.
func peer(t *testing.T, answer func(c *websocket.Conn, r protocol.Request)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			_, data, err := c.Read(context.Background())
			if err != nil {
				return
			}
			request, problem := protocol.Decode(data, 0)
			if problem != nil {
				t.Errorf("the client sent %s: %v", data, problem)
			}
			answer(c, request)
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func say(c *websocket.Conn, kind protocol.Type, id string, payload any) {
	_ = c.Write(context.Background(), websocket.MessageText, protocol.Encode(kind, id, payload, time.Now()))
}

func connect(t *testing.T, url string, o Options) *Client {
	t.Helper()
	o.URL = url
	c, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestProgressComesBeforeTheReply(t *testing.T) {
	url := peer(t, func(c *websocket.Conn, r protocol.Request) {
		say(c, protocol.TypeToolCall, "", protocol.ToolCall{Tool: "shell", Args: []byte(`{}`), RequestID: r.ID})
		say(c, protocol.TypeEvent, "", protocol.Event{EventHead: protocol.EventHead{Kind: openclaw.KindDelta, RequestID: r.ID}, Text: "he"})
		say(c, protocol.TypeToolCall, "", protocol.ToolCall{Tool: "other", Args: []byte(`{}`), RequestID: "somebody else's"})
		say(c, protocol.TypeHeartbeatStatus, "", protocol.HeartbeatStatus{Result: protocol.HeartbeatOK})
		say(c, protocol.TypeResponse, r.ID, protocol.Response{Text: "hello"})
	})
	var rest []protocol.Type
	c := connect(t, url, Options{Notify: func(m protocol.Message) { rest = append(rest, m.Type) }})
	var progress []protocol.Type
	response, err := c.Chat(t.Context(), protocol.Chat{Text: "hi"}, func(m protocol.Message) { progress = append(progress, m.Type) })
	if err != nil || response.Text != "hello" {
		t.Fatalf("%+v, %v", response, err)
	}
	if got := fmt.Sprint(progress); got != "[tool_call event]" {
		t.Errorf("progress %s", got)
	}
	if got := fmt.Sprint(rest); got != "[tool_call heartbeat_status]" {
		t.Errorf("notified of %s", got)
	}
}

func TestOverlappingRequestsGetTheirOwnReplies(t *testing.T) {
	const n = 20
	var mu sync.Mutex
	var held []protocol.Request
	url := peer(t, func(c *websocket.Conn, r protocol.Request) {
		mu.Lock()
		defer mu.Unlock()
		if held = append(held, r); len(held) < n {
			return
		}
		for _, r := range held { // all at once, the last first
			defer func() {
				var chat protocol.Chat
				if err := json.Unmarshal(r.Payload, &chat); err != nil {
					t.Error(err)
				}
				say(c, protocol.TypeResponse, r.ID, protocol.Response{Text: chat.Text})
			}()
		}
	})
	c := connect(t, url, Options{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			text := fmt.Sprint("message ", i)
			if r, err := c.Chat(t.Context(), protocol.Chat{Text: text}, nil); err != nil || r.Text != text {
				t.Errorf("asked %q, got %q, %v", text, r.Text, err)
			}
		})
	}
	wg.Wait()
}

func TestErrorReply(t *testing.T) {
	url := peer(t, func(c *websocket.Conn, r protocol.Request) {
		say(c, protocol.TypeError, r.ID, protocol.Error{Code: openclaw.CodeSessionBusy, Message: "later", RetryAfterMS: 1500})
	})
	_, err := Ask[protocol.Status](t.Context(), connect(t, url, Options{}), protocol.TypeStatus, nil)
	var e *openclaw.Error
	if !errors.As(err, &e) || e.Code != openclaw.CodeSessionBusy || e.RetryAfter != 1500*time.Millisecond {
		t.Errorf("got %v", err)
	}
}

func TestHowAConnectionEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(c *websocket.Conn)
		code openclaw.Code // "": an error without one
		says string
	}{
		{"refused", func(c *websocket.Conn) {
			say(c, protocol.TypeError, "", protocol.Error{Code: openclaw.CodeAuthInvalid, Message: "wrong token"})
			_ = c.Close(websocket.StatusPolicyViolation, "")
		}, openclaw.CodeAuthInvalid, "wrong token"},
		{"shut down", func(c *websocket.Conn) { _ = c.Close(websocket.StatusGoingAway, "") }, openclaw.CodeShuttingDown, "shut down"},
		{"slow", func(c *websocket.Conn) { _ = c.Close(websocket.StatusPolicyViolation, protocol.ReasonSlow) }, openclaw.CodeInternal, "1008 slow consumer"},
		{"cut", func(c *websocket.Conn) { _ = c.CloseNow() }, openclaw.CodeInternal, "connection to the gateway ended"},
		{"nonsense", func(c *websocket.Conn) {
			_ = c.Write(context.Background(), websocket.MessageText, []byte("not json"))
		}, openclaw.CodeInternal, "frame from the gateway"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := peer(t, func(c *websocket.Conn, _ protocol.Request) { test.end(c) })
			_, err := connect(t, url, Options{}).Chat(t.Context(), protocol.Chat{Text: "hi"}, nil)
			if openclaw.CodeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestARequestCanBeCancelledByItsID(t *testing.T) {
	var slow string
	url := peer(t, func(c *websocket.Conn, r protocol.Request) {
		if r.Type == protocol.TypeChat {
			slow = r.ID
			return
		}
		p, problem := protocol.DecodePayload[protocol.Cancel](r)
		if problem != nil || p.RequestID != slow {
			t.Errorf("cancel of %q, want %q (%v)", p.RequestID, slow, problem)
		}
		say(c, protocol.TypeOK, r.ID, protocol.OK{})
		say(c, protocol.TypeError, slow, protocol.Error{Code: openclaw.CodeCancelled, Message: "cancelled"})
	})
	c := connect(t, url, Options{})
	r := c.Begin(protocol.TypeChat, protocol.Chat{Text: "hi"}, nil)
	if _, err := c.Call(t.Context(), protocol.TypeCancel, protocol.Cancel{RequestID: r.ID}, nil); err != nil {
		t.Error(err)
	}
	if _, err := r.Wait(t.Context()); openclaw.CodeOf(err) != openclaw.CodeCancelled {
		t.Errorf("the request ended with %v", err)
	}
}

func TestGivingUpOnOneRequestKeepsTheConnection(t *testing.T) {
	url := peer(t, func(c *websocket.Conn, r protocol.Request) {
		if r.Type == protocol.TypeStatus {
			say(c, protocol.TypeStatus, r.ID, protocol.Status{State: "running"})
		}
	})
	c := connect(t, url, Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("lost patience"))
	if _, err := c.Chat(ctx, protocol.Chat{Text: "hi"}, nil); err == nil || err.Error() != "lost patience" {
		t.Errorf("got %v", err)
	}
	if s, err := Ask[protocol.Status](t.Context(), c, protocol.TypeStatus, nil); err != nil || s.State != "running" {
		t.Errorf("the connection is lost: %+v, %v", s, err)
	}
}

func TestDialErrors(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	refuse := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return "ws" + strings.TrimPrefix(s.URL, "http") + "/?token=hush"
	}
	tests := []struct{ name, url, says string }{
		{"nobody there", "ws://" + nobody.Addr().String() + "?token=hush", "no gateway is running there"},
		{"throttled", refuse(http.StatusTooManyRequests), "for 60 s"},
		{"host not allowed", refuse(http.StatusForbidden), "gateway.allowed_hosts"},
		{"another server", refuse(http.StatusNotFound), "no OpenClaw gateway"},
		{"no URL", "localhost:18789", "must look like"},
		{"other scheme", "ftp://localhost", "must look like"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Dial(t.Context(), Options{URL: test.url})
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v", err)
			}
			if errors.Is(err, ErrNotRunning) != (test.name == "nobody there") {
				t.Errorf("ErrNotRunning in %v", err)
			}
		})
	}
}
