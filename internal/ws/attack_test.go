package ws_test

import (
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

const huge = 1 << 62

// TestBrokenFrames has clients that break RFC 6455. Each is closed with the
// code, its socket is let go, and others do not notice.
func TestBrokenFrames(t *testing.T) {
	_, _, url := serve(t, ws.Limits{Message: 4096, WriteTimeout: 2 * time.Second}, nil, 0)
	const protocolError protocol.CloseCode = 1002
	tests := []struct {
		name, bytes string
		code        protocol.CloseCode
	}{
		{"not masked", "\x81\x02{}", protocolError},
		{"not masked and empty", "\x81\x00", protocolError},
		{"second frame not masked", frame(text, "{") + "\x80\x01}", protocolError},
		{"compressed", frame(fin|rsv1|text, "x"), protocolError},
		{"reserved bit 2", frame(fin|rsv2|text, "x"), protocolError},
		{"reserved bit 3 of a ping", frame(fin|rsv3|ping, ""), protocolError},
		{"reserved data opcode", frame(fin|3, "x"), protocolError},
		{"reserved control opcode", frame(fin|0xb, ""), protocolError},
		{"ping in fragments", frame(ping, ""), protocolError},
		{"ping of 126 bytes", frame(fin|ping, strings.Repeat("x", 126)), protocolError},
		{"close of 126 bytes", frame(fin|closing, "\x03\xe8"+strings.Repeat("x", 124)), protocolError},
		{"continuation of nothing", frame(fin|more, "x"), protocolError},
		{"continuation after a message", frame(fin|text, toolList) + frame(more, "x"), protocolError},
		{"message inside a message", frame(text, "{") + frame(fin|text, "{}"), protocolError},
		{"negative length", announce(fin|text, 1<<63), protocolError},
		{"close without the second byte", frame(fin|closing, "\x03"), protocolError},
		{"close with a code that is no code", frame(fin|closing, "\x03\xe7"), protocolError},
		{"close with a code that is never sent", frame(fin|closing, "\x03\xed"), protocolError},
		{"close with a code beyond all", frame(fin|closing, "\x13\x88"), protocolError},
		{"binary, huge", announce(fin|binaryData, huge) + "x", protocol.CloseNotText},
		{"text, huge", announce(fin|text, huge) + strings.Repeat("x", 5000), protocol.CloseTooLarge},
		{"text, huge and invalid", announce(fin|text, huge) + "\xff", protocol.CloseNotUTF8},
		{"fragments that are too large together",
			frame(text, "") + strings.Repeat(frame(more, strings.Repeat("x", 1000)), 5), protocol.CloseTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := rawDial(t, url, "")
			c.say(t, test.bytes)
			c.wantEnd(t, test.code)
			wantAnswer(t, url)
		})
	}
}

// TestFramesBehindTheUpgrade sends frames in the packet of the upgrade.
func TestFramesBehindTheUpgrade(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	c := rawDial(t, url, frame(text, toolList[:5])+frame(fin|more, toolList[5:])+"\x81\x00")
	if _, payload, err := c.hear(); err != nil || !strings.Contains(string(payload), `"tools"`) {
		t.Errorf("%s, %v", payload, err)
	}
	c.wantEnd(t, 1002)
}

