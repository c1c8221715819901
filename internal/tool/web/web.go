// Package web holds the tools that read the web: web_fetch turns a page into
// text a model can read, web_search asks a search engine.
//
// A page is fetched from the address its name resolves to at that moment, and
// that address is checked when the connection is made, on every redirect anew:
// this machine, private networks, metadata services and the gateway itself are
// no pages. Nothing that identifies the owner is sent: no cookies, no
// credentials, no Referer. How long, how large and how deeply nested an answer
// may be is bounded before it is read.
//
// The fetch tool owns a small cache of pages, in memory, for minutes. The
// package runs no script, keeps no session with a site, writes no file, and
// takes no proxy from the environment: a proxy would connect in its place, to
// addresses nobody has checked.
package web

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

// Options configure the tools. The zero value gives web_fetch alone.
type Options struct {
	Timeout time.Duration // for a whole call, conversion excluded; 0: 20 s
	MaxBody int64         // how much of an answer is read, decompressed, in bytes; 0: 4 MiB
	MaxPage int           // how much of a page one call returns, in bytes; 0: 16 KiB

	// AllowPrivate opens loopback and private networks, which are closed
	// otherwise. Metadata services and OwnPort stay closed.
	AllowPrivate bool
	// AllowedDomains are the only domains to read, with those below them;
	// empty: all.
	AllowedDomains []string
	// OwnPort returns the port on which this gateway listens, 0 while it does
	// not; nil: never.
	OwnPort func() int

	Search    Search
	UserAgent string // "": OpenClaw

	// resolver looks names up; nil: net.DefaultResolver.
	resolver *net.Resolver
}

const (
	defaultTimeout = 20 * time.Second
	defaultMaxBody = 4 << 20
	defaultMaxPage = 16 << 10
	minPage        = 1 << 10
	maxRedirects   = 5
	maxHeader      = 64 << 10
)

// New returns the tools, or what is wrong with opts.
func New(opts Options) ([]openclaw.Tool, error) {
	opts = opts.withDefaults()
	switch {
	case opts.Timeout < 0 || opts.MaxBody < 0:
		return nil, errors.New("web: Timeout and MaxBody must not be negative")
	case opts.MaxPage < minPage:
		return nil, fmt.Errorf("web: MaxPage must be at least %d bytes", minPage)
	}
	domains, err := newDomains(opts.AllowedDomains)
	if err != nil {
		return nil, err
	}
	tools := []openclaw.Tool{newFetch(opts, domains)}
	if opts.Search.Provider != "" {
		search, err := newSearch(opts)
		if err != nil {
			return nil, err
		}
		tools = append(tools, search)
	}
	return tools, nil
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.MaxPage == 0 {
		o.MaxPage = defaultMaxPage
	}
	if o.OwnPort == nil {
		o.OwnPort = func() int { return 0 }
	}
	if o.UserAgent == "" {
		o.UserAgent = "OpenClaw"
	}
	return o
}

// transport makes connections that control judges; nil lets all pass. No
// connection is kept for a later request, so each one is judged and an idle
// gateway holds none.
func (o Options) transport(control dialControl) *http.Transport {
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.resolver, ControlContext: control}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    o.Timeout,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// domains are the only ones to read; none: all.
type domains []string

func newDomains(list []string) (domains, error) {
	var d domains
	for _, name := range list {
		name = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "*.")
		if name == "" || strings.ContainsAny(name, "/:*@ ") {
			return nil, fmt.Errorf("hands.web.allowed_domains: %q is no domain; write example.org, which stands for those below it too", name)
		}
		d = append(d, strings.TrimSuffix(name, "."))
	}
	return d, nil
}

func (d domains) allow(host string) bool {
	if len(d) == 0 {
		return true
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, name := range d {
		if host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}
