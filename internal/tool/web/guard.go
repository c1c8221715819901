package web

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/openclaw/openclaw-go"
)

// dialControl judges a connection when its address is known and before it is
// made.
type dialControl = func(ctx context.Context, network, address string, c syscall.RawConn) error

// guard decides which addresses may be connected to. It is safe for concurrent
// use.
type guard struct {
	allowPrivate bool
	ownPort      func() int
	closed       []network
	local        func() ([]net.Addr, error) // the addresses of this machine
}

// network is a range of addresses that hold no public page.
type network struct {
	prefix netip.Prefix
	what   string
	opened bool // by allowPrivate
}

func newGuard(allowPrivate bool, ownPort func() int) *guard {
	return &guard{allowPrivate: allowPrivate, ownPort: ownPort, closed: closedNetworks(), local: net.InterfaceAddrs}
}

// closedNetworks follows IANA's registries of special-purpose addresses; the
// first that contains an address speaks. Of IPv6, only 2000::/3 is public at
// all, which check sees to.
func closedNetworks() []network {
	const (
		metadata = "a metadata service"
		private  = "a private network"
		reserved = "reserved, no public address"
	)
	n := func(prefix, what string, opened bool) network {
		return network{netip.MustParsePrefix(prefix), what, opened}
	}
	return []network{
		n("100.100.100.200/32", metadata, false), // Alibaba
		n("168.63.129.16/32", metadata, false),   // Azure
		n("192.0.0.192/32", metadata, false),     // Oracle
		n("fd00:ec2::/32", metadata, false),      // AWS
		n("fd20:ce::/32", metadata, false),       // Google
		n("0.0.0.0/8", "this machine", false),
		n("10.0.0.0/8", private, true),
		n("100.64.0.0/10", "a provider's network", true),
		n("127.0.0.0/8", "this machine", true),
		n("169.254.0.0/16", "link-local, where metadata services are", false),
		n("172.16.0.0/12", private, true),
		n("192.0.0.0/24", reserved, false),
		n("192.0.2.0/24", reserved, false),
		n("192.88.99.0/24", reserved, false),
		n("192.168.0.0/16", private, true),
		n("198.18.0.0/15", "a private network", true),
		n("198.51.100.0/24", reserved, false),
		n("203.0.113.0/24", reserved, false),
		n("224.0.0.0/4", "multicast", false),
		n("240.0.0.0/4", reserved, false),
		n("::1/128", "this machine", true),
		n("fc00::/7", private, true),
		n("fe80::/10", "link-local", false),
		n("64:ff9b:1::/48", private, true), // a local NAT64: what is behind it cannot be told
		n("2001::/23", reserved, false),    // Teredo, ORCHID, benchmarks
		n("2001:db8::/32", reserved, false),
		n("2002::/16", "6to4, which hides another address", false),
		n("3fff::/20", reserved, false),
	}
}

// control implements dialControl.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("the address %s cannot be checked, so it is not connected to", address)
	}
	return g.check(ap)
}

// check says why nobody may connect to an address.
func (g *guard) check(ap netip.AddrPort) error {
	addr := ap.Addr().Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	if addr.Zone() != "" {
		return g.refused(ap, "link-local", false)
	}
	if nat64.Contains(addr) { // the IPv4 address is what the gateway of the network connects to
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	mine, err := g.isMine(addr)
	if err != nil {
		return err
	}
	if mine && int(ap.Port()) == g.ownPort() {
		return g.refused(ap, "this gateway itself", false)
	}
	i := slices.IndexFunc(g.closed, func(n network) bool { return n.prefix.Contains(addr) })
	switch {
	case i >= 0 && !(g.closed[i].opened && g.allowPrivate):
		return g.refused(ap, g.closed[i].what, g.closed[i].opened)
	case i < 0 && addr.Is6() && !global.Contains(addr):
		return g.refused(ap, "no public address", false)
	case mine && !g.allowPrivate:
		return g.refused(ap, "this machine", true)
	}
	return nil
}

var (
	nat64  = netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 96)
	global = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3)
)

// isMine says whether an address leads to this machine.
func (g *guard) isMine(addr netip.Addr) (bool, error) {
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true, nil
	}
	addrs, err := g.local()
	if err != nil {
		return false, &openclaw.Error{
			Code: openclaw.CodeInternal, Err: err,
			Message: "the addresses of this machine cannot be listed, so no page can be read; the owner must look at it",
		}
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Unmap().WithZone("") == addr {
			return true, nil
		}
	}
	return false, nil
}

func (g *guard) refused(ap netip.AddrPort, what string, opens bool) error {
	hint := "do not try other spellings of it"
	if opens {
		hint += "; the owner can open private networks with hands.web.allow_private"
	}
	return refuse("%s is %s, which web_fetch does not read; %s", ap.Addr(), what, hint)
}

// refuse is a call that must not be made.
func refuse(format string, a ...any) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf(format, a...)}
}
