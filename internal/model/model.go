// Package model chooses which model answers a request.
//
// A [Set] holds the configured providers and turns the name in a request into
// a provider and that provider's own name of a model. It never changes after
// New and is safe for concurrent use; a changed configuration is a new Set.
//
// The package does not make models, call them, or fall back from one to
// another, and knows no provider by name.
package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
)

// Provider is one configured model API.
type Provider struct {
	Model openclaw.Model
	// Default is the model used where a request names this provider and no
	// model.
	Default string
}

// Options are the providers to choose from.
type Options struct {
	// Providers by name; at least one. A name has no slash.
	Providers map[string]Provider
	// Default is the provider of a request that names none. It may be empty if
	// there is one provider only.
	Default string
	// DefaultModel is the model of a request that names none. Empty: the
	// default provider's own default.
	DefaultModel string
}

// Choice is the model that a name stands for.
type Choice struct {
	Provider string
	Name     string // the provider's own name of the model
	Model    openclaw.Model
}

// Listed is one line of the list of models.
type Listed struct {
	ID            string // the provider's own name of the model
	Provider      string
	Default       bool
	ContextWindow int // in tokens; 0: not known
}

// Set is the configured providers.
type Set struct {
	providers map[string]Provider
	names     []string // sorted
	standard  Choice
}

// New returns the set that opts describe, or an error that says which option
// is wrong.
func New(opts Options) (*Set, error) {
	s := &Set{providers: maps.Clone(opts.Providers), names: slices.Sorted(maps.Keys(opts.Providers))}
	if len(s.names) == 0 {
		return nil, errors.New("model: no provider is configured")
	}
	for _, name := range s.names {
		switch {
		case name == "" || strings.Contains(name, "/"):
			return nil, fmt.Errorf("model: %q cannot be a provider's name: it must not be empty or hold a slash", name)
		case s.providers[name].Model == nil:
			return nil, fmt.Errorf("model: provider %q has no model", name)
		}
	}
	name := opts.Default
	if name == "" && len(s.names) == 1 {
		name = s.names[0]
	}
	p, ok := s.providers[name]
	if !ok {
		return nil, fmt.Errorf("model: the default provider %q is not configured; there are: %s", name, strings.Join(s.names, ", "))
	}
	s.standard = Choice{Provider: name, Name: cmp.Or(opts.DefaultModel, p.Default), Model: p.Model}
	if s.standard.Name == "" {
		return nil, fmt.Errorf("model: provider %q has no default model", name)
	}
	return s, nil
}

// Default returns the choice for a request that names no model.
func (s *Set) Default() Choice { return s.standard }

// Resolve returns the model that a name stands for: "" is the default model,
// "provider/model" that provider's (the first slash divides, since a model's
// own name may hold more), and a name without a slash the default provider's.
// "provider/" is the provider's default model. Whether the provider knows the
// model, only its API can tell. The error is an *openclaw.Error with the code
// MODEL_NOT_FOUND that names the configured providers.
func (s *Set) Resolve(name string) (Choice, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return s.standard, nil
	}
	provider, own, ok := strings.Cut(name, "/")
	if !ok {
		return Choice{Provider: s.standard.Provider, Name: name, Model: s.standard.Model}, nil
	}
	p, known := s.providers[provider]
	if !known {
		return Choice{}, s.notFound(fmt.Sprintf("no model provider %q is configured", shorten(provider)))
	}
	if own == "" && provider == s.standard.Provider {
		return s.standard, nil
	}
	own = cmp.Or(own, p.Default)
	if own == "" {
		return Choice{}, s.notFound(fmt.Sprintf("provider %q has no default model; name one as %s/model", provider, provider))
	}
	return Choice{Provider: provider, Name: own, Model: p.Model}, nil
}

func (s *Set) notFound(what string) *openclaw.Error {
	return &openclaw.Error{
		Code:    openclaw.CodeModelNotFound,
		Message: what + "; configured: " + strings.Join(s.names, ", "),
		Details: map[string]any{"providers": slices.Clone(s.names)},
	}
}

// shorten bounds what a client sent before it is sent back.
func shorten(name string) string {
	if runes := []rune(name); len(runes) > 64 {
		return string(runes[:64]) + "…"
	}
	return name
}

// discoverer is a provider whose models change: those installed on a server.
type discoverer interface {
	Discover(ctx context.Context) (int, error)
}

// Refresh asks the providers whose models change what they have now. It
// returns when they have answered or ctx ends; one that does not answer keeps
// what it was known to have.
func (s *Set) Refresh(ctx context.Context) {
	for _, name := range s.names {
		if d, ok := s.providers[name].Model.(discoverer); ok && ctx.Err() == nil {
			_, _ = d.Discover(ctx) // the list says what is known
		}
	}
}

// List returns the models that the providers know of and their defaults: the
// default model first, then by provider and ID.
func (s *Set) List() []Listed {
	var list []Listed
	for _, name := range s.names {
		p := s.providers[name]
		first := len(list)
		for _, info := range p.Model.Models() {
			list = append(list, Listed{ID: info.ID, Provider: name, ContextWindow: info.ContextWindow})
		}
		add := func(id string) {
			if id != "" && !slices.ContainsFunc(list[first:], func(l Listed) bool { return l.ID == id }) {
				list = append(list, Listed{ID: id, Provider: name})
			}
		}
		add(p.Default)
		if name == s.standard.Provider {
			add(s.standard.Name)
		}
	}
	for i := range list {
		list[i].Default = list[i].Provider == s.standard.Provider && list[i].ID == s.standard.Name
	}
	slices.SortFunc(list, func(a, b Listed) int {
		if a.Default != b.Default {
			if a.Default {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(list)
}

// Candidate is a provider that may be usable on this machine.
type Candidate struct {
	Provider string
	// Usable says whether it is; it may ask the network and returns when ctx
	// ends. nil: always usable.
	Usable func(ctx context.Context) bool
}

// Auto returns the first usable candidate: the meaning of "provider: auto". It
// asks them in order and none after the first that is usable. ok is false if
// none is. When ctx has ended, only those that need no asking count.
func Auto(ctx context.Context, candidates []Candidate) (provider string, ok bool) {
	for _, c := range candidates {
		if c.Usable == nil || ctx.Err() == nil && c.Usable(ctx) {
			return c.Provider, true
		}
	}
	return "", false
}
