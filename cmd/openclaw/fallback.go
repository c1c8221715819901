package main

import (
	"fmt"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/model"
)

// fallbacks are the models of brain.fallback. One with a key or an address of
// its own gets an endpoint of its own, whatever its provider has.
func fallbacks(c *config.Config, set *model.Set) ([]agent.Choice, error) {
	var list []agent.Choice
	for i, f := range c.Brain.Fallback {
		choice, err := fallback(c, set, f, i+1)
		if err != nil {
			return nil, err
		}
		list = append(list, choice)
	}
	return list, nil
}

func fallback(c *config.Config, set *model.Set, f config.Fallback, number int) (agent.Choice, error) {
	if f.APIKey == "" && f.BaseURL == "" {
		if found, err := set.Resolve(f.Provider + "/" + f.Model); err == nil {
			return agent.Choice{Provider: found.Provider, Name: found.Name, Model: found.Model}, nil
		}
	}
	endpoint, known := c.Endpoint(f.Provider)
	if !known {
		return agent.Choice{}, &openclaw.Error{
			Code:    openclaw.CodeInvalidMessage,
			Message: fmt.Sprintf("brain.fallback: provider %q is neither built in nor listed under providers", f.Provider),
		}
	}
	if f.APIKey != "" {
		endpoint.APIKey = f.APIKey
	}
	if f.BaseURL != "" {
		endpoint.BaseURL = f.BaseURL
	}
	p, err := makeProvider(endpoint)
	if err != nil {
		return agent.Choice{}, err
	}
	choice := agent.Choice{Provider: f.Provider, Name: f.Model, Model: p.Model, Account: fmt.Sprintf("fallback %d", number)}
	if choice.Name == "" {
		choice.Name = p.Default
	}
	if choice.Name == "" {
		return agent.Choice{}, &openclaw.Error{
			Code:    openclaw.CodeInvalidMessage,
			Message: fmt.Sprintf("brain.fallback: provider %q has no default model; name one", f.Provider),
		}
	}
	return choice, nil
}
