// Package openai is the adapter for endpoints that speak the OpenAI chat
// completions API: OpenAI itself and the many servers that copy it
// (OpenRouter, Groq, DeepSeek, vLLM, llama.cpp, Ollama's /v1, LM Studio…). Its
// second dialect is the Responses API: OpenAI's own models that reason are
// asked in it, and any endpoint whose base URL ends in /responses.
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
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
)

// The defaults of Options.
const (
	DefaultName    = "openai"
	DefaultBaseURL = "https://api.openai.com/v1"
)

// Options describe one endpoint. The zero value is OpenAI's own, without a
// key.
type Options struct {
	// Name is what the endpoint is called in messages and in Part.Provider;
	// "" is DefaultName.
	Name string
	// BaseURL is what comes before "/chat/completions", with the version:
	// "http://127.0.0.1:8080/v1". A query is kept. "" is DefaultBaseURL. One
	// that ends in "/chat/completions" or "/responses" is asked in that dialect
	// only.
	BaseURL string
	// APIKey is sent as a bearer token; "" sends none, as local servers want.
	APIKey string
	// Headers are sent with each request and win over the adapter's own.
	Headers map[string]string
	// Timeout bounds the wait for the first byte of an answer; 0 is
	// endpoint.DefaultTimeout.
	Timeout time.Duration
	// Client sends the requests; nil is one with http.DefaultTransport.
	// Redirects are refused.
	Client *http.Client
	// Models is what Models returns.
	Models []openclaw.ModelInfo
}

// Adapter is an openclaw.Model at one endpoint. It is safe for concurrent use
// and needs no closing.
type Adapter struct {
	end       *endpoint.Endpoint
	chat      string // the whole URL; "" where only the other dialect is spoken
	responses string // likewise
	openai    bool   // OpenAI or Azure, not one of the copies
	official  bool   // OpenAI's own
	models    []openclaw.ModelInfo
	newID     func() string // nil: at random

	mu      sync.Mutex
	learned map[string]quirks // by model
}

var _ openclaw.Model = (*Adapter)(nil)

const (
	chatPath      = "/chat/completions"
	responsesPath = "/responses"
)

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
	end, err := endpoint.New(endpoint.Options{
		Adapter: "openai", Name: o.Name, BaseURL: o.BaseURL,
		APIKey: o.APIKey, KeyHeader: "Authorization",
		KeySetting: endpoint.KeySetting(o.Name, DefaultName, "OPENAI_API_KEY"),
		BaseHint:   ", which usually ends in /v1",
		Accept:     "text/event-stream", Headers: o.Headers, Timeout: o.Timeout, Client: o.Client,
	})
	if err != nil {
		return nil, err
	}
	a := &Adapter{
		end: end, openai: openAIHost(end.Host()), official: officialHost(end.Host()),
		models: slices.Clone(o.Models), learned: map[string]quirks{},
	}
	switch base := end.BasePath(); {
	case strings.HasSuffix(base, chatPath):
		a.chat = end.At("", "")
	case strings.HasSuffix(base, responsesPath):
		a.responses = end.At("", "")
	default:
		a.chat, a.responses = end.At(chatPath, ""), end.At(responsesPath, "")
	}
	return a, nil
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
		if a.usesResponses(req.Model) {
			if r := newResponsesReader(a, req, x, body); r.run(yield) {
				x.Drain(r.body)
			}
			return
		}
		if r := newReader(a, req, x, body); r.run(yield) {
			x.Drain(r.body)
		}
	}
}
