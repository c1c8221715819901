// Package anthropic speaks the Messages API: Anthropic's own, and that of the
// servers that copy it.
//
// An [Adapter] owns its HTTP client and what it has learned about models that
// refuse a parameter; it owns no conversation and keeps nothing of one between
// calls. The official SDK builds the requests and splits the event stream, and
// none of its types leaves this package. What the events say is read here, by
// field presence and tolerant of what is unknown, since the SDK's own decoder
// skips events without a name and ends at a field it does not expect.
//
// The package does not retry a failed call, read the environment, count money
// or run tools. It sends one request again only where the API names a
// parameter that the model does not take.
package anthropic

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	openclaw "github.com/openclaw/openclaw-go"
)

// Where the API is and how long it may be silent, unless Options say otherwise.
const (
	defaultName    = "anthropic"
	defaultBaseURL = "https://api.anthropic.com"
	defaultTimeout = 2 * time.Minute
	idleTimeout    = time.Minute
)

// Options say which endpoint an Adapter talks to. The zero value is Anthropic's
// own API without a key, which refuses every call with a message that names the
// key to set.
type Options struct {
	// Name is the provider's name: it marks the parts this adapter made and
	// appears in errors. Default: "anthropic".
	Name string
	// BaseURL is the endpoint without the version, as the SDK takes it; a
	// trailing /v1 is tolerated. Default: https://api.anthropic.com.
	BaseURL string
	// APIKey is sent as X-Api-Key. Empty: no such header, for endpoints that
	// need none or are given another by Headers.
	APIKey string
	// Headers are added to every request and win over the adapter's own.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer. Default: two
	// minutes. After it, one minute may pass between two bytes.
	Timeout time.Duration
	// Client sends the requests. Default: a client with a transport of its own.
	// Redirects are not followed unless the client has a CheckRedirect: a
	// redirect to another host would carry the key there.
	Client *http.Client
	// Models is what Models returns; their MaxTokens bound the answers. Default:
	// the models known to this version.
	Models []openclaw.ModelInfo
}

// Adapter is an openclaw.Model on one endpoint. It is safe for concurrent use
// and needs no closing.
type Adapter struct {
	name    string
	label   string // how errors call the endpoint
	keyHint string // where to set the key, for errors
	keyless bool   // no credentials although the endpoint is known to want some
	timeout time.Duration
	limit   int // of an answer, in bytes
	models  []openclaw.ModelInfo
	secrets []string // masked in whatever the API says
	client  anthropic.Client

	mu      sync.Mutex
	learned map[string]lesson // by model
}

// New returns an adapter for the endpoint opts describe. It does not connect.
// The error says which option is wrong.
func New(opts Options) (*Adapter, error) {
	a := &Adapter{name: opts.Name, timeout: opts.Timeout, limit: maxStream, models: slices.Clone(opts.Models), learned: map[string]lesson{}}
	if a.name == "" {
		a.name = defaultName
	}
	if a.timeout < 0 {
		return nil, errors.New("anthropic: Timeout is negative")
	}
	if a.timeout == 0 {
		a.timeout = defaultTimeout
	}
	base, err := parseBaseURL(opts.BaseURL)
	if err != nil {
		return nil, err
	}
	a.label, a.keyHint = "the Anthropic API", "brain.api_key or ANTHROPIC_API_KEY"
	if a.name != defaultName {
		a.label, a.keyHint = fmt.Sprintf("the API of provider %q", a.name), "providers."+a.name+".api_key"
	}
	a.keyless = opts.APIKey == "" && len(opts.Headers) == 0 && base == defaultBaseURL
	a.secrets = secretsOf(opts)
	if len(a.models) == 0 {
		a.models = knownModels()
	}
	a.client = anthropic.NewClient(clientOptions(opts, base)...)
	return a, nil
}

func parseBaseURL(raw string) (string, error) {
	if raw == "" {
		return defaultBaseURL, nil
	}
	base := strings.TrimSuffix(strings.TrimRight(raw, "/"), "/v1")
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", errors.New("anthropic: BaseURL must be an http or https address such as " + defaultBaseURL)
	}
	return base, nil
}

// clientOptions turns off whatever the SDK would do by itself: reading the
// environment, retrying, tracing with the content of conversations.
func clientOptions(opts Options, base string) []option.RequestOption {
	set := []option.RequestOption{
		option.WithoutEnvironmentDefaults(),
		option.WithoutOpenTelemetry(),
		option.WithMaxRetries(0),
		option.WithBaseURL(base),
		option.WithHTTPClient(httpClient(opts.Client)),
		option.WithHeader("Accept", "text/event-stream"),
	}
	if opts.APIKey != "" {
		set = append(set, option.WithAPIKey(opts.APIKey))
	}
	for _, name := range slices.Sorted(maps.Keys(opts.Headers)) {
		set = append(set, option.WithHeader(name, opts.Headers[name]))
	}
	return set
}

func httpClient(given *http.Client) *http.Client {
	client := &http.Client{}
	if given != nil {
		*client = *given
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		transport := shared.Clone()
		// A connection that died while the machine slept is found by a ping
		// rather than by the next answer's timeout.
		transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
		client.Transport = transport
	}
	if client.CheckRedirect == nil {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client
}

func secretsOf(opts Options) []string {
	secrets := []string{opts.APIKey}
	for _, v := range opts.Headers {
		secrets = append(secrets, v, strings.TrimPrefix(v, "Bearer "))
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return len(s) < 8 })
}

// Models lists the models of Options, or else those known to this version. It
// does not ask the API.
func (a *Adapter) Models() []openclaw.ModelInfo { return slices.Clone(a.models) }

// Stream implements openclaw.Model. See the interface for what it yields, what
// it blocks on and what it releases.
func (a *Adapter) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		err := a.stream(ctx, req, func(ev openclaw.ModelEvent) bool { return yield(ev, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(openclaw.ModelEvent{}, err)
		}
	}
}

// errStopped says that the caller broke out of the loop.
var errStopped = errors.New("the caller stopped listening")

func (a *Adapter) stream(ctx context.Context, req *openclaw.Request, emit func(openclaw.ModelEvent) bool) error {
	if a.keyless {
		return a.refusedKey(0, nil)
	}
	p := a.plan(req)
	answer, err := a.open(ctx, p)
	for err != nil {
		if !a.adjust(p, err) {
			return err
		}
		answer, err = a.open(ctx, p)
	}
	defer answer.close()
	return answer.read(emit)
}
