package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// The crowd: so many clients, two of them in each session, with so many chats
// each, of which some run a command: that takes the machine fifty times as much
// work as the others.
const (
	crowdClients  = 50
	crowdChats    = 20
	crowdCommands = 2
)

// TestCrowd sends many chats at once over many connections. Each is answered
// once, to whom it belongs, and a session takes its turns in the order they
// came.
func TestCrowd(t *testing.T) {
	t.Parallel()
	g := newHome(t).set("OPENCLAW_SESSION_MAX_QUEUE=100").start()
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience) // it is the most work of all tests
	defer cancel()
	var wg sync.WaitGroup
	for n := range crowdClients {
		s := g.socket("/", nil)
		wg.Go(func() {
			if err := crowdMember(ctx, s.socket, n); err != nil {
				t.Errorf("client %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	c := g.dial(client.Options{})
	for session := range crowdClients / 2 {
		if err := oneAtATime(ctx, c, fmt.Sprint("crowd-", session)); err != nil {
			t.Error(err)
		}
	}
	status, err := client.Ask[protocol.Status](within(t), c, protocol.TypeStatus, struct{}{})
	if err != nil || status.Sessions != crowdClients/2 || status.ActiveTurns != 0 || status.QueuedTurns != 0 {
		t.Errorf("status says %+v, %v", status, err)
	}
}

// crowdMember sends all its chats at once and wants an answer to each, in the
// order it sent them.
func crowdMember(ctx context.Context, ws *websocket.Conn, n int) error {
	nonce := func(i int) string { return fmt.Sprintf("nonce-%d-%d-", n, i) }
	for i := range crowdChats {
		wish := "read the file " // there is none, and the answer names it
		if i < crowdCommands {
			wish = "run: echo "
		}
		text := fmt.Sprintf(`{"type":"chat","id":"%d","payload":{"text":"%s%s","context":{"session":"crowd-%d"}}}`, i, wish, nonce(i), n/2)
		if err := ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	for i := 0; i < crowdChats; {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return err
		}
		m, err := protocol.DecodeMessage(data)
		if err != nil {
			return err
		}
		if m.ID == "" { // a tool call or its result, on behalf of this client
			if !strings.Contains(string(data), nonce(i)) {
				return fmt.Errorf("while chat %d was to come, got %s", i, data)
			}
			continue
		}
		if m.ID != fmt.Sprint(i) || m.Type != protocol.TypeResponse || !strings.Contains(string(m.Payload), nonce(i)) {
			return fmt.Errorf("in place of the answer to %d came %s", i, data)
		}
		i++
	}
	return nil
}

// oneAtATime reads the session's log: no turn begins before the one before has
// ended.
func oneAtATime(ctx context.Context, c *client.Client, session string) error {
	running, turns := "", 0
	type history struct {
		Events []protocol.Event `json:"events"`
	}
	h, err := client.Ask[history](ctx, c, protocol.TypeSessionHistory, protocol.SessionHistory{Session: session, Limit: 500})
	if err != nil {
		return err
	}
	for i, ev := range h.Events {
		switch {
		case ev.Seq != int64(i)+1:
			return fmt.Errorf("%s: event %d has the number %d", session, i+1, ev.Seq)
		case ev.Kind == openclaw.KindTurnStarted && running != "", ev.Kind != openclaw.KindTurnStarted && ev.RequestID != running:
			return fmt.Errorf("%s: event %d (%s) belongs to %q while %q runs", session, ev.Seq, ev.Kind, ev.RequestID, running)
		case ev.Kind == openclaw.KindTurnStarted:
			running = ev.RequestID
		case ev.Kind.Ends():
			running, turns = "", turns+1
		}
	}
	if turns != 2*crowdChats {
		return fmt.Errorf("%s: %d turns ended, want %d", session, turns, 2*crowdChats)
	}
	return nil
}
