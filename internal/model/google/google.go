// Package google is the adapter for the Gemini API: Google's own endpoint and
// those that speak the same.
//
// Reading is tolerant of what is unknown, absent or new; writing is strict: a
// longer history gives bytes that begin with those of the shorter one, so that
// the API's prompt cache holds. What the API signs (thoughts, calls, texts) is
// kept with the part it came with and sent back with it, unread.
//
// An Adapter owns nothing but what it has learned of each model: which
// optional fields the endpoint refuses. It starts no goroutine that outlives a
// call. It does not retry failures, count costs, choose models, run tools or
// shorten histories; those who call it do.
package google

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
)

// The defaults of Options.
const (
	DefaultName    = "google"
	DefaultBaseURL = "https://generativelanguage.googleapis.com/v1beta"
)

// Options describe one endpoint. The zero value is Google's own, without a
// key.
type Options struct {
	// Name is what the endpoint is called in messages and in Part.Provider;
	// "" is DefaultName.
	Name string
	// BaseURL is what comes before "/models"; where it has no path, /v1beta is
	// added, as the official SDK does. A query is kept. "" is DefaultBaseURL.
	BaseURL string
	// APIKey is sent as x-goog-api-key; "" sends none.
	APIKey string
	// Headers are sent with each request and win over the adapter's own.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer; 0 is
	// endpoint.DefaultTimeout.
	Timeout time.Duration
	// Client sends the requests; nil is one with http.DefaultTransport.
	// Redirects are refused.
	Client *http.Client
	// Models is what Models returns; their MaxTokens bound the answers. Empty:
	// the models known to this version.
	Models []openclaw.ModelInfo
}

// Adapter is an openclaw.Model at one endpoint. It is safe for concurrent use
// and needs no closing.
type Adapter struct {
	end    *endpoint.Endpoint
	models []openclaw.ModelInfo
	newID  func() string // nil: at random

	mu      sync.Mutex
	learned map[string]quirks          // by model
	schemas map[string]*declaredSchema // translated, by what they were
}

var _ openclaw.Model = (*Adapter)(nil)

// New returns the adapter for the endpoint o describes. It fails where the
// base URL, a header or the timeout cannot work; it does not touch the
// network.
func New(o Options) (*Adapter, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	end, err := endpoint.New(endpoint.Options{
		Adapter: "google", Name: o.Name, BaseURL: withVersion(o.BaseURL),
		APIKey: o.APIKey, KeyHeader: "X-Goog-Api-Key",
		KeySetting: endpoint.KeySetting(o.Name, DefaultName, "GEMINI_API_KEY"),
		Accept:     "text/event-stream", Headers: o.Headers, Timeout: o.Timeout, Client: o.Client,
	})
	if err != nil {
		return nil, err
	}
	models := slices.Clone(o.Models)
	if len(models) == 0 {
		models = knownModels()
	}
	return &Adapter{end: end, models: models, learned: map[string]quirks{}, schemas: map[string]*declaredSchema{}}, nil
}

// withVersion completes a base URL that names a host only.
func withVersion(base string) string {
	if base == "" {
		return DefaultBaseURL
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return base
	}
	u.Path = "/v1beta"
	return u.String()
}

// Models implements openclaw.Model.
func (a *Adapter) Models() []openclaw.ModelInfo { return slices.Clone(a.models) }

// Stream implements openclaw.Model.
func (a *Adapter) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		x := a.end.Begin(ctx)
		defer x.End()
		body, err := a.open(x, req)
		if err != nil {
			yield(openclaw.ModelEvent{}, err)
			return
		}
		defer body.Close()
		r := newReader(a, req, x, body)
		if r.run(yield) {
			x.Drain(r.body)
		}
	}
}

// path returns the path of a model's streaming method, "" for a name that
// cannot be one.
func path(model string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:@/-", r)
	}
	if model == "" || len(model) > 256 || strings.Contains(model, "..") || strings.ContainsFunc(model, func(r rune) bool { return !plain(r) }) {
		return ""
	}
	if !strings.Contains(model, "/") {
		model = "models/" + model
	}
	return "/" + model + ":streamGenerateContent"
}
