package sqlite

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/openclaw/openclaw-go"
)

// cursor is the place in the list of sessions, newest first, behind which the
// next page begins.
type cursor struct {
	updatedAt int64 // microseconds since 1970
	id        int64
}

// String returns the form that clients keep: opaque, and safe in a URL.
func (c cursor) String() string {
	b := binary.AppendVarint(binary.AppendVarint(nil, c.updatedAt), c.id)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what String wrote, and nothing else.
func parseCursor(text string) (cursor, error) {
	var c cursor
	if b, err := base64.RawURLEncoding.Strict().DecodeString(text); err == nil {
		var n, m int
		if c.updatedAt, n = binary.Varint(b); n > 0 {
			c.id, m = binary.Varint(b[n:])
		}
		if m > 0 && c.String() == text {
			return c, nil
		}
	}
	return cursor{}, &openclaw.Error{
		Code:    openclaw.CodeInvalidMessage,
		Message: `"after" is not a place in the list of sessions; use the "next" of the page before, or leave it out`,
	}
}
