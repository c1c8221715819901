package ws

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// packets is a connection on which the bytes come in pieces of a size.
type packets struct {
	net.Conn
	bytes []byte
	size  int
}

func (p *packets) Read(b []byte) (int, error) {
	if len(p.bytes) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.bytes[:min(p.size, len(p.bytes))])
	p.bytes = p.bytes[n:]
	return n, nil
}

func (p *packets) Close() error { return nil }

// framesIn reads the frames of a client all at once: the bytes of messages, and
// where the first frame that is not masked begins, -1 for none.
func framesIn(b []byte) (data uint64, unmasked int) {
	for at := 0; len(b)-at >= 2; {
		if b[at+1]&0x80 == 0 {
			return data, at
		}
		size, n := 6, uint64(b[at+1]&0x7f)
		if n == 126 {
			size = 8
		} else if n == 127 {
			size = 14
		}
		if len(b)-at < size {
			break
		}
		if n == 126 {
			n = uint64(binary.BigEndian.Uint16(b[at+2:]))
		} else if n == 127 {
			n = binary.BigEndian.Uint64(b[at+2:])
		}
		there := min(n, uint64(len(b)-at-size))
		if b[at]&0x8 == 0 {
			data += there
		}
		at += size + int(there)
	}
	return data, -1
}

// closesBadly says whether a client's frames have a close whose reason, as far
// as it is there, is not UTF-8. It may say its length in more bytes than it
// needs.
func closesBadly(b []byte) bool {
	for at := 0; at+6 <= len(b); at++ { // wherever a frame may begin
		if b[at]&0xf != 0x8 || b[at+1] < 0x80 {
			continue
		}
		rest, n := b[at+2:], uint64(b[at+1]&0x7f)
		switch {
		case n == 126 && len(rest) >= 2:
			rest, n = rest[2:], uint64(binary.BigEndian.Uint16(rest))
		case n == 127 && len(rest) >= 8:
			rest, n = rest[8:], binary.BigEndian.Uint64(rest)
		}
		if len(rest) < 4 {
			continue
		}
		mask, payload := rest[:4], slices.Clone(rest[4:4+min(n, uint64(len(rest)-4))])
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		if len(payload) > 2 && !utf8.Valid(payload[2:]) {
			return true
		}
	}
	return false
}

// FuzzWire checks that it does not matter in which pieces frames come in, and
// that what comes through is what came in up to an unmasked frame, or a close
// with a bad reason.
func FuzzWire(f *testing.F) {
	for _, seed := range []string{
		"", "\x81\x80\x00\x00\x00\x00", "\x81\x02{}", "\x01\x81abcdx\x80\x80abcd", "\x89\x83abcdxyz\x81\x85abcdhello",
		"\x81\xfe\x00\x05abcdhello\x81\x05hello", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x02abcdhi\x88\x80abcd",
		"\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00abcdx", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffabcdx", "\x81", "\x81\x8100000\x88\x850d\x97\xa1|a\xb3E\xc5",
		"\x98\xfe\x00\x05abchelll\xbd", "8\xfe\x00\x050\x8500000a0",
	} {
		f.Add([]byte(seed), byte(1), byte(0))
		f.Add([]byte(seed), byte(255), byte(3))
	}
	f.Fuzz(func(t *testing.T, bytes []byte, size, ahead byte) {
		first := min(int(ahead), len(bytes))
		w := newWire(&packets{bytes: bytes[first:], size: max(int(size), 1)}, bytes[:first])
		defer w.Close()
		w.ending.Store(true) // so that reads wait between messages too
		through, err := io.ReadAll(w)
		if errors.Is(err, errReason) {
			if !closesBadly(bytes) {
				t.Errorf("%v in %q", err, bytes)
			}
			return
		}
		data, unmasked := framesIn(bytes)
		if uint64(w.received) != data {
			t.Errorf("%d bytes of messages, want %d", w.received, data)
		}
		if unmasked < 0 {
			if err != nil || len(through) != len(bytes) {
				t.Errorf("%d of %d bytes have come through, %v", len(through), len(bytes), err)
			}
			return
		}
		// The first byte of a header may be through before the second tells.
		if !errors.Is(err, errUnmasked) || len(through) < unmasked || len(through) > unmasked+1 {
			t.Errorf("%d bytes have come through, %v; the frame at %d is not masked", len(through), err, unmasked)
		}
	})
}

// TestPartsAreSlowedDown sends twice of what may come at once.
func TestPartsAreSlowedDown(t *testing.T) {
	fragments := strings.Repeat("\x00\x80abcd", 2*partBurst)
	for name, flood := range map[string]string{
		"fragments": fragments,
		"pings":     strings.Repeat("\x89\x80abcd", 2*partBurst/controlParts),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(&packets{bytes: []byte(flood), size: 1 << 20}, nil)
				w.ending.Store(true) // so that reads wait between messages too
				began := time.Now()
				_, _ = io.Copy(io.Discard, w)
				want := partBurst * partInterval
				if took := time.Since(began); took < want-time.Second || took > want+time.Second {
					t.Errorf("it took %v to read them, want %v", took, want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		cut := newWire(&packets{bytes: []byte(fragments), size: 1 << 20}, nil)
		time.AfterFunc(time.Second, func() { _ = cut.Close() })
		began := time.Now()
		_, _ = io.Copy(io.Discard, cut)
		if took := time.Since(began); took > time.Second {
			t.Errorf("a closed connection is slowed down for %v", took)
		}
	})
}

// TestEarlyMessagesAreSlowedDown has every message over the rate.
func TestEarlyMessagesAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2 * partBurst / earlyParts
		w := newWire(&packets{bytes: []byte(strings.Repeat("\x81\x80abcd", n)), size: 1 << 20}, nil)
		w.ending.Store(true)
		began, buffer := time.Now(), make([]byte, 64)
		for range n {
			if _, err := w.Read(buffer); err != nil {
				t.Fatal(err)
			}
			w.early()
		}
		want := partBurst * partInterval
		if took := time.Since(began); took < want-time.Second || took > want+time.Second {
			t.Errorf("it took %v to read them, want %v", took, want)
		}
	})
}

// TestQueuesAreBoundedTogether has all clients together let too much wait: one
// that has something waiting is slow, one that has nothing gets its frame.
func TestQueuesAreBoundedTogether(t *testing.T) {
	s := NewServer(nil, Limits{}, nil)
	c := &conn{server: s, writing: true} // nobody writes
	frame := make([]byte, 1000)
	c.enqueue(frame)
	c.enqueue(frame)
	if got := s.queued.Load(); got != 2000 || !c.fits(frame) {
		t.Errorf("%d bytes wait, fits is %v", got, c.fits(frame))
	}
	s.queued.Add(maxQueued)
	if c.fits(frame) {
		t.Error("there is room beyond the bound")
	}
	if other := (&conn{server: s}); !other.fits(frame) {
		t.Error("a client with nothing waiting gets no frame")
	}
	c.dequeue()
	c.dequeue()
	if got := s.queued.Load(); got != maxQueued {
		t.Errorf("%d bytes more wait when all was taken", got-maxQueued)
	}
}
