package ws

import (
	"encoding/binary"
	"time"
)

// What a client may send that is no message (pings, pongs and fragments before
// the last) is free of the message rate, so the wire slows it down: a flood
// costs its sender time and the gateway nothing.
const (
	partInterval = time.Millisecond // between two, in the long run
	partBurst    = 10_000           // at once
)

// frames follows the headers of the frames that come in.
type frames struct {
	header   [14]byte // of the frame that comes in
	have     int      // bytes of header
	left     uint64   // bytes of the payload still to come
	data     bool     // the payload belongs to a message
	open     bool     // the last fragment of a message is still to come
	unmasked bool
	received int64 // bytes of messages so far

	parts int       // frames since the last read that are no message
	due   time.Time // when the last of them would have come at partInterval
}

// between says whether what came in ends with a frame, and every message that
// has begun has ended.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 && !f.open }

// scan follows the frames up to the end of the first one in p. It returns how
// many bytes that is, or the sound ones before a frame that is not masked.
func (f *frames) scan(p []byte) int {
	for i := 0; i < len(p); {
		if f.left > 0 {
			n := min(f.left, uint64(len(p)-i))
			f.left -= n
			if f.data {
				f.received += int64(n)
			}
			return i + int(n)
		}
		f.header[f.have] = p[i]
		f.have++
		i++
		if f.have == 2 && f.header[1] < 0x80 {
			f.unmasked = true
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
	if control || !final {
		f.parts++
	}
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
