package e2e

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// socket is a WebSocket connection without a client's help: frames go out as
// they are written here and are looked at as they come.
type socket struct {
	t      *testing.T
	socket *websocket.Conn
}

// frame is a frame from the gateway.
type frame struct {
	protocol.Message
	text string
}

// socket connects to a path of the gateway.
func (g *gateway) socket(path string, header http.Header) *socket {
	g.t.Helper()
	s, status := g.knock(path, header)
	if s == nil {
		g.t.Fatalf("the handshake was answered with HTTP %d", status)
	}
	return s
}

// knock tries to connect; without success it returns the HTTP status. A Host
// in the header is sent as such.
func (g *gateway) knock(path string, header http.Header) (*socket, int) {
	g.t.Helper()
	o := &websocket.DialOptions{HTTPHeader: header}
	if header != nil {
		o.Host = header.Get("Host")
	}
	ws, response, err := websocket.Dial(within(g.t), g.url()+path, o)
	if err != nil {
		if response == nil {
			g.t.Fatal(err)
		}
		return nil, response.StatusCode
	}
	ws.SetReadLimit(64 << 20)
	g.t.Cleanup(func() { _ = ws.CloseNow() })
	return &socket{t: g.t, socket: ws}, http.StatusSwitchingProtocols
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.socket.Write(within(s.t), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// next waits for the next frame.
func (s *socket) next() frame {
	s.t.Helper()
	f, err := s.receive()
	if err != nil {
		s.t.Fatalf("waiting for a frame: %v", err)
	}
	return f
}

func (s *socket) receive() (frame, error) {
	kind, data, err := s.socket.Read(within(s.t))
	if err != nil {
		return frame{}, err
	}
	if kind != websocket.MessageText {
		return frame{}, errors.New("a binary frame")
	}
	m, err := protocol.DecodeMessage(data)
	return frame{m, string(data)}, err
}

// answer waits for the frame that completes the request.
func (s *socket) answer(id string) frame {
	s.t.Helper()
	return s.answers(id)[id]
}

// answers waits for the frames that complete the requests, in whatever order
// they come.
func (s *socket) answers(ids ...string) map[string]frame {
	s.t.Helper()
	got := map[string]frame{}
	for len(got) < len(ids) {
		if f := s.next(); slices.Contains(ids, f.ID) {
			got[f.ID] = f
		}
	}
	return got
}

// refusal waits for the frame that completes the request, which must be an
// error.
func (s *socket) refusal(id string) protocol.Error {
	s.t.Helper()
	return refused(s.t, s.answer(id))
}

// refused decodes a frame that must be an error.
func refused(t *testing.T, f frame) protocol.Error {
	t.Helper()
	if f.Type != protocol.TypeError {
		t.Fatalf("got %s, want an error", f.text)
	}
	return decode[protocol.Error](t, f)
}

// closed waits until the gateway closes the connection, and returns the code.
func (s *socket) closed() websocket.StatusCode {
	s.t.Helper()
	for {
		f, err := s.receive()
		if err == nil {
			s.t.Logf("before the end came %s", f.text)
			continue
		}
		return websocket.CloseStatus(err)
	}
}

// decode reads the payload of a frame.
func decode[P any](t *testing.T, f frame) P {
	t.Helper()
	var p P
	if err := f.Into(&p); err != nil {
		t.Fatalf("%s: %v", f.text, err)
	}
	return p
}

// wantCode expects an error with the code.
func wantCode(t *testing.T, err error, code openclaw.Code) {
	t.Helper()
	var e *openclaw.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// events collects the events a client is notified of.
type events chan protocol.Event

func newEvents() events { return make(events, 1000) }

// notify is a client's Notify.
func (e events) notify(m protocol.Message) {
	var ev protocol.Event
	if m.Type == protocol.TypeEvent && m.Into(&ev) == nil {
		e <- ev
	}
}

// until returns the events up to the first one of the kind.
func (e events) until(t *testing.T, kind openclaw.Kind) (seen []protocol.Event) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case ev := <-e:
			seen = append(seen, ev)
			if ev.Kind == kind {
				return seen
			}
		case <-deadline:
			t.Fatalf("waited in vain for %s after %+v", kind, seen)
		}
	}
}
