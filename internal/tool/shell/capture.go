package shell

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// capture keeps the beginning and the end of what is written to it, in bounded
// memory. It is used by one goroutine at a time.
type capture struct {
	half  int // how much of each end to keep
	head  []byte
	tail  []byte
	total int64
}

func newCapture(limit int) *capture { return &capture{half: limit / 2} }

// Write implements io.Writer; it never fails.
func (c *capture) Write(p []byte) (int, error) {
	n := len(p)
	c.total += int64(n)
	if room := c.half - len(c.head); room > 0 {
		k := min(room, len(p))
		c.head = append(c.head, p[:k]...)
		p = p[k:]
	}
	if drop := len(c.tail) + len(p) - c.half; drop > 0 {
		if drop >= len(c.tail) {
			p = p[drop-len(c.tail):]
			c.tail = c.tail[:0]
		} else {
			c.tail = c.tail[:copy(c.tail, c.tail[drop:])]
		}
	}
	c.tail = append(c.tail, p...)
	return n, nil
}

// withhold takes away, and returns, the end of what was written if it is not
// complete yet.
func (c *capture) withhold() []byte {
	end := &c.tail
	if len(*end) == 0 {
		end = &c.head
	}
	n := unfinished(*end)
	held := slices.Clone((*end)[len(*end)-n:])
	*end = (*end)[:len(*end)-n]
	c.total -= int64(n)
	return held
}

// result returns what was kept as clean text of about the limit at most, with a
// line that says what is missing where something is, and whether it is.
func (c *capture) result() (text string, truncated bool) {
	if c.total <= int64(2*c.half) {
		text = clean(append(c.head[:len(c.head):len(c.head)], c.tail...))
		if len(text) <= 2*c.half {
			return text, false
		}
		// Bytes that were no text have become longer.
		return firstBytes(text, c.half) + "\n[… more left out …]\n" + lastBytes(text, c.half), true
	}
	head, tail := c.head, c.tail
	for len(head) > 0 && !utf8.RuneStart(head[len(head)-1]) {
		head = head[:len(head)-1]
	}
	if len(head) > 0 && head[len(head)-1] >= utf8.RuneSelf {
		head = head[:len(head)-1]
	}
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	left := c.total - int64(len(head)+len(tail))
	return fmt.Sprintf("%s\n[… %d bytes left out …]\n%s", firstBytes(clean(head), c.half), left, lastBytes(clean(tail), c.half)), true
}

// firstBytes returns as many whole characters from the beginning of s as n
// bytes hold.
func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// lastBytes is firstBytes from the end.
func lastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := len(s) - n
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return s[i:]
}
