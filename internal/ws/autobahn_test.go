package ws_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go/internal/ws"
)

// bahn is one case of the Autobahn test suite for WebSocket servers, under its
// number there. The suite asks an echo server; the gateway answers in its own
// words, so "answer" stands for the echo.
type bahn struct {
	number string
	send   []string // packets
	want   []string // what comes: answer, pong TEXT, close CODE
}

// TestAutobahn is the suite's sections on framing (1.1), pings (2), reserved
// bits (3), opcodes (4), fragments (5), UTF-8 (6) and closing (7). Sections 1.2
// and 9 to 13 are about binary messages, large ones and compression: the first
// is refused by this protocol, the others have limits of their own here.
func TestAutobahn(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	for _, c := range slices.Concat(framing(), pings(), reservedBits(), opcodes(), fragmented(), utf8Cases(), closes()) {
		t.Run(c.number, func(t *testing.T) { c.run(t, url) })
	}
}

// run sends the packets, and closes at the end unless the gateway has to: what
// came beside what was wanted comes to light then.
func (c bahn) run(t *testing.T, url string) {
	peer := rawDial(t, url, "")
	defer peer.Close()
	ends := len(c.want) > 0 && strings.HasPrefix(c.want[len(c.want)-1], "close")
	send, want := c.send, c.want
	if !ends {
		send = append(slices.Clip(send), closeFrame(1000, ""))
		want = append(slices.Clip(want), "close 1000")
	}
	for _, packet := range send {
		if _, err := peer.Write([]byte(packet)); err != nil {
			break // it may have been closed already, as it should
		}
	}
	var got []string
	for {
		opcode, payload, err := peer.hear()
		if err != nil {
			break
		}
		switch opcode {
		case text:
			got = append(got, "answer")
		case 0xa:
			got = append(got, "pong "+string(payload))
		case closing:
			got = append(got, fmt.Sprint("close ", closeCode(payload)))
			_, _ = peer.Write([]byte(closeFrame(1000, ""))) // ends the handshake unless it has ended
		default:
			got = append(got, fmt.Sprintf("opcode %d", opcode))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %.200q, want %.200q", got, want)
	}
}

func closeCode(payload []byte) uint16 {
	if len(payload) < 2 {
		return 1005 // no code (RFC 6455, section 7.4.1)
	}
	return binary.BigEndian.Uint16(payload)
}

func closeFrame(code uint16, reason string) string {
	return frame(fin|closing, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// octets sends each byte in a packet of its own.
func octets(frames ...string) []string { return strings.Split(strings.Join(frames, ""), "") }

// chops sends n bytes a packet.
func chops(s string, n int) (packets []string) {
	for chunk := range slices.Chunk([]byte(s), n) {
		packets = append(packets, string(chunk))
	}
	return packets
}

const pong = 0xa

func framing() (cases []bahn) {
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		cases = append(cases, bahn{fmt.Sprint("1.1.", i+1), []string{frame(fin|text, strings.Repeat("*", n))}, []string{"answer"}})
	}
	return append(cases, bahn{"1.1.8", chops(frame(fin|text, strings.Repeat("*", 65536)), 997), []string{"answer"}})
}

func pings() []bahn {
	binaryText, long := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)
	ten, pongs := "", []string(nil)
	for i := range 10 {
		ten += frame(fin|ping, fmt.Sprint("payload-", i))
		pongs = append(pongs, fmt.Sprint("pong payload-", i))
	}
	return []bahn{
		{"2.1", []string{frame(fin|ping, "")}, []string{"pong "}},
		{"2.2", []string{frame(fin|ping, "Hello, world!")}, []string{"pong Hello, world!"}},
		{"2.3", []string{frame(fin|ping, binaryText)}, []string{"pong " + binaryText}},
		{"2.4", []string{frame(fin|ping, long)}, []string{"pong " + long}},
		{"2.5", []string{frame(fin|ping, long+"\xfe")}, []string{"close 1002"}},
		{"2.6", octets(frame(fin|ping, long)), []string{"pong " + long}},
		{"2.7", []string{frame(fin|pong, "")}, nil},
		{"2.8", []string{frame(fin|pong, "unsolicited")}, nil},
		{"2.9", []string{frame(fin|pong, "unsolicited"), frame(fin|ping, "ping")}, []string{"pong ping"}},
		{"2.10", []string{ten}, pongs},
		{"2.11", octets(ten), pongs},
	}
}

func reservedBits() []bahn {
	good, after := frame(fin|text, "Hello"), frame(fin|ping, "")
	bad := func(rsv byte, opcode byte) string { return frame(fin|rsv<<4|opcode, "*") }
	return []bahn{
		{"3.1", []string{bad(1, text)}, []string{"close 1002"}},
		{"3.2", []string{good + bad(2, text) + after}, []string{"answer", "close 1002"}},
		{"3.3", []string{good, bad(3, text), after}, []string{"answer", "close 1002"}},
		{"3.4", octets(good, bad(4, text), after), []string{"answer", "close 1002"}},
		{"3.5", []string{bad(5, binaryData)}, []string{"close 1002"}},
		{"3.6", []string{bad(6, ping)}, []string{"close 1002"}},
		{"3.7", []string{bad(7, closing)}, []string{"close 1002"}},
	}
}

func opcodes() (cases []bahn) {
	good, after := frame(fin|text, "Hello"), frame(fin|ping, "")
	for section, first := range map[int]byte{1: 3, 2: 11} {
		for i := range byte(5) {
			opcode, number := first+i, fmt.Sprintf("4.%d.%d", section, i+1)
			payload := ""
			if i%2 == 1 {
				payload = "reserved opcode payload"
			}
			if i < 2 {
				cases = append(cases, bahn{number, []string{frame(fin|opcode, payload)}, []string{"close 1002"}})
				continue
			}
			cases = append(cases, bahn{number, octets(good, frame(fin|opcode, payload), after), []string{"answer", "close 1002"}})
		}
	}
	return cases
}

func fragmented() (cases []bahn) {
	const one, two = "fragment1", "fragment2"
	two2 := []string{frame(text, one), frame(fin|more, two)}
	pinged := []string{frame(text, one), frame(fin|ping, "ping"), frame(fin|more, two)}
	orphan, opened := frame(fin|more, "nothing"), frame(more, "nothing")
	hello := frame(fin|text, "Hello")
	five := []string{
		frame(text, one), frame(more, two), frame(fin|ping, "1"), frame(more, "3"), frame(more, "4"), frame(fin|ping, "2"), frame(fin|more, "5"),
	}
	fail := []string{"close 1002"}
	add := func(first int, frames, want []string) { // in one packet, a packet a frame, a packet an octet
		for i, packets := range [][]string{{strings.Join(frames, "")}, frames, octets(frames...)} {
			cases = append(cases, bahn{fmt.Sprint("5.", first+i), packets, want})
		}
	}
	cases = append(cases,
		bahn{"5.1", []string{frame(ping, one), frame(fin|more, two)}, fail},
		bahn{"5.2", []string{frame(pong, one), frame(fin|more, two)}, fail})
	add(3, two2, []string{"answer"})
	add(6, pinged, []string{"pong ping", "answer"})
	add(9, []string{orphan, hello}, fail)
	add(12, []string{opened, hello}, fail)
	answered := []string{"answer", "close 1002"}
	return append(cases,
		bahn{"5.15", []string{strings.Join(two2, "") + opened + hello}, answered},
		bahn{"5.16", append([]string{opened}, append(two2, append([]string{opened}, two2...)...)...), fail},
		bahn{"5.17", append([]string{orphan}, append(two2, append([]string{orphan}, two2...)...)...), fail},
		bahn{"5.18", []string{frame(text, one), frame(fin|text, two)}, fail},
		bahn{"5.19", five, []string{"pong 1", "pong 2", "answer"}},
		bahn{"5.20", octets(five...), []string{"pong 1", "pong 2", "answer"}})
}

// closes is section 7. Where the client closes, the gateway answers with the
// same code and says nothing more.
func closes() (cases []bahn) {
	hello, bye, after := frame(fin|text, "Hello"), closeFrame(1000, ""), frame(fin|ping, "")
	long := strings.Repeat("*", 123)
	cases = []bahn{
		{"7.1.1", []string{hello, bye}, []string{"answer", "close 1000"}},
		{"7.1.2", []string{bye + bye}, []string{"close 1000"}},
		{"7.1.3", []string{bye + after}, []string{"close 1000"}},
		{"7.1.4", []string{bye + hello}, []string{"close 1000"}},
		{"7.1.5", []string{frame(text, "fragment1") + bye + frame(fin|more, "fragment2")}, []string{"close 1000"}},
		{"7.1.6", []string{frame(fin|text, strings.Repeat("BAsd7&jh23", 26214)), bye + after}, []string{"answer", "close 1000"}},
		{"7.3.1", []string{frame(fin|closing, "")}, []string{"close 1005"}},
		{"7.3.2", []string{frame(fin|closing, "a")}, []string{"close 1002"}},
		{"7.3.3", []string{bye}, []string{"close 1000"}},
		{"7.3.4", []string{closeFrame(1000, "Hello World!")}, []string{"close 1000"}},
		{"7.3.5", []string{closeFrame(1000, long)}, []string{"close 1000"}},
		{"7.3.6", []string{closeFrame(1000, long+"*")}, []string{"close 1002"}},
		{"7.5.1", []string{closeFrame(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")}, []string{"close 1007"}},
	}
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, bahn{fmt.Sprint("7.7.", i+1), []string{closeFrame(code, "")}, []string{fmt.Sprint("close ", code)}})
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases = append(cases, bahn{fmt.Sprint("7.9.", i+1), []string{closeFrame(code, "")}, []string{"close 1002"}})
	}
	for i, code := range []uint16{5000, 65535} {
		cases = append(cases, bahn{fmt.Sprint("7.13.", i+1), []string{closeFrame(code, "")}, []string{"close 1002"}})
	}
	return cases
}

// unhex reads hexadecimal bytes, several texts apart by spaces.
func unhex(t string) (texts []string) {
	for field := range strings.FieldsSeq(t) {
		b, err := hex.DecodeString(field)
		if err != nil {
			panic(err)
		}
		texts = append(texts, string(b))
	}
	return texts
}
