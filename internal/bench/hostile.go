package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// Bits of a frame's first byte (RFC 6455, section 5.2).
const (
	fin                     = 0x80
	continued, text, pinged = 0x0, 0x1, 0x9
)

// announce returns the header of a frame of n bytes whose mask is zero, so
// that its payload stands as it is.
func announce(first byte, n uint64) string {
	const mask = "\x00\x00\x00\x00"
	if n < 126 {
		return string([]byte{first, 0x80 | byte(n)}) + mask
	}
	return string(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n)) + mask
}

func frame(first byte, payload string) string { return announce(first, uint64(len(payload))) + payload }

// dialRaw connects and asks for the upgrade; what is sent then is up to the
// caller.
func dialRaw(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	r, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil) //nolint:bodyclose // a 101 has none, and closing c ends any other
	if err == nil && r.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("upgrade answered %s", r.Status)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, c.SetReadDeadline(time.Time{})
}

// deaf says that a client reads nothing of what comes.
const deaf = true

// pour sends start and then what, again and again, as fast as the gateway
// takes it; without what it only stays.
func pour(start, what string, silent ...bool) func(context.Context, string) error {
	what = strings.Repeat(what, max(1, 4096/max(1, len(what))))
	return func(ctx context.Context, address string) error {
		c, err := dialRaw(ctx, address)
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
		if len(silent) == 0 {
			go func() { _, _ = io.Copy(io.Discard, c) }() // ends with the connection
		}
		_, err = io.WriteString(c, start)
		for err == nil && what != "" {
			_, err = io.WriteString(c, what)
		}
		if what == "" {
			<-ctx.Done()
		}
		return nil // the gateway has closed it, as it should
	}
}

// ignoreEnd returns nil for what comes of the end of ctx.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// slowly runs Debian's slowhttptest in one of its ways.
func slowly(how ...string) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		cmd := exec.CommandContext(ctx, "slowhttptest",
			append(how, "-c", "500", "-r", "500", "-l", "60", "-p", "1", "-u", "http://"+address+"/schema/protocol.json")...)
		if cmd.Err != nil {
			return cmd.Err
		}
		_ = cmd.Run() // its exit code is its opinion of the gateway
		return nil
	}
}
