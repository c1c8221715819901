package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Access says who may connect. The zero value admits trusted local clients
// only.
type Access struct {
	// Hosts and Origins are let in beside IP literals, localhost and the
	// gateway's own origin.
	Hosts   []string
	Origins []string
	// Token is what everybody must show; "" admits loopback peers without one
	// and nobody else.
	Token string
}

// Door checks who may connect, the same way for WebSocket and HTTP. It is safe
// for concurrent use.
type Door struct {
	access  atomic.Pointer[access]
	guesses *guesses
}

// access is Access prepared for comparing.
type access struct {
	hosts   []string
	origins []string
	token   *[sha256.Size]byte
}

// NewDoor returns a Door; now is nil for time.Now.
func NewDoor(a Access, now func() time.Time) *Door {
	if now == nil {
		now = time.Now
	}
	d := &Door{guesses: newGuesses(now)}
	d.Set(a)
	return d
}

// Set changes who may connect from now on, and says whether another token is
// needed than before: connections that were let in without it must go.
func (d *Door) Set(a Access) (changed bool) {
	next := &access{hosts: lower(a.Hosts), origins: lower(a.Origins)}
	if a.Token != "" {
		sum := sha256.Sum256([]byte(a.Token))
		next.token = &sum
	}
	last := d.access.Swap(next)
	if last == nil || next.token == nil { // nobody needs one any more
		return false
	}
	return last.token == nil || *last.token != *next.token
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(strings.TrimSuffix(s, "/"))
	}
	return out
}

// Verdict is what the Door says of a request.
type Verdict struct {
	// Err is nil for a request that may pass.
	Err *openclaw.Error
	// Status is the HTTP status to answer with beside Err. 401 is said inside
	// the WebSocket to a client that asks for one: the upgrade succeeds, and
	// the error is the first message.
	Status int
}

// Check judges a request before anything else is done with it. Who is refused
// for the Host or the Origin has made no guess at the token: a web page must
// not lock the owner out.
func (d *Door) Check(r *http.Request) Verdict {
	a := d.access.Load()
	if !a.hostAllowed(r.Host) {
		return forbidden("this Host is not allowed; connect by IP address or localhost, or list the host in gateway.allowed_hosts")
	}
	if !a.originAllowed(r) {
		return forbidden("this Origin is not allowed; list it in gateway.allowed_origins if the page is yours")
	}
	if foreignPage(r) {
		return forbidden("another web page asks for this; open the address yourself")
	}
	peer := peerOf(r)
	if wait := d.guesses.blocked(peer); wait > 0 {
		return Verdict{Status: http.StatusTooManyRequests, Err: &openclaw.Error{
			Code: openclaw.CodeRateLimited, RetryAfter: wait,
			Message: "too many different wrong tokens from this address; try again later with the right one",
		}}
	}
	if a.token == nil {
		return checkLocal(r, peer)
	}
	token := tokenOf(r)
	if token == "" {
		return unauthorized(openclaw.CodeAuthRequired, "Authentication required: put the gateway's token into ?token= or an Authorization: Bearer header")
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1 {
		return Verdict{}
	}
	d.guesses.add(peer, sum)
	return unauthorized(openclaw.CodeAuthInvalid, "this token is not the gateway's; use the value of gateway.auth.token")
}

// checkLocal is the check without a token: loopback peers are trusted, unless
// a forwarding header says that the peer only speaks for somebody else.
func checkLocal(r *http.Request, peer netip.Addr) Verdict {
	if peer.IsLoopback() && !forwarded(r.Header) {
		return Verdict{}
	}
	return unauthorized(openclaw.CodeAuthRequired,
		"Authentication required: only direct connections from this machine are trusted; set gateway.auth.enabled and gateway.auth.token to let others in")
}

func forbidden(message string) Verdict {
	return Verdict{Status: http.StatusForbidden, Err: &openclaw.Error{Code: openclaw.CodeAuthInvalid, Message: message}}
}

func unauthorized(code openclaw.Code, message string) Verdict {
	return Verdict{Status: http.StatusUnauthorized, Err: &openclaw.Error{Code: code, Message: message}}
}

// peerOf returns the address of the peer, an IPv4 address also where it came
// mapped into IPv6; invalid if there is none.
func peerOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// hostAllowed stops DNS rebinding: a page of evil.example whose name is made
// to resolve to this machine still sends Host: evil.example.
func (a *access) hostAllowed(hostport string) bool {
	host := hostport
	if h, port, err := net.SplitHostPort(hostport); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil { // 127.0.0.1:1@evil.example
			return false
		}
		host = h
	}
	host = strings.ToLower(host)
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil {
		return true
	}
	return host == "localhost" || slices.Contains(a.hosts, host) || slices.Contains(a.hosts, strings.ToLower(hostport))
}

// originAllowed admits requests without an Origin (programs), those from the
// gateway's own origin, and those from listed ones.
func (a *access) originAllowed(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	origin := strings.ToLower(values[0])
	if origin == "null" { // any page can make itself that one
		return false
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return origin == scheme+strings.ToLower(r.Host) || slices.Contains(a.origins, origin)
}

// foreignPage says whether a page of another site makes the browser ask, as by
// an image or a frame, without an Origin. It cannot read the answer, but with
// tokens it makes up it could lock the owner out. A link that is followed here
// is no harm as long as it brings no token.
func foreignPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	followed := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return r.Header.Get("Origin") == "" && !(followed && tokenOf(r) == "")
}

// forwarded says whether a proxy speaks for somebody else.
func forwarded(h http.Header) bool {
	for name := range h {
		switch {
		case name == "Forwarded", name == "Via", name == "X-Real-Ip", strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}

// tokenOf returns the token a request shows, "" for none.
func tokenOf(r *http.Request) string {
	if scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.URL.Query().Get("token")
}
