package ws_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/protocol"
)

// raw is a client that sends whatever bytes it likes.
type raw struct {
	net.Conn
	r *bufio.Reader
}

// rawDial connects; more follows the request for the upgrade in one packet.
func rawDial(t testing.TB, url, more string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n%s", more)
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response.Status)
	}
	if e := response.Header.Get("Sec-WebSocket-Extensions"); e != "" {
		t.Errorf("the gateway takes the extension %s", e)
	}
	return &raw{c, r}
}

// Bits of a frame's first byte.
const (
	fin, rsv1, rsv2, rsv3                 = 0x80, 0x40, 0x20, 0x10
	more, text, binaryData, closing, ping = 0x0, 0x1, 0x2, 0x8, 0x9
)

// announce returns the header of a frame of n bytes whose mask is zero, so
// that its payload stands as it is.
func announce(first byte, n uint64) string {
	const mask = "\x00\x00\x00\x00"
	switch {
	case n < 126:
		return string([]byte{first, 0x80 | byte(n)}) + mask
	case n < 1<<16:
		return string(binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(n))) + mask
	}
	return string(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n)) + mask
}

func frame(first byte, payload string) string { return announce(first, uint64(len(payload))) + payload }

func (c *raw) say(t testing.TB, bytes string) {
	t.Helper()
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
}

// hear returns the next frame.
func (c *raw) hear() (opcode byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(c.r, head[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	opcode = head[0] & 0xf
	switch n {
	case 126:
		_, err = io.ReadFull(c.r, head[:2])
		n = uint64(binary.BigEndian.Uint16(head[:]))
	case 127:
		_, err = io.ReadFull(c.r, head[:])
		n = binary.BigEndian.Uint64(head[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.r, payload)
	return opcode, payload, err
}

// wantEnd reads until the gateway closes with the code, answers, and reads until
// it has let go of the socket.
func (c *raw) wantEnd(t testing.TB, code protocol.CloseCode) {
	t.Helper()
	c.wantClose(t, code)
	_, _ = c.Write([]byte(frame(fin|closing, "\x03\xe8"))) // it may be gone already
	c.wantGone(t)
}

// wantClose reads until the gateway closes with the code.
func (c *raw) wantClose(t testing.TB, code protocol.CloseCode) {
	t.Helper()
	for {
		opcode, payload, err := c.hear()
		if err != nil {
			t.Fatalf("no close frame: %v", err)
		}
		if opcode != closing {
			continue
		}
		if len(payload) < 2 || protocol.CloseCode(binary.BigEndian.Uint16(payload)) != code {
			t.Errorf("closed with %q, want %d", payload, code)
		}
		return
	}
}

// wantGone reads until the gateway has let go of the socket.
func (c *raw) wantGone(t testing.TB) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c.r); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the gateway still holds the socket")
	}
}

// wantAnswer asks for something as another client and expects the answer.
func wantAnswer(t testing.TB, url string) {
	t.Helper()
	c := rawDial(t, url, "")
	defer c.Close()
	c.say(t, frame(fin|text, toolList))
	opcode, payload, err := c.hear()
	for err == nil && opcode == ping {
		opcode, payload, err = c.hear()
	}
	if err != nil || !strings.HasPrefix(string(payload), `{"type":"tools"`) {
		t.Errorf("another client gets %.100q, %v", payload, err)
	}
}
