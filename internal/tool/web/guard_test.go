package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The addresses of a machine, for guards in tests.
func machine() ([]net.Addr, error) {
	_, lan, err := net.ParseCIDR("203.0.114.9/24")
	lan.IP = net.IPv4(203, 0, 114, 9)
	return []net.Addr{lan}, err
}

func TestGuard(t *testing.T) {
	tests := []struct {
		address string
		plain   bool // allowed
		opened  bool // allowed with allow_private
	}{
		{"93.184.215.14", true, true},
		{"2606:2800:220:1::1", true, true},
		{"64:ff9b::5db8:d70e", true, true}, // NAT64 of 93.184.215.14
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true}, {"172.31.255.255", false, true}, {"172.32.0.1", true, true},
		{"192.168.1.1", false, true}, {"100.64.0.1", false, true}, {"100.128.0.1", true, true},
		{"127.0.0.1", false, true}, {"127.255.255.254", false, true}, {"::1", false, true},
		{"fc00::1", false, true}, {"fd12::1", false, true}, {"198.18.0.1", false, true},
		{"::ffff:10.0.0.1", false, true}, {"::ffff:127.0.0.1", false, true}, {"64:ff9b::a00:1", false, true},
		{"64:ff9b:1::1", false, true},
		{"203.0.114.9", false, true}, // an address of this machine
		{"0.0.0.0", false, false}, {"0.1.2.3", false, false}, {"::", false, false},
		{"169.254.169.254", false, false}, {"169.254.0.1", false, false}, {"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false}, {"fd00:ec2::254", false, false}, {"fd20:ce::254", false, false},
		{"100.100.100.200", false, false}, {"168.63.129.16", false, false}, {"192.0.0.192", false, false},
		{"::127.0.0.1", false, false}, {"::10.0.0.1", false, false}, {"::ffff:0:7f00:1", false, false},
		{"fe80::1", false, false}, {"fe80::1%eth0", false, false}, {"fec0::1", false, false},
		{"ff02::1", false, false}, {"224.0.0.1", false, false}, {"255.255.255.255", false, false}, {"240.0.0.1", false, false},
		{"192.0.2.1", false, false}, {"198.51.100.1", false, false}, {"203.0.113.1", false, false},
		{"2001:db8::1", false, false}, {"3fff::1", false, false}, {"192.0.0.8", false, false},
		{"2002:7f00:1::1", false, false}, {"2002:5db8:d70e::1", false, false}, // 6to4
		{"2001:0:7f00:1::1", false, false}, // Teredo
		{"100::1", false, false}, {"4000::1", false, false},
	}
	for _, tt := range tests {
		for _, private := range []bool{false, true} {
			g := newGuard(private, func() int { return 18789 })
			g.local = machine
			want := tt.plain || private && tt.opened
			err := g.check(netip.AddrPortFrom(netip.MustParseAddr(tt.address), 80))
			if (err == nil) != want {
				t.Errorf("%s with allow_private %v: %v", tt.address, private, err)
			}
		}
	}
}

