package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
)

const token = "correct-horse-battery"

// knock returns what the door says of a request. Headers come in pairs.
func knock(d *gateway.Door, peer, host, target string, headers ...string) gateway.Verdict {
	r := httptest.NewRequest(http.MethodGet, "http://placeholder"+target, nil)
	r.RemoteAddr, r.Host = peer, host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return d.Check(r)
}

func TestDoor(t *testing.T) {
	const local, far = "127.0.0.1:5000", "203.0.113.7:5000"
	open := gateway.Access{Hosts: []string{"claw.example", "proxy.example:8443"}, Origins: []string{"https://app.example"}}
	locked := open
	locked.Token = token
	tests := []struct {
		name       string
		access     gateway.Access
		peer, host string
		target     string
		headers    []string
		status     int
		code       openclaw.Code
	}{
		{"loopback by name", open, local, "localhost:18789", "/", nil, 0, ""},
		{"loopback by address", open, local, "127.0.0.1:18789", "/", nil, 0, ""},
		{"loopback without a port", open, local, "localhost", "/", nil, 0, ""},
		{"IPv6 loopback", open, "[::1]:5000", "[::1]:18789", "/", nil, 0, ""},
		{"IPv4 mapped into IPv6", open, "[::ffff:127.0.0.1]:5000", "127.0.0.1:18789", "/", nil, 0, ""},
		{"another address of 127/8", open, "127.9.9.9:5000", "127.0.0.1:18789", "/", nil, 0, ""},
		{"listed host", open, local, "Claw.Example:18789", "/", nil, 0, ""},
		{"listed host and port", open, local, "proxy.example:8443", "/", nil, 0, ""},
		{"listed for another port", open, local, "proxy.example:80", "/", nil, 403, openclaw.CodeAuthInvalid},
		{"rebound name", open, local, "evil.example:18789", "/", nil, 403, openclaw.CodeAuthInvalid},
		{"rebound name with its own origin", open, local, "evil.example:18789", "/", []string{"Origin", "http://evil.example:18789"}, 403, openclaw.CodeAuthInvalid},
		{"name that begins like localhost", open, local, "localhost.evil.example", "/", nil, 403, openclaw.CodeAuthInvalid},
		{"name that begins like an address", open, local, "127.0.0.1.evil.example", "/", nil, 403, openclaw.CodeAuthInvalid},
		{"no host", open, local, "", "/", nil, 403, openclaw.CodeAuthInvalid},

		{"own origin", open, local, "localhost:18789", "/", []string{"Origin", "http://localhost:18789"}, 0, ""},
		{"own origin in capitals", open, local, "localhost:18789", "/", []string{"Origin", "HTTP://LOCALHOST:18789"}, 0, ""},
		{"listed origin", open, local, "localhost:18789", "/", []string{"Origin", "https://app.example"}, 0, ""},
		{"own name, other port", open, local, "localhost:18789", "/", []string{"Origin", "http://localhost:3000"}, 403, openclaw.CodeAuthInvalid},
		{"own name, other scheme", open, local, "localhost:18789", "/", []string{"Origin", "https://localhost:18789"}, 403, openclaw.CodeAuthInvalid},
		{"foreign origin", open, local, "localhost:18789", "/", []string{"Origin", "https://evil.example"}, 403, openclaw.CodeAuthInvalid},
		{"origin null", open, local, "localhost:18789", "/", []string{"Origin", "null"}, 403, openclaw.CodeAuthInvalid},
		{"empty origin", open, local, "localhost:18789", "/", []string{"Origin", ""}, 403, openclaw.CodeAuthInvalid},
		{"two origins", open, local, "localhost:18789", "/", []string{"Origin", "http://localhost:18789", "Origin", "https://evil.example"}, 403, openclaw.CodeAuthInvalid},
		{"origin with a user", open, local, "localhost:18789", "/", []string{"Origin", "http://localhost:18789@evil.example"}, 403, openclaw.CodeAuthInvalid},
		{"foreign origin with the token", locked, local, "localhost:18789", "/?token=" + token, []string{"Origin", "https://evil.example"}, 403, openclaw.CodeAuthInvalid},

		{"from far without auth", open, far, "192.0.2.1:18789", "/", nil, 401, openclaw.CodeAuthRequired},
		{"forwarded", open, local, "localhost", "/", []string{"Forwarded", "for=203.0.113.7"}, 401, openclaw.CodeAuthRequired},
		{"x-forwarded-for", open, local, "localhost", "/", []string{"X-Forwarded-For", "203.0.113.7"}, 401, openclaw.CodeAuthRequired},
		{"x-forwarded-proto", open, local, "localhost", "/", []string{"x-forwarded-proto", "https"}, 401, openclaw.CodeAuthRequired},
		{"x-real-ip", open, local, "localhost", "/", []string{"X-Real-IP", "203.0.113.7"}, 401, openclaw.CodeAuthRequired},
		{"via", open, local, "localhost", "/", []string{"Via", "1.1 proxy"}, 401, openclaw.CodeAuthRequired},
		{"a token nobody asked for", open, far, "192.0.2.1", "/?token=x", nil, 401, openclaw.CodeAuthRequired},

		{"token in the address", locked, far, "192.0.2.1", "/?token=" + token, nil, 0, ""},
		{"token in the header", locked, far, "192.0.2.1", "/", []string{"Authorization", "Bearer " + token}, 0, ""},
		{"bearer in capitals", locked, far, "192.0.2.1", "/", []string{"Authorization", "BEARER " + token}, 0, ""},
		{"token through a proxy", locked, local, "localhost", "/?token=" + token, []string{"Via", "1.1 proxy"}, 0, ""},
		{"no token, local", locked, local, "localhost", "/", nil, 401, openclaw.CodeAuthRequired},
		{"empty token", locked, local, "localhost", "/?token=", nil, 401, openclaw.CodeAuthRequired},
		{"wrong token", locked, local, "localhost", "/?token=guess", nil, 401, openclaw.CodeAuthInvalid},
		{"prefix of the token", locked, local, "localhost", "/?token=" + token[:5], nil, 401, openclaw.CodeAuthInvalid},
		{"basic authorization", locked, local, "localhost", "/", []string{"Authorization", "Basic " + token}, 401, openclaw.CodeAuthRequired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := knock(gateway.NewDoor(test.access, nil), test.peer, test.host, test.target, test.headers...)
			var code openclaw.Code
			if v.Err != nil {
				code = v.Err.Code
			}
			if v.Status != test.status || code != test.code {
				t.Errorf("%d %q, want %d %q", v.Status, code, test.status, test.code)
			}
		})
	}
}

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func TestGuessingIsThrottled(t *testing.T) {
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	d := gateway.NewDoor(gateway.Access{Token: token}, c.Now)
	guess := func(peer string, n int) gateway.Verdict {
		return knock(d, peer, "localhost", fmt.Sprintf("/?token=guess-%d", n))
	}
	const attacker, bystander = "127.0.0.1:5000", "127.0.0.2:5000"

	wait := time.Minute
	for round := range 8 {
		for n := range 10 {
			if v := guess(attacker, 100*round+n); v.Status != http.StatusUnauthorized {
				t.Fatalf("round %d, guess %d: status %d, want 401", round, n, v.Status)
			}
		}
		v := knock(d, attacker, "localhost", "/?token="+token)
		if v.Status != http.StatusTooManyRequests || v.Err.RetryAfter != wait {
			t.Fatalf("round %d: status %d, retry after %v, want 429 and %v", round, v.Status, v.Err.RetryAfter, wait)
		}
		if v := knock(d, bystander, "localhost", "/?token="+token); v.Err != nil {
			t.Fatalf("another address was locked out: %v", v.Err)
		}
		c.now = c.now.Add(wait - time.Millisecond)
		if v := guess(attacker, 100*round+50); v.Status != http.StatusTooManyRequests {
			t.Fatalf("round %d: let in %v early", round, time.Millisecond)
		}
		c.now = c.now.Add(time.Millisecond)
		wait = min(2*wait, time.Hour)
	}
	c.now = c.now.Add(2 * time.Hour)
	for n := range 10 {
		guess(attacker, 10_000+n)
	}
	if v := guess(attacker, 1); v.Err.RetryAfter != time.Minute {
		t.Errorf("after a long quiet time the first wait is %v, want a minute again", v.Err.RetryAfter)
	}
}

