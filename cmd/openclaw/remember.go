package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/distil"
	"github.com/openclaw/openclaw-go/internal/memory"
	"github.com/openclaw/openclaw-go/internal/model/offline"
	"github.com/openclaw/openclaw-go/internal/model/vector"
)

// memories are the stores of the long-term memory. A changed configuration
// that leaves the directory where it is keeps its store; one that is left may
// still be in use by a turn and stays open until the gateway stops.
type memories struct {
	mu     sync.Mutex
	stores map[string]*memory.Store // by directory
}

// open returns the store that a configuration describes.
func (m *memories) open(c *config.Config, logger *slog.Logger) (*memory.Store, error) {
	e, err := embedder(c)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stores[c.Memory.Path]
	if s == nil {
		if s, err = memory.New(memory.Options{Path: c.Memory.Path, Recheck: time.Second, Logger: logger}); err != nil {
			return nil, err
		}
		if m.stores == nil {
			m.stores = map[string]*memory.Store{}
		}
		m.stores[c.Memory.Path] = s
	}
	s.SetEmbedder(e)
	return s, nil
}

// embedder makes the vectors of memories as the configuration says; nil:
// nobody does.
func embedder(c *config.Config) (memory.Embedder, error) {
	chosen := c.Memory.Embeddings
	if chosen.Provider == "" {
		return nil, nil
	}
	e, _ := c.Endpoint(chosen.Provider)
	headers := map[string]string{}
	for name, value := range e.Headers {
		headers[name] = value.Reveal()
	}
	made, err := vector.New(vector.Options{
		API: e.API, Name: e.Name, Model: chosen.Model, BaseURL: e.BaseURL, APIKey: e.APIKey.Reveal(),
		Headers: headers, Timeout: time.Duration(e.Timeout),
	})
	if err != nil {
		return nil, &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("memory.embeddings: %v", err)}
	}
	return made, nil
}

// followEvery is how often the gateway looks whether files of memory have
// changed.
const followEvery = 5 * time.Second

// follow keeps the index of the memory up to date until ctx ends, and its
// vectors complete, so that no turn waits for what has changed since the last.
func (p *parts) follow(ctx context.Context) {
	for {
		if s := p.current.Load(); s.config.Memory.Enabled {
			_, err := s.memory.Count(ctx)
			if err == nil {
				err = s.memory.Fill(ctx)
			}
			if err != nil && ctx.Err() == nil {
				s.logger.Warn("memory not followed", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(followEvery):
		}
	}
}

func (m *memories) close() (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.stores {
		err = errors.Join(err, s.Close())
	}
	m.stores = nil
	return err
}

// remembered is the long-term memory as its tools want it: facts are lines.
type remembered struct{ store *memory.Store }

// Save implements memorytool.Store.
func (r remembered) Save(ctx context.Context, text, source string) (bool, error) {
	return r.store.Save(ctx, text, source)
}

// Find implements memorytool.Store.
func (r remembered) Find(ctx context.Context, query string, limit int) ([]string, error) {
	found, err := r.store.Search(ctx, query, limit)
	return factLines(found), err
}

// Forget implements memorytool.Store.
func (r remembered) Forget(ctx context.Context, text string) ([]string, error) {
	gone, err := r.store.Forget(ctx, text)
	return factLines(gone), err
}

// Supported implements distil.Memory.
func (remembered) Supported(fact, text string) float64 { return memory.Supported(fact, text) }

// Secret implements distil.Memory.
func (remembered) Secret(text string) bool { return memory.Secret(text) }

// distilling implements distil.Config.Means. The offline model finds no facts:
// it understands requests, not stories.
func (p *parts) distilling() (distil.Means, bool) {
	s := p.current.Load()
	_, deaf := s.set.Default().Model.(*offline.Model)
	if deaf || !s.config.Memory.Enabled || !s.config.Memory.AutoSave {
		return distil.Means{}, false
	}
	return distil.Means{Memory: remembered{s.memory}, Models: s.modelling()}, true
}

func factLines(entries []memory.Entry) []string {
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = e.String()
	}
	return lines
}

// recallTime is the most that a turn waits for what is remembered.
const recallTime = time.Second

// recall returns what the memory has to say to a turn. Heartbeats and sub-tasks
// ask for themselves: what they are told is no message of a person.
func (p *parts) recall(ctx context.Context, started openclaw.TurnStarted) string {
	s := p.current.Load()
	limit := s.config.Memory.MaxContextTokens
	if _, compacts := agent.AsksToCompact(started.Text); compacts || !s.config.Memory.Enabled || limit <= 0 {
		return ""
	}
	switch started.Source {
	case openclaw.SourceClient, openclaw.SourceSkill, openclaw.SourceCron:
	default:
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, recallTime)
	defer cancel()
	text, err := s.memory.Recall(ctx, started.Text, limit)
	if err != nil {
		s.logger.Warn("nothing recalled", "err", err)
	}
	return text
}
