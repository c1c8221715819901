// Package ollama is the adapter for an Ollama server's own API: /api/chat for
// answers, /api/tags and /api/show for what it has. The server's
// OpenAI-compatible endpoint is not used: it loses streamed tool calls and
// cannot be told how long a conversation is.
//
// An Adapter owns what it has learned of the server: its models, what each can
// do, and how much context each was last given. It starts no goroutine that
// outlives a call. It does not retry failures, count costs, load or unload
// models, run tools or shorten histories; those who call it do.
package ollama

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// The defaults of Options. The timeout is that of the server for loading a
// model, during which it says nothing.
const (
	DefaultName    = "ollama"
	DefaultBaseURL = "http://127.0.0.1:11434"
	DefaultTimeout = 5 * time.Minute
)

// Newest stands for the model that was installed last and can call tools, or,
// where none can, the one that was installed last.
const Newest = "newest"

// Options describe one server. The zero value is the one on this machine.
type Options struct {
	// Name is what the server is called in messages and in Part.Provider; "" is
	// DefaultName.
	Name string
	// BaseURL is the server's address; a path of /v1 or /api is left out.
	// "" is DefaultBaseURL.
	BaseURL string
	// APIKey is sent as a bearer token, to a server behind a proxy or in the
	// cloud; "" sends none.
	APIKey string
	// Headers are sent with each request and win over the adapter's own.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer; 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// KeepAlive is how long the server keeps a model in memory after an answer,
	// as in "30m"; "" leaves that to the server's own setting.
	KeepAlive string
	// Client sends the requests; nil is one with http.DefaultTransport.
	// Redirects are refused.
	Client *http.Client
	// Models are known beforehand. A ContextWindow is the context the model is
	// given at the most, whatever it was made for.
	Models []openclaw.ModelInfo
}

// Adapter is an openclaw.Model at one server. It is safe for concurrent use
// and needs no closing.
type Adapter struct {
	end       *endpoint.Endpoint
	given     []openclaw.ModelInfo
	keepAlive string
	newID     func() string // nil: at random

	mu        sync.Mutex
	installed []string           // as the server last listed them
	known     map[string]*traits // by model
}

var _ openclaw.Model = (*Adapter)(nil)

// New returns the adapter for the server o describes. It fails where the base
// URL, a header or the timeout cannot work; it does not touch the network.
func New(o Options) (*Adapter, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	end, err := endpoint.New(endpoint.Options{
		Adapter: "ollama", Name: o.Name, BaseURL: withoutPath(o.BaseURL),
		APIKey: o.APIKey, KeyHeader: "Authorization", KeySetting: "providers." + o.Name + ".api_key",
		BaseHint: ", or get it with `ollama pull`",
		Accept:   "application/x-ndjson", Headers: o.Headers, Timeout: o.Timeout, Client: o.Client,
	})
	if err != nil {
		return nil, err
	}
	return &Adapter{end: end, given: slices.Clone(o.Models), keepAlive: o.KeepAlive, known: map[string]*traits{}}, nil
}

// withoutPath takes the address of one of the server's APIs for the server.
func withoutPath(base string) string {
	if base == "" {
		return DefaultBaseURL
	}
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	path := strings.TrimRight(u.Path, "/")
	for _, end := range []string{"/v1", "/api/chat", "/api"} {
		if rest, ok := strings.CutSuffix(path, end); ok {
			path = rest
			break
		}
	}
	u.Path = path
	return u.String()
}

// Stream implements openclaw.Model.
func (a *Adapter) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		x := a.end.Begin(ctx)
		defer x.End()
		asked, body, err := a.open(x, req)
		if err != nil {
			yield(openclaw.ModelEvent{}, err)
			return
		}
		defer body.Close()
		r := &reader{a: a, req: asked, x: x, body: body, asked: req.Model}
		r.ids = loose.IDs{Make: a.newID}
		r.ids.Taken(req.Messages)
		if r.run(yield) {
			x.Drain(body)
		}
	}
}