func TestHarmlessClientsLockNobodyOut(t *testing.T) {
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	d := gateway.NewDoor(gateway.Access{Token: token}, c.Now)
	const peer = "127.0.0.1:5000"
	for n := range 100 {
		c.now = c.now.Add(10 * time.Millisecond)
		knock(d, peer, "localhost", "/?token=stale")
		knock(d, peer, "localhost", "/")
		knock(d, peer, "evil.example", fmt.Sprintf("/?token=page-%d", n))
		knock(d, peer, "localhost", fmt.Sprintf("/?token=page-%d", n), "Origin", "https://evil.example")
		knock(d, peer, "localhost", fmt.Sprintf("/?token=image-%d", n), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image")
		knock(d, peer, "localhost", fmt.Sprintf("/?token=link-%d", n), "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	}
	for n := range 30 { // different tokens, but slowly
		c.now = c.now.Add(7 * time.Second)
		knock(d, peer, "localhost", fmt.Sprintf("/?token=slow-%d", n))
	}
	if v := knock(d, peer, "localhost", "/?token="+token); v.Err != nil {
		t.Errorf("the owner is locked out: %v", v.Err)
	}
}

func TestChangedTokenIsNoticed(t *testing.T) {
	d := gateway.NewDoor(gateway.Access{}, nil)
	for i, step := range []struct {
		token   string
		changed bool
	}{{"", false}, {"one", true}, {"one", false}, {"two", true}, {"", false}, {"", false}, {"two", true}} {
		if changed := d.Set(gateway.Access{Token: step.token}); changed != step.changed {
			t.Errorf("step %d: changed = %v, want %v", i, changed, step.changed)
		}
	}
}
