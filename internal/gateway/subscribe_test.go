package gateway_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/openclaw/openclaw-go/internal/gateway"
)

// stuck is a connection whose client reads nothing of the past until it is let
// go.
type stuck struct {
	recorder
	let chan struct{}
}

func (c *stuck) SendWait(frame []byte) error {
	<-c.let
	return c.recorder.SendWait(frame)
}

// TestSubscriptionEndedWhileItCatchesUp ends a subscription, or loses its
// client, in the middle of the replay. Nothing is wrong then: nothing is logged,
// and the request has had its answer.
func TestSubscriptionEndedWhileItCatchesUp(t *testing.T) {
	for name, end := range map[string]func(*gateway.Client){
		"unsubscribe": func(c *gateway.Client) {
			c.Receive([]byte(`{"type":"unsubscribe","id":"end","payload":{"session":"main"}}`))
		},
		"gone": func(c *gateway.Client) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, settings{}, []step{{Text: "one"}})
				defer r.close(t)
				conn := &stuck{let: make(chan struct{})}
				c := r.gateway.Connect(conn)
				defer c.Close()
				c.Receive([]byte(`{"type":"chat","id":"1","payload":{"text":"x"}}`))
				synctest.Wait()
				conn.take()
				c.Receive([]byte(`{"type":"subscribe","id":"2","payload":{"session":"main","after_seq":0}}`))
				synctest.Wait()
				end(c)
				close(conn.let)
				synctest.Wait()
				if r.log.Len() > 0 {
					t.Errorf("the log says %s", r.log)
				}
				for _, frame := range conn.take() {
					if strings.Contains(frame, `"error"`) || strings.Contains(frame, `"seq":2`) {
						t.Errorf("after the end came %s", frame)
					}
				}
			})
		})
	}
}

// TestSubscriptionsAreBounded subscribes to more sessions than one client may.
func TestSubscriptionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, settings{}, nil)
		defer r.close(t)
		r.gateway.SetLimits(gateway.Limits{Subscriptions: 2})
		conn := &recorder{}
		c := r.gateway.Connect(conn)
		defer c.Close()
		for _, step := range []struct{ frame, want string }{
			{`{"type":"subscribe","id":"1","payload":{"session":"a"}}`, `"subscribed"`},
			{`{"type":"subscribe","id":"2","payload":{"session":"b"}}`, `"subscribed"`},
			{`{"type":"subscribe","id":"3","payload":{"session":"c"}}`, `GATEWAY_BUSY`},
			{`{"type":"subscribe","id":"4","payload":{"session":"b"}}`, `"subscribed"`},
			{`{"type":"unsubscribe","id":"5","payload":{"session":"a"}}`, `"ok"`},
			{`{"type":"subscribe","id":"6","payload":{"session":"c"}}`, `"subscribed"`},
		} {
			c.Receive([]byte(step.frame))
			synctest.Wait()
			if said := strings.Join(conn.take(), ""); !strings.Contains(said, step.want) {
				t.Errorf("%s is answered by %s", step.frame, said)
			}
		}
	})
}

// A client that asks for many pages and reads none gets one prepared, and all of
// them when it reads.
func TestPagesWaitForTheirReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, settings{}, []step{{Text: "one"}})
		defer r.close(t)
		conn := &stuck{let: make(chan struct{})}
		c := r.gateway.Connect(conn)
		defer c.Close()
		c.Receive([]byte(`{"type":"chat","id":"1","payload":{"text":"x"}}`))
		synctest.Wait()
		conn.take()
		for _, id := range []string{"a", "b", "c"} {
			c.Receive([]byte(`{"type":"session_history","id":"` + id + `","payload":{"session":"main"}}`))
		}
		synctest.Wait()
		if frames := conn.take(); len(frames) > 0 {
			t.Errorf("nobody reads, and there came %q", frames)
		}
		close(conn.let)
		synctest.Wait()
		if frames := conn.take(); len(frames) != 3 || strings.Count(strings.Join(frames, ""), `"type":"history"`) != 3 {
			t.Errorf("then came %q", frames)
		}
	})
}
