package gateway_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go/internal/gateway"
)

// FuzzDoor checks that a request which passes names this machine, as a browser
// would read the name, and comes from no page of another place.
func FuzzDoor(f *testing.F) {
	for _, host := range []string{
		"localhost", "LOCALHOST:1", "127.0.0.1:18789", "[::1]:18789", "::1", "[fe80::1%eth0]:1", "evil.example", "localhost.", "",
		"localhost@evil.example", "evil.example#localhost", "127.0.0.1:1@evil.example", "[::1].evil.example", "localhost:1:2", "0x7f.1",
	} {
		f.Add(host, "")
		f.Add(host, "http://"+host)
		f.Add(host, "http://"+host+".evil.example")
	}
	f.Add("localhost", "null")
	door := gateway.NewDoor(gateway.Access{}, nil)
	f.Fuzz(func(t *testing.T, host, origin string) {
		r := &http.Request{Host: host, RemoteAddr: "127.0.0.1:5000", URL: &url.URL{Path: "/"}, Header: http.Header{}}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if door.Check(r).Err != nil {
			return
		}
		if u, err := url.Parse("http://" + strings.ToLower(host)); err == nil {
			if _, err := netip.ParseAddr(u.Hostname()); err != nil && u.Hostname() != "localhost" && strings.Count(host, ":") < 2 {
				t.Errorf("Host %q is let in; it names %q", host, u.Hostname())
			}
		}
		if origin != "" && !strings.EqualFold(origin, "http://"+host) {
			t.Errorf("Origin %q is let in at Host %q", origin, host)
		}
	})
}
