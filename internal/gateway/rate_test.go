package gateway_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
)

// TestFloodOfMessages has a client that sends ten times what it may. Each
// message has an answer, after 10 s it is closed, and another client has not
// noticed.
func TestFloodOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, settings{}, nil)
		defer r.close(t)
		flooding, polite := &recorder{}, &recorder{}
		flooder, other := r.gateway.Connect(flooding), r.gateway.Connect(polite)
		defer flooder.Close()
		defer other.Close()
		var closed time.Duration
		began := time.Now()
		for i := 0; closed == 0 && i < 10_000; i++ {
			time.Sleep(time.Second / 600)
			flooder.Receive([]byte(`{"type":"model_list","id":"1"}`))
			said := strings.Join(flooding.take(), "")
			if strings.Contains(said, "! close 1008 rate limit exceeded") {
				closed = time.Since(began)
			}
			if !strings.Contains(said, `"models"`) && !strings.Contains(said, string(openclaw.CodeRateLimited)) {
				t.Fatalf("message %d is answered by %q", i, said)
			}
			if i%60 == 0 {
				other.Receive([]byte(`{"type":"model_list"}`))
				if said := strings.Join(polite.take(), ""); !strings.Contains(said, `"models"`) {
					t.Errorf("the other client gets %s", said)
				}
			}
		}
		if closed < 10*time.Second || closed > 11*time.Second {
			t.Errorf("closed after %v, want 10 s after the burst", closed)
		}
	})
}

// TestBurstsAreNoFlood has a client that is over its rate now and then: it is
// never closed.
func TestBurstsAreNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, settings{}, nil)
		defer r.close(t)
		r.gateway.SetLimits(gateway.Limits{MessagesPerSecond: 1, Burst: 1})
		conn := &recorder{}
		c := r.gateway.Connect(conn)
		defer c.Close()
		for range 30 {
			for range 5 {
				c.Receive([]byte(`{"type":"model_list"}`))
			}
			time.Sleep(2 * time.Second)
		}
		if said := strings.Join(conn.take(), ""); strings.Contains(said, "! close") {
			t.Error("a client that was over its rate now and then is closed")
		}
	})
}
