package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// farewell is how long a server gets to end by itself.
const farewell = 2 * time.Second

// maxMessage bounds one message of a server, in bytes.
const maxMessage = 8 << 20

// link is what a connection runs over.
type link struct {
	transport sdk.Transport
	cut       context.CancelFunc // ends all of it, however it is
	join      func()             // says that this is the end, and returns when nothing is left
	last      func() string      // what the server said of itself last; nil: nothing
}

// open makes the link to the server, without waiting for an answer.
func (s *server) open() (*link, error) {
	if s.spec.URL != "" {
		return s.openRemote(), nil
	}
	return s.openProcess()
}

// end closes the connection in good manners, as far as they are returned.
func (l *link) end(session *sdk.ClientSession) {
	late := time.AfterFunc(farewell, l.cut)
	defer late.Stop()
	_ = session.Close() // how it ends does not matter any more
}

// close ends what is left, and waits for it.
func (l *link) close() {
	late := time.AfterFunc(farewell, l.cut)
	defer late.Stop()
	l.join()
	l.cut()
}

// explain adds what the server wrote last to an error of its connection.
func (l *link) explain(err error) error {
	if err == nil || l.last == nil {
		return err
	}
	if said := l.last(); said != "" {
		return fmt.Errorf("%w; it wrote: %s", err, said)
	}
	return err
}

// redact removes the server's secrets from a text.
func (s *server) redact(text string) string {
	for _, secrets := range []map[string]string{s.spec.Env, s.spec.Headers} {
		for _, secret := range secrets {
			for _, part := range append(strings.Fields(secret), secret) {
				if len(part) >= 6 {
					text = strings.ReplaceAll(text, part, "[secret]")
				}
			}
		}
	}
	return clip(text, 1000)
}