// TestClosedClientCommandsNothing closes a client, as a changed token does,
// that ignores it and goes on commanding.
func TestClosedClientCommandsNothing(t *testing.T) {
	var asked atomic.Int64
	s, _, url := serveCounting(t, ws.Limits{WriteTimeout: 200 * time.Millisecond}, nil, 0, &asked)
	c := rawDial(t, url, "")
	c.say(t, frame(fin|text, toolList))
	if _, _, err := c.hear(); err != nil {
		t.Fatal(err)
	}
	s.CloseAll(protocol.ClosePolicy, protocol.ReasonAuth)
	before := asked.Load()
	for {
		if _, err := io.WriteString(c, frame(fin|text, toolList)); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := asked.Load() - before; n > 0 {
		t.Errorf("%d commands of a closed client were carried out", n)
	}
}

// TestRefusedClientsHoldLittle has clients without the token that stay as long
// as they can, sending what never ends: each is let go after a while, and when
// too many are there the oldest at once.
func TestRefusedClientsHoldLittle(t *testing.T) {
	refusal := &openclaw.Error{Code: openclaw.CodeAuthRequired, Message: "Authentication required"}
	endless := announce(fin|text, huge) + "x"
	_, _, url := serve(t, ws.Limits{WriteTimeout: 2 * time.Second}, refusal, 0)
	rawDial(t, url, endless).wantEnd(t, protocol.ClosePolicy)

	_, _, url = serve(t, ws.Limits{WriteTimeout: time.Minute}, refusal, 0)
	const most = 64
	var all []*raw
	for range most + 20 {
		c := rawDial(t, url, endless)
		if _, _, err := c.hear(); err != nil {
			t.Errorf("a client is not told why it is refused: %v", err)
		}
		all = append(all, c) // it has been counted
	}
	for _, c := range all[:20] {
		c.wantGone(t)
	}
	for _, c := range all {
		_ = c.Close()
	}
}

// heap returns the live bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestOthersDoNotNotice lets clients do as fast as they can what they should
// not, while another goes on getting its answers and memory stays where it was.
// How long the other waits is logged: times depend on the machine, which the
// attackers share (internal/bench compares them with a second gateway's).
func TestOthersDoNotNotice(t *testing.T) {
	repeat := func(f string) string { return strings.Repeat(f, 1000) }
	for _, attack := range []struct {
		name         string
		clients      int
		start, flood string
		deaf         bool // they read nothing
	}{
		{"pings", 4, "", repeat(frame(fin|ping, "x")), false},
		{"pings, answers unread", 4, "", repeat(frame(fin|ping, strings.Repeat("x", 125))), true},
		{"pongs", 4, "", repeat(frame(fin|pong, "x")), false},
		{"empty fragments", 4, frame(text, ""), repeat(frame(more, "")), false},
		{"tiny fragments", 4, frame(text, ""), repeat(frame(more, " ")), false},
		{"messages", 4, "", repeat(frame(fin|text, "[]")), false},
		{"requests, answers unread", 4, "", repeat(frame(fin|text, toolList)), true},
		{"a message without an end", 4, announce(fin|text, huge), repeat("x"), false},
		{"half-open sockets", 100, "", "", true},
		{"half a frame", 100, announce(fin|text, huge)[:5], "", true},
		{"half a message", 100, announce(fin|text, huge) + "{", "", true},
	} {
		t.Run(attack.name, func(t *testing.T) {
			_, _, url := serve(t, ws.Limits{
				WriteTimeout: 100 * time.Millisecond, WriteQueueBytes: 1 << 20,
				PingInterval: 50 * time.Millisecond, PongTimeout: time.Minute,
			}, nil, 1000)
			quiet := waits(t, url)
			before := heap()
			var wg sync.WaitGroup
			for range attack.clients {
				c := rawDial(t, url, attack.start)
				_ = c.SetDeadline(time.Now().Add(150 * time.Millisecond))
				wg.Go(func() {
					for attack.flood != "" {
						if _, err := io.WriteString(c, attack.flood); err != nil {
							return
						}
					}
				})
				if !attack.deaf {
					wg.Go(func() { _, _ = io.Copy(io.Discard, c.r) })
				}
			}
			attacked := waits(t, url)
			if more := heap() - before; more > 16<<20 {
				t.Errorf("the heap has grown by %d KiB", more>>10)
			}
			wg.Wait()
			t.Logf("another waits %v at the most, %v before the attack", attacked, quiet)
		})
	}
}

// waits returns the longest of some waits for an answer.
func waits(t *testing.T, url string) (longest time.Duration) {
	t.Helper()
	for range 20 {
		began := time.Now()
		wantAnswer(t, url)
		longest = max(longest, time.Since(began))
	}
	return longest
}
