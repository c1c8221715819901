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

// TestBrokenFrames has clients that break RFC 6455, say no more and answer no
// close. Each is closed with the code, its socket is let go, and others do not
// notice.
func TestBrokenFrames(t *testing.T) {
	_, _, url := serve(t, ws.Limits{Message: 4096, WriteTimeout: 100 * time.Millisecond}, nil, 0)
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
	_, _, url := serve(t, ws.Limits{WriteTimeout: 100 * time.Millisecond}, nil, 0)
	c := rawDial(t, url, frame(text, toolList[:5])+frame(fin|more, toolList[5:])+"\x81\x00")
	if _, payload, err := c.hear(); err != nil || !strings.Contains(string(payload), `"tools"`) {
		t.Errorf("%s, %v", payload, err)
	}
	c.wantEnd(t, 1002)
}

// TestUTF8 is section 6 of the Autobahn test suite: each piece is a fragment,
// or a part of one frame that comes later than the part before. An invalid
// text is closed as soon as its first wrong byte is there, whatever would
// follow.
func TestUTF8(t *testing.T) {
	const κόσμε = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
	valid := []string{
		"", κόσμε, "\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80", "\x7f", "\xdf\xbf", "\xef\xbf\xbf",
		"\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xef\xbf\xbe", "\xf0\x9f\xbf\xbe",
	}
	invalid := []string{ // up to the first byte that no text can have there
		"\xff", "\xfe", "\x80", "\xbf", "\xc0", "\xc1", "\xf5", "\xf8", "\xfc", "\xed\xa0", "\xed\xbf", "\xe0\x80",
		"\xe0\x9f", "\xf0\x80", "\xf0\x8f", "\xf4\x90", "\xc2\x20", "\xe2\x82\x20", "\xf0\x90\x80\x20", "\xc2\xc2",
		κόσμε + "\xf4\x90", κόσμε + "\xed\xa0",
	}
	_, _, url := serve(t, ws.Limits{WriteTimeout: 100 * time.Millisecond}, nil, 0)
	for _, s := range valid {
		c := rawDial(t, url, "")
		for _, cut := range []int{0, min(1, len(s)), len(s) / 2, len(s)} {
			c.say(t, frame(text, s[:cut])+frame(more, "")+frame(fin|ping, "")+frame(fin|more, s[cut:]))
		}
		for answers := 0; answers < 4; {
			opcode, payload, err := c.hear()
			if err != nil || opcode == closing {
				t.Fatalf("%q: %q, %v", s, payload, err)
			}
			if opcode == text {
				answers++
			}
		}
		_ = c.Close()
	}
	for _, s := range invalid {
		for name, form := range map[string]string{
			"one frame":          frame(fin|text, s),
			"bytes as fragments": frame(text, "") + fragments(s),
			"unfinished frame":   announce(fin|text, 1000) + s,
			"unfinished, late":   announce(text, uint64(len(s)-1)) + s[:len(s)-1] + announce(fin|more, 500) + s[len(s)-1:],
		} {
			c := rawDial(t, url, "")
			c.say(t, form)
			opcode, payload, err := c.hear()
			if err != nil || opcode != closing || string(payload[:2]) != "\x03\xef" {
				t.Errorf("%q as %s: opcode %d %q, %v", s, name, opcode, payload, err)
			}
			_ = c.Close()
		}
	}
	for _, s := range []string{"\xc2", "\xe2\x82", "\xf0\x90\x80"} { // wrong only because it ends
		c := rawDial(t, url, "")
		c.say(t, frame(fin|text, s))
		c.wantEnd(t, protocol.CloseNotUTF8)
	}
}

func fragments(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteString(frame(more, string([]byte{b})))
	}
	return out.String()
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
	_, _, url := serve(t, ws.Limits{WriteTimeout: 100 * time.Millisecond}, refusal, 0)
	rawDial(t, url, endless).wantEnd(t, protocol.ClosePolicy)

	_, _, url = serve(t, ws.Limits{WriteTimeout: 15 * time.Second}, refusal, 0)
	const most = 64
	var all []*raw
	for range most + 20 {
		all = append(all, rawDial(t, url, endless))
	}
	began := time.Now()
	for _, c := range all[:6] { // neighbours may have been counted in the other order
		c.wantGone(t)
	}
	if time.Since(began) > 10*time.Second {
		t.Error("the oldest of too many were not let go at once")
	}
	if _, _, err := all[len(all)-1].hear(); err != nil {
		t.Errorf("the newest is not told why: %v", err)
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

// TestFloods lets clients send as fast as they can what is no message, while
// another goes on getting its answers and memory stays where it was.
func TestFloods(t *testing.T) {
	for name, flood := range map[string]string{
		"pings":               strings.Repeat(frame(fin|ping, "x"), 1000),
		"large pings":         strings.Repeat(frame(fin|ping, strings.Repeat("x", 125)), 1000),
		"pongs":               strings.Repeat(frame(fin|0xa, "x"), 1000),
		"empty fragments":     strings.Repeat(frame(more, ""), 1000),
		"tiny fragments":      strings.Repeat(frame(more, " "), 1000),
		"messages":            strings.Repeat(frame(fin|text, toolList), 100),
		"what is no protocol": strings.Repeat(frame(fin|text, "[]"), 1000),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, url := serve(t, ws.Limits{WriteTimeout: 100 * time.Millisecond}, nil, 0)
			start := ""
			if strings.HasSuffix(name, "fragments") {
				start = frame(text, "")
			}
			before := heap()
			var wg sync.WaitGroup
			for range 4 {
				c := rawDial(t, url, start)
				_ = c.SetDeadline(time.Now().Add(150 * time.Millisecond))
				wg.Go(func() {
					for {
						if _, err := io.WriteString(c, flood); err != nil {
							return
						}
					}
				})
			}
			for range 20 {
				wantAnswer(t, url)
			}
			if more := heap() - before; more > 16<<20 {
				t.Errorf("the heap has grown by %d KiB", more>>10)
			}
			wg.Wait()
		})
	}
}
