package main

import (
	"context"
	"fmt"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/model"
	"github.com/openclaw/openclaw-go/internal/model/anthropic"
	"github.com/openclaw/openclaw-go/internal/model/google"
	"github.com/openclaw/openclaw-go/internal/model/offline"
	"github.com/openclaw/openclaw-go/internal/model/ollama"
	"github.com/openclaw/openclaw-go/internal/model/openai"
)

// The models of providers that have one of their own.
const (
	anthropicModel = "claude-opus-4-6"
	openaiModel    = "gpt-5"
	googleModel    = "gemini-flash-latest"
	offlineModel   = "offline"
)

// ollamaProbe bounds how long a start waits for an Ollama to say what it has.
// Where nothing listens, that is known at once.
const ollamaProbe = 40 * time.Millisecond

// configuredModels returns the providers that the configuration makes usable:
// those with a key, those it names, and always the offline one.
func configuredModels(c *config.Config) (*model.Set, error) {
	chosen := c.Brain.Provider
	if chosen == "auto" {
		chosen = autoProvider(c)
	}
	providers := map[string]model.Provider{}
	for _, name := range append(sortedNames(c.Providers), "anthropic", "openai", "google", "local", offlineModel, chosen) {
		endpoint, known := c.Endpoint(name)
		if !known {
			return nil, &openclaw.Error{
				Code:    openclaw.CodeInvalidMessage,
				Message: fmt.Sprintf("brain.provider %q is neither built in nor listed under providers", name),
			}
		}
		if _, done := providers[name]; done || name != chosen && !usable(c, endpoint) {
			continue
		}
		p, err := makeProvider(endpoint)
		if err != nil {
			return nil, err
		}
		if name == chosen && endpoint.Model == "" {
			p = preferred(p)
		}
		providers[name] = p
	}
	endpoint, _ := c.Endpoint(chosen)
	set, err := model.New(model.Options{Providers: providers, Default: chosen, DefaultModel: endpoint.Model})
	if err != nil {
		return nil, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Err: err,
			Message: fmt.Sprintf("provider %q needs brain.model: it has no default model of its own", chosen),
		}
	}
	return set, nil
}

// usable says whether an endpoint that nobody chose can be used by name.
func usable(c *config.Config, e config.Endpoint) bool {
	_, listed := c.Providers[e.Name]
	return e.API == offlineModel || listed || e.APIKey != ""
}

// autoProvider is the meaning of provider: auto.
func autoProvider(c *config.Config) string {
	withKey := func(name string) func(context.Context) bool {
		return func(context.Context) bool {
			e, _ := c.Endpoint(name)
			return e.APIKey != ""
		}
	}
	ollamaHere := func(context.Context) bool {
		e, _ := c.Endpoint("ollama")
		p, err := makeProvider(e)
		return err == nil && preferred(p).Default != ollama.Newest
	}
	name, _ := model.Auto(context.Background(), []model.Candidate{
		{Provider: "anthropic", Usable: withKey("anthropic")},
		{Provider: "openai", Usable: withKey("openai")},
		{Provider: "google", Usable: withKey("google")},
		{Provider: "ollama", Usable: ollamaHere},
		{Provider: offlineModel},
	})
	return name
}

// preferred returns p with a model that the server says it has as its default,
// where p is an Ollama. One that does not answer at once is asked with the
// first turn.
func preferred(p model.Provider) model.Provider {
	if server, ok := p.Model.(*ollama.Adapter); ok {
		ctx, cancel := context.WithTimeout(context.Background(), ollamaProbe)
		defer cancel()
		if _, err := server.Discover(ctx); err == nil {
			p.Default = server.Preferred()
		}
	}
	return p
}

func makeProvider(e config.Endpoint) (model.Provider, error) {
	headers := map[string]string{}
	for name, value := range e.Headers {
		headers[name] = value.Reveal()
	}
	var m openclaw.Model
	var err error
	standard := ""
	switch e.API {
	case "anthropic":
		standard = anthropicModel
		m, err = anthropic.New(anthropic.Options{
			Name: e.Name, BaseURL: e.BaseURL, APIKey: e.APIKey.Reveal(), Headers: headers,
			Timeout: time.Duration(e.Timeout), Models: modelInfos(e),
		})
	case "openai":
		if e.Name == "openai" {
			standard = openaiModel
		}
		m, err = openai.New(openai.Options{
			Name: e.Name, BaseURL: e.BaseURL, APIKey: e.APIKey.Reveal(), Headers: headers,
			Timeout: time.Duration(e.Timeout), Models: modelInfos(e),
		})
	case "google":
		standard = googleModel
		m, err = google.New(google.Options{
			Name: e.Name, BaseURL: e.BaseURL, APIKey: e.APIKey.Reveal(), Headers: headers,
			Timeout: time.Duration(e.Timeout), Models: modelInfos(e),
		})
	case "ollama":
		standard = ollama.Newest
		m, err = ollama.New(ollama.Options{
			Name: e.Name, BaseURL: e.BaseURL, APIKey: e.APIKey.Reveal(), Headers: headers,
			Timeout: time.Duration(e.Timeout), Models: modelInfos(e),
		})
	case offlineModel:
		standard = offlineModel
		m = offline.New(offline.Options{})
	}
	if err != nil {
		return model.Provider{}, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("model provider %s: %v", e.Name, err),
		}
	}
	return model.Provider{Model: m, Default: standard}, nil
}

// modelInfos is what the configuration knows of a provider's models; nil
// leaves it to the adapter.
func modelInfos(e config.Endpoint) []openclaw.ModelInfo {
	var infos []openclaw.ModelInfo
	for _, id := range sortedNames(e.Models) {
		infos = append(infos, openclaw.ModelInfo{
			ID: id, ContextWindow: e.Models[id].ContextWindow, MaxTokens: e.Models[id].MaxTokens,
		})
	}
	return infos
}
