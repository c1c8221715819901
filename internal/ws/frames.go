package ws

import (
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"
)

var (
	errUnmasked = errors.New("a client's frame is not masked")
	errReason   = errors.New("the reason of a close is not valid UTF-8")
)

// What a client may send that is no message (pings, pongs and fragments before
// the last) is free of the message rate, and a message over the rate still gets
// an answer. So the wire slows the client down: a flood costs its sender time,
// and the others nothing.
const (
	partInterval = time.Millisecond // what a fragment costs, in the long run
	partBurst    = 10_000           // fragments at once

	controlParts = 20 // a ping costs as much as so many fragments: it is answered
	earlyParts   = 10 // a message over the rate
)

// frames follows the headers of the frames that come in.
type frames struct {
	header   [14]byte // of the frame that comes in
	have     int      // bytes of header
	left     uint64   // bytes of the payload still to come
	data     bool     // the payload belongs to a message
	open     bool     // the last fragment of a message is still to come
	received int64    // bytes of messages so far
	closing  []byte   // payload of a close frame that comes in; nil: none does
	fault    error    // a frame that no client may send has come; it is held back

	parts int       // what came since the last read costs as much as so many fragments
	due   time.Time // when the last of them would have come at partInterval
}

// between says whether what came in ends with a frame, and every message that
// has begun has ended.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 && !f.open }

// scan follows the frames up to the end of the first one in p. It returns how
// many bytes that is, or the sound ones before a fault.
func (f *frames) scan(p []byte) int {
	for i := 0; i < len(p); {
		if f.left > 0 {
			n := min(f.left, uint64(len(p)-i))
			f.left -= n
			if f.data {
				f.received += int64(n)
			}
			if f.closing != nil && f.badReason(p[i:i+int(n)]) {
				f.fault = errReason
				return i
			}
			return i + int(n)
		}
		f.header[f.have] = p[i]
		f.have++
		i++
		if f.have == 2 && f.header[1] < 0x80 {
			f.fault = errUnmasked
			return max(i-f.have, 0)
		}
		if f.have >= 2 && f.have == f.headerSize() {
			if f.begin(); f.left == 0 {
				return i
			}
		}
	}
	return len(p)
}

// headerSize returns how long the header is whose first two bytes are there.
func (f *frames) headerSize() int {
	const fixed, mask = 2, 4
	switch f.header[1] & 0x7f {
	case 126:
		return fixed + 2 + mask
	case 127:
		return fixed + 8 + mask
	}
	return fixed + mask
}

// begin begins the frame whose header is there.
func (f *frames) begin() {
	final, control := f.header[0]&0x80 != 0, f.header[0]&0x08 != 0
	f.left = payloadSize(f.header[:])
	f.have, f.data = 0, !control
	if !control {
		f.open = !final
	}
	switch {
	case control:
		f.parts += controlParts
	case !final:
		f.parts++
	}
	f.closing = nil
	if opcode := f.header[0] & 0xf; opcode == 0x8 && f.left <= maxControl {
		f.closing = make([]byte, 0, f.left)
	}
}

// maxControl is the largest payload of a control frame; the library refuses
// more.
const maxControl = 125

// badReason takes more of the payload of a close frame, and says whether that
// is all of it and the text behind the code is not valid.
func (f *frames) badReason(more []byte) bool {
	const code = 2
	mask := f.header[f.headerSize()-4:] // the last of the header, even where the length takes more bytes than it needs
	for _, b := range more {
		f.closing = append(f.closing, b^mask[len(f.closing)%4])
	}
	return f.left == 0 && len(f.closing) > code && !utf8.Valid(f.closing[code:])
}

// tooEarly returns by how much the last parts came too early.
func (f *frames) tooEarly(now time.Time) time.Duration {
	if f.due.Before(now) {
		f.due = now
	}
	f.due = f.due.Add(time.Duration(f.parts) * partInterval)
	f.parts = 0
	return f.due.Sub(now) - partBurst*partInterval
}

// payloadSize reads it from a frame's header.
func payloadSize(header []byte) uint64 {
	switch n := header[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(header[2:]))
	case 127:
		return binary.BigEndian.Uint64(header[2:])
	default:
		return uint64(n)
	}
}
