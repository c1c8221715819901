package web

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxURL = 4096

// parseURL reads an address as a model writes it.
func parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxURL {
		return nil, refuse("the url is longer than %d bytes", maxURL)
	}
	if text != "" && !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, refuse("the url is not valid; write one such as https://example.org/page")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// checkURL says why an address is not fetched, whatever it resolves to. It
// sees every hop.
func (d domains) checkURL(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("web_fetch reads http and https only, not %s", u.Scheme)
	case u.User != nil:
		return refuse("the url has a user name or password in it, which web_fetch does not send; leave it out")
	case host == "" || strings.ContainsAny(host, "% \\"):
		return refuse("the url has no valid host; write one such as https://example.org/page")
	case oddAddress(host):
		return refuse("%s is no name and no IP address in its usual form, such as 192.0.2.7", host)
	case !webPort(u):
		return refuse("port %s is not one for web pages; web_fetch reads 80, 443 and those from 1024 that no other service is known for", u.Port())
	case !d.allow(host):
		return refuse("%s is not among the domains that the owner allows (hands.web.allowed_domains: %s)", host, strings.Join(d, ", "))
	}
	return nil
}

// oddAddress says whether a host is an IPv4 address spelled so that programs
// disagree about it: in octal, in hexadecimal, as one number, with parts left
// out. As in browsers, a host whose last part is a number is no name.
func oddAddress(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := strings.ToLower(labels[len(labels)-1])
	if strings.Contains(host, ":") || strings.Trim(last, "0123456789") == "" {
		return true
	}
	hex, ok := strings.CutPrefix(last, "0x")
	return ok && strings.Trim(hex, "0123456789abcdef") == ""
}

// webPort says whether an address is on a port where web pages are. Below 1024
// and in the list live services that a crafted request could talk to; they are
// those of the Fetch standard and the usual databases.
func webPort(u *url.URL) bool {
	text := u.Port()
	if text == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port < 1024 {
		return port == 80 || port == 443
	}
	return !slices.Contains([]uint64{
		1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432,
		5672, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 10080, 10250, 11211, 27017,
	}, port)
}