// The gateway's own door stays shut, whatever is allowed.
func TestGuardOwnAddress(t *testing.T) {
	g := newGuard(true, func() int { return 18789 })
	g.local = machine
	for _, address := range []string{
		"127.0.0.1:18789", "[::1]:18789", "127.9.9.9:18789", "[::ffff:127.0.0.1]:18789", "0.0.0.0:18789",
		"203.0.114.9:18789", "[64:ff9b::cb00:7209]:18789",
	} {
		if err := g.check(netip.MustParseAddrPort(address)); err == nil {
			t.Errorf("%s is allowed", address)
		}
	}
	for _, address := range []string{"127.0.0.1:18790", "192.168.0.5:18789"} {
		if err := g.check(netip.MustParseAddrPort(address)); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	g.local = func() ([]net.Addr, error) { return nil, errors.New("no") }
	if err := g.check(netip.MustParseAddrPort("93.184.215.14:80")); err == nil {
		t.Error("allowed although nobody knows this machine's addresses")
	}
}

func TestCheckURL(t *testing.T) {
	d, err := newDomains([]string{"Example.org", "*.test"})
	if err != nil {
		t.Fatal(err)
	}
	good := []string{
		"http://example.org", "example.org/x", "https://a.b.example.org:8443/?q=1#frag", "HTTP://EXAMPLE.ORG./", "https://x.test:3000",
	}
	for _, text := range good {
		u, err := parseURL(text)
		if err == nil {
			err = d.checkURL(u)
		}
		if err != nil || u.Fragment != "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	bad := map[string]string{
		"":                               "not valid",
		"http://":                        "not valid",
		"ftp://example.org/":             "http and https only",
		"file:///etc/passwd":             "not valid",
		"gopher://example.org:70/_x":     "http and https only",
		"http://user@example.org/":       "user name",
		"http://u:p@example.org/":        "user name",
		"http://example.org:22/":         "port 22",
		"http://example.org:6379/":       "port 6379",
		"http://example.org:99999/":      "port 99999",
		"http://notexample.org/":         "not among",
		"http://example.org.evil/":       "not among",
		"http://0177.0.0.1/":             "usual form",
		"http://2130706433/":             "usual form",
		"http://0x7f000001/":             "usual form",
		"http://127.1/":                  "usual form",
		"http://0x7f.0.0.0x1/":           "usual form",
		"http://1.2.3.4.5/":              "usual form",
		"http://127.0.0.1./":             "usual form",
		"http://[fe80::1%25eth0]/":       "no valid host",
		"http://exa mple.org/":           "not valid",
		"http://example.org\\@evil.com/": "not valid",
		"http://" + strings.Repeat("a", maxURL) + ".example.org": "longer",
	}
	for text, want := range bad {
		u, err := parseURL(text)
		if err == nil {
			err = d.checkURL(u)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, name := range []string{"", "http://x.org", "a:80", "*", "a b"} {
		if _, err := newDomains([]string{name}); err == nil {
			t.Errorf("domain %q is accepted", name)
		}
	}
}

// A name that resolves to a closed address is not connected to, and what the
// name said before does not matter.
func TestResolvedAddressIsJudged(t *testing.T) {
	hit := make(chan string, 10)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { hit <- r.Host })
	port := server[strings.LastIndexByte(server, ':')+1:]
	tools, err := New(Options{resolver: resolveTo(t, netip.MustParseAddr("127.0.0.1")), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t.Context(), t, tools[0], map[string]any{"url": "http://innocent.example:" + port})
	wantError(t, err, "127.0.0.1 is this machine", "allow_private")
	if len(hit) > 0 {
		t.Error("the server was reached")
	}
	open := newTools(t, Options{resolver: resolveTo(t, netip.MustParseAddr("127.0.0.1"))})
	if out := read(t, open[0], "http://innocent.example:"+port); len(hit) != 1 {
		t.Errorf("with allow_private the server was not reached: %s", out)
	}
}

// resolveTo is a resolver that gives every name one address.
func resolveTo(t *testing.T, addr netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = server.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, peer, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := answerDNS(buf[:n], addr); err == nil {
				_, _ = server.WriteTo(reply, peer)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func answerDNS(query []byte, addr netip.Addr) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) == 0 {
		return nil, fmt.Errorf("no question: %w", err)
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
			Body:   &dnsmessage.AResource{A: addr.As4()},
		}}
	}
	return m.Pack()
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"http://example.org/", "http://127.0.0.1", "http://0x7f.1", "http://[::ffff:127.0.0.1]:80/", "http://a@b@c/", "//x", "http://①②⑦.0.0.1/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := parseURL(text)
		if err != nil || domains(nil).checkURL(u) != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Hostname() != u.Hostname() || again.User != nil {
			t.Errorf("%q is %q, which reads back as %v, %v", text, u, again, err)
		}
	})
}
