// Package openai is the adapter for endpoints that speak the OpenAI chat
// completions API: OpenAI itself and the many servers that copy it
// (OpenRouter, Groq, DeepSeek, vLLM, llama.cpp, Ollama's /v1, LM Studio…).
//
// The servers agree on the shape of the stream and on little else, so reading
// is tolerant: an unknown field, a missing id, an absent usage or an absent
// end marker is not an error, while a stream that breaks off in the middle is
// one. Writing is strict: the same history gives the same bytes, and a longer
// history gives bytes that begin with those of the shorter one, so that the
// prompt caches of the servers hold.
//
// An Adapter owns nothing but what it has learned of each model's dialect
// (which optional fields the endpoint refuses). It starts no goroutine that
// outlives a call. It does not retry failures, count costs, choose models,
// run tools or shorten histories; those who call it do.
package openai

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

// The defaults of Options.
const (
	DefaultName    = "openai"
	DefaultBaseURL = "https://api.openai.com/v1"
	DefaultTimeout = 2 * time.Minute
)

// Bounds on what an endpoint may send or how long it may be silent.
const (
	idleTimeout  = 60 * time.Second       // between two reads, once the answer has begun
	graceTimeout = 5 * time.Second        // for the usage, once the model has finished
	drainTimeout = 100 * time.Millisecond // for the end of the body, once all is said
	maxEvent     = 2 << 20                // bytes of one event
	maxAnswer    = 16 << 20               // bytes of text, thinking and arguments together
	maxCalls     = 1024                   // tool calls in one answer
	maxStream    = 256 << 20              // bytes of the whole stream, framing included
	maxErrorBody = 64 << 10               // bytes read of a body that reports an error
)

// Options describe one endpoint. The zero value is OpenAI's own, without a
// key.
type Options struct {
	// Name is what the endpoint is called in messages and in Part.Provider;
	// "" is DefaultName.
	Name string
	// BaseURL is what comes before "/chat/completions", with the version:
	// "http://127.0.0.1:8080/v1". A query is kept. "" is DefaultBaseURL.
	BaseURL string
	// APIKey is sent as a bearer token; "" sends none, as local servers want.
	APIKey string
	// Headers are sent with each request and win over the adapter's own.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer; 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// Client sends the requests; nil is one with http.DefaultTransport. Its
	// redirect policy is not used: redirects are refused, since the one to
	// follow them would carry keys to another host.
	Client *http.Client
	// Models is what Models returns.
	Models []openclaw.ModelInfo
}

// Adapter is an openclaw.Model at one endpoint. It is safe for concurrent use
// and needs no closing.
type Adapter struct {
	name     string
	endpoint string // the whole URL
	openai   bool   // OpenAI or Azure, not one of the copies
	header   http.Header
	secrets  []string // what must not appear in a message
	keyed    bool
	client   *http.Client
	models   []openclaw.ModelInfo
	timeout  time.Duration
	newID    func() string

	mu      sync.Mutex
	learned map[string]quirks // by model
}

var _ openclaw.Model = (*Adapter)(nil)

// New returns the adapter for the endpoint o describes. It fails where the
// base URL, a header or the timeout cannot work; it does not touch the
// network.
func New(o Options) (*Adapter, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Timeout < 0 {
		return nil, fmt.Errorf("openai: the timeout of %q is negative", o.Name)
	}
	u, err := endpointURL(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("openai: the base URL of %q: %w", o.Name, err)
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
	return &Adapter{
		name:     o.Name,
		endpoint: u.String(),
		openai:   openAIHost(u.Hostname()),
		header:   header,
		secrets:  secrets,
		keyed:    o.APIKey != "",
		client:   client,
		models:   slices.Clone(o.Models),
		timeout:  o.Timeout,
		newID:    func() string { return "call_" + rand.Text() },
		learned:  map[string]quirks{},
	}, nil
}

// Models implements openclaw.Model.
func (a *Adapter) Models() []openclaw.ModelInfo { return slices.Clone(a.models) }

// Stream implements openclaw.Model.
func (a *Adapter) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		w := newWatch(ctx, a.timeout)
		defer w.stop()
		body, err := a.open(w, req)
		if err != nil {
			yield(openclaw.ModelEvent{}, err)
			return
		}
		defer body.Close()
		r := newReader(a, req, w, body)
		if r.run(yield) {
			r.drain()
		}
	}
}

// endpointURL turns a base URL into the one to post to.
func endpointURL(base string) (*url.URL, error) {
	const path = "/chat/completions"
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read") // the parser's error repeats the URL, which may hold a password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("it must begin with http:// or https:// and a host")
	}
	u.Path, u.RawPath, u.Fragment = strings.TrimRight(u.Path, "/"), "", ""
	if !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	return u, nil
}

// headers returns what is sent with each request, and the secrets in it.
func headers(o Options) (http.Header, []string, error) {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "text/event-stream")
	h.Set("User-Agent", "openclaw")
	var secrets []string
	if o.APIKey != "" {
		if !sendable(o.APIKey) {
			return nil, nil, fmt.Errorf("openai: the API key of %q holds a line break, a space or a character that cannot be sent", o.Name)
		}
		h.Set("Authorization", "Bearer "+o.APIKey)
		secrets = append(secrets, o.APIKey)
	}
	for _, k := range slices.Sorted(maps.Keys(o.Headers)) {
		if k == "" || strings.ContainsAny(k, " \t\r\n:") || strings.ContainsAny(o.Headers[k], "\r\n\x00") {
			return nil, nil, fmt.Errorf("openai: the header %q of %q cannot be sent", k, o.Name)
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
