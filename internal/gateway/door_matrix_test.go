package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/gateway"
)

// What a request can look like, and what it means by the protocol alone: the
// expectation of a combination is put together from these, not from code.
var (
	peers = []struct {
		addr  string
		local bool
	}{
		{"127.0.0.1:5000", true}, {"127.8.9.10:5000", true}, {"[::1]:5000", true}, {"[::ffff:127.0.0.1]:5000", true},
		{"203.0.113.7:5000", false}, {"[2001:db8::1]:5000", false}, {"[::ffff:203.0.113.7]:5000", false},
		{"[fe80::1%eth0]:5000", false}, {"0.0.0.0:5000", false}, {"[::]:5000", false}, {"@", false}, {"", false},
	}
	hosts = []struct {
		host string
		ok   bool
	}{
		{"127.0.0.1:18789", true}, {"127.0.0.1", true}, {"[::1]:18789", true}, {"[::ffff:127.0.0.1]:18789", true},
		{"192.0.2.1", true}, {"LocalHost:18789", true}, {"claw.example:1", true},
		{"evil.example:18789", false}, {"localhost.evil.example", false}, {"127.0.0.1.evil.example", false},
		{"evil-localhost", false}, {"claw.example.evil.example", false}, {"2130706433", false}, {"0x7f.1", false}, {"", false},
	}
	origins = []struct {
		values []string // HOST stands for the Host
		ok     bool
	}{
		{nil, true}, {[]string{"http://HOST"}, true}, {[]string{"HTTPS://App.Example"}, true},
		{[]string{""}, false}, {[]string{"null"}, false}, {[]string{"https://HOST"}, false}, {[]string{"http://HOST/"}, false},
		{[]string{"http://HOST?"}, false}, {[]string{"http://HOST@evil.example"}, false}, {[]string{"http://HOST.evil.example"}, false},
		{[]string{"https://app.example.evil.example"}, false}, {[]string{"http://app.example"}, false}, {[]string{"file://"}, false},
		{[]string{"chrome-extension://x"}, false}, {[]string{"http://HOST", "http://HOST"}, false},
		{[]string{"http://HOST", "https://evil.example"}, false},
	}
	forwards = []struct{ name, value string }{
		{}, {"Forwarded", "for=127.0.0.1"}, {"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-Host", "localhost"},
		{"x-forwarded-anything", ""}, {"X-Real-IP", "127.0.0.1"}, {"Via", "1.1 proxy"},
	}
	tokens = []struct {
		query, header string
		code          openclaw.Code // where a token is required
	}{
		{"", "", openclaw.CodeAuthRequired}, {"?token=", "", openclaw.CodeAuthRequired}, {"", "Basic " + token, openclaw.CodeAuthRequired},
		{"", token, openclaw.CodeAuthRequired}, {"?Token=" + token, "", openclaw.CodeAuthRequired},
		{"?token=" + token, "", ""}, {"", "Bearer " + token, ""}, {"", "bearer  " + token, ""}, {"?token=wrong", "Bearer " + token, ""},
		{"?token=wrong", "", openclaw.CodeAuthInvalid}, {"?token=" + token + "x", "", openclaw.CodeAuthInvalid},
		{"?token=wrong&token=" + token, "", openclaw.CodeAuthInvalid}, {"?token=" + token, "Bearer wrong", openclaw.CodeAuthInvalid},
		{"", "Bearer " + token[1:], openclaw.CodeAuthInvalid},
	}
	fetches = []struct {
		site, mode, dest  string
		foreign, followed bool
	}{
		{}, {"none", "navigate", "document", false, false}, {"same-origin", "cors", "empty", false, false},
		{"cross-site", "no-cors", "image", true, false}, {"same-site", "no-cors", "script", true, false},
		{"cross-site", "navigate", "iframe", true, false}, {"cross-site", "navigate", "document", true, true},
	}
)

// TestEveryKnock asks the door about every combination.
func TestEveryKnock(t *testing.T) {
	access := gateway.Access{Hosts: []string{"claw.example"}, Origins: []string{"https://app.example"}}
	unlocked := gateway.NewDoor(access, nil)
	access.Token = token
	locked := gateway.NewDoor(access, nil)
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range everyKnock() {
		k.fill(r)
		for door, auth := range map[*gateway.Door]bool{unlocked: false, locked: true} {
			status, code := k.want(auth)
			v := door.Check(r)
			var got openclaw.Code
			if v.Err != nil {
				got = v.Err.Code
			}
			if v.Status != status || got != code {
				t.Fatalf("auth %v, from %s, Host %q, %s %v: %d %q, want %d %q",
					auth, r.RemoteAddr, r.Host, r.URL, r.Header, v.Status, got, status, code)
			}
		}
	}
}

// combination is one of each list, by index.
type combination struct{ peer, host, origin, forward, token, fetch int }

// everyKnock returns each pair of lists in full, with the others at what they
// are in an ordinary request, and each triple that decides about trust.
func everyKnock() (all []combination) {
	for o := range origins {
		for h := range hosts {
			for f := range fetches {
				for k := range tokens {
					all = append(all, combination{host: h, origin: o, fetch: f, token: k})
				}
			}
		}
	}
	for p := range peers {
		for w := range forwards {
			for k := range tokens {
				for h := range hosts {
					all = append(all, combination{peer: p, forward: w, token: k, host: h})
				}
				for o := range origins {
					all = append(all, combination{peer: p, forward: w, token: k, origin: o})
				}
				for f := range fetches {
					all = append(all, combination{peer: p, forward: w, token: k, fetch: f})
				}
			}
		}
	}
	return all
}

// fill makes r that request.
func (k combination) fill(r *http.Request) {
	r.RemoteAddr, r.Host, r.Header = peers[k.peer].addr, hosts[k.host].host, http.Header{}
	r.URL.RawQuery = strings.TrimPrefix(tokens[k.token].query, "?")
	for _, value := range origins[k.origin].values {
		r.Header.Add("Origin", strings.ReplaceAll(value, "HOST", strings.ToLower(r.Host)))
	}
	fetch := fetches[k.fetch]
	for name, value := range map[string]string{
		"Authorization": tokens[k.token].header, "Sec-Fetch-Site": fetch.site, "Sec-Fetch-Mode": fetch.mode, "Sec-Fetch-Dest": fetch.dest,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if f := forwards[k.forward]; f.name != "" {
		r.Header.Set(f.name, f.value)
	}
}

// want is what the protocol says of the combination.
func (k combination) want(auth bool) (status int, code openclaw.Code) {
	fetch := fetches[k.fetch]
	shown := tokens[k.token].code != openclaw.CodeAuthRequired
	switch {
	case !hosts[k.host].ok, !origins[k.origin].ok,
		fetch.foreign && len(origins[k.origin].values) == 0 && (shown || !fetch.followed):
		return http.StatusForbidden, openclaw.CodeAuthInvalid
	case auth && tokens[k.token].code == "", !auth && peers[k.peer].local && k.forward == 0:
		return 0, ""
	case auth:
		return http.StatusUnauthorized, tokens[k.token].code
	}
	return http.StatusUnauthorized, openclaw.CodeAuthRequired
}
