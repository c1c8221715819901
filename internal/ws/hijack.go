package ws

import (
	"bufio"
	"net"
	"net/http"
)

// hijacker gives a hijacked connection its wire, and buffers of a few bytes in
// place of the HTTP server's 4 KiB ones: an idle connection keeps the small
// ones, and the wire has large ones while they are of use.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return c, rw, err
	}
	ahead, err := rw.Peek(rw.Reader.Buffered())
	h.wire = newWire(c, append([]byte(nil), ahead...))
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, headSize), bufio.NewWriterSize(h.wire, headSize)), err
}
