// Package endpoint is the HTTP side of a model adapter: where an API is, what
// is sent with each request, how long it may be silent, and what its failures
// mean in the words of the gateway.
//
// An Endpoint owns its headers and its HTTP client and keeps nothing between
// two requests. It does not know what a request or an answer says, and does not
// repeat a request: those who call a model do.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

// DefaultTimeout is how long the first byte of an answer may take, unless
// Options say otherwise.
const DefaultTimeout = 2 * time.Minute

// Bounds on what an endpoint may send or how long it may be silent.
const (
	IdleTimeout  = 60 * time.Second       // between two reads, once the answer has begun
	GraceTimeout = 5 * time.Second        // for what follows once the model has finished
	DrainTimeout = 100 * time.Millisecond // for the end of the body, once all is said
	MaxEvent     = 2 << 20                // bytes of one event
	MaxAnswer    = 16 << 20               // bytes of text, thinking and arguments together
	MaxCalls     = 1024                   // tool calls in one answer
	maxStream    = 256 << 20              // bytes of the whole stream, framing included
	maxErrorBody = 64 << 10               // bytes read of a body that reports an error
)

// Options describe one endpoint.
type Options struct {
	// Adapter begins the errors of New, which are for whoever wrote the
	// configuration.
	Adapter string
	// Name is what the endpoint is called in messages.
	Name string
	// BaseURL is what comes before the path of a request. A query is kept.
	BaseURL string
	// APIKey is sent in KeyHeader, after "Bearer " where that is
	// Authorization; "" sends none, as local servers want.
	APIKey    string
	KeyHeader string
	// KeySetting names the setting that holds the key, BaseHint says what the
	// base URL usually looks like (", which usually ends in /v1"); both complete
	// messages.
	KeySetting, BaseHint string
	// Accept is the kind of answer that is asked for.
	Accept string
	// Headers are sent with each request and win over all others.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer; 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// Client sends the requests; nil is one with http.DefaultTransport. Its
	// redirect policy is not used: redirects are refused, since the one to
	// follow them would carry keys to another host.
	Client *http.Client
}

// Endpoint is one HTTP endpoint of a model API. It is safe for concurrent use
// and needs no closing.
type Endpoint struct {
	name       string
	base       *url.URL
	header     http.Header
	secrets    []string // what must not appear in a message
	keyed      bool
	keySetting string
	baseHint   string
	client     *http.Client
	timeout    time.Duration
}

// New returns the endpoint o describes. It fails where the base URL, a header
// or the timeout cannot work; it does not touch the network.
func New(o Options) (*Endpoint, error) {
	if o.Timeout < 0 {
		return nil, fmt.Errorf("%s: the timeout of %q is negative", o.Adapter, o.Name)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	base, err := parseBase(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%s: the base URL of %q: %w", o.Adapter, o.Name, err)
	}
	header, secrets, err := headers(o)
	if err != nil {
		return nil, err
	}
	client := &http.Client{}
	if o.Client != nil {
		*client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Endpoint{
		name: o.Name, base: base, header: header, secrets: secrets,
		keyed: o.APIKey != "", keySetting: o.KeySetting, baseHint: o.BaseHint,
		client: client, timeout: o.Timeout,
	}, nil
}

// Name is what the endpoint is called in messages.
func (e *Endpoint) Name() string { return e.name }

// Host is the host that is asked, without a port.
func (e *Endpoint) Host() string { return e.base.Hostname() }

// BasePath is the path of the base URL, without a slash at its end.
func (e *Endpoint) BasePath() string { return e.base.Path }

// At returns the address of a path below the base URL. The query, as in
// "alt=sse", is added to the one the base URL has.
func (e *Endpoint) At(path, query string) string {
	u := *e.base
	u.Path += path
	if query != "" && u.RawQuery != "" {
		query = "&" + query
	}
	u.RawQuery += query
	return u.String()
}

// KeySetting names the setting that holds the key of a provider: the variable
// counts for the one that bears the API's own name.
func KeySetting(name, standard, variable string) string {
	if name == standard {
		return "brain.api_key or " + variable
	}
	return "providers." + name + ".api_key"
}

func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("it cannot be read") // the parser's error repeats the URL, which may hold a password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("it must begin with http:// or https:// and a host")
	}
	u.Path, u.RawPath, u.Fragment = strings.TrimRight(u.Path, "/"), "", ""
	return u, nil
}

// headers returns what is sent with each request, and the secrets in it.
func headers(o Options) (http.Header, []string, error) {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Accept", o.Accept)
	h.Set("User-Agent", "openclaw")
	var secrets []string
	if o.APIKey != "" {
		if !sendable(o.APIKey) {
			return nil, nil, fmt.Errorf("%s: the API key of %q holds a line break, a space or a character that cannot be sent", o.Adapter, o.Name)
		}
		value := o.APIKey
		if o.KeyHeader == "Authorization" {
			value = "Bearer " + value
		}
		h.Set(o.KeyHeader, value)
		secrets = append(secrets, o.APIKey)
	}
	for _, k := range slices.Sorted(maps.Keys(o.Headers)) {
		if k == "" || strings.ContainsAny(k, " \t\r\n:") || strings.ContainsAny(o.Headers[k], "\r\n\x00") {
			return nil, nil, fmt.Errorf("%s: the header %q of %q cannot be sent", o.Adapter, k, o.Name)
		}
		h.Set(k, o.Headers[k])
		for _, word := range strings.Fields(o.Headers[k]) { // "Bearer KEY"
			if len(word) >= 8 {
				secrets = append(secrets, word)
			}
		}
	}
	return h, secrets, nil
}

func sendable(key string) bool {
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}

// Begin starts an exchange that ends with ctx, or when the endpoint is silent
// for too long. The caller ends it.
func (e *Endpoint) Begin(ctx context.Context) *Exchange { return newExchange(e, ctx) }

// Unseen is what a model that sees no pictures reads in the place of one.
func Unseen(i *openclaw.Image) string {
	return fmt.Sprintf("[A picture (%s, %d bytes) was sent here. You cannot see it: this model or its API takes no pictures. Say so if it matters.]", i.MediaType, len(i.Data))
}
