package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/budget"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/memory"
	"github.com/openclaw/openclaw-go/internal/model"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/prompt"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"github.com/openclaw/openclaw-go/internal/skill"
	"github.com/openclaw/openclaw-go/internal/tool/mcp"
	"github.com/openclaw/openclaw-go/internal/tool/shell"
	"github.com/openclaw/openclaw-go/protocol"
)

// parts are what a changed configuration replaces: turns that run keep the old
// ones, the next turns get the new.
type parts struct {
	current atomic.Pointer[partSet]
	grants  *policy.Grants         // what has been approved for longer
	record  func(policy.Record)    // tells of decisions
	broken  atomic.Pointer[string] // why the configuration file could not be taken over
	port    atomic.Int32           // where the gateway listens; 0: nowhere yet

	servers   *mcp.Host        // outlives every configuration
	jobs      *shell.Host      // likewise
	cooldowns *agent.Cooldowns // of models that failed; set by the first set
	budget    *budget.Budget   // what models may cost; set before the first set
	tasks     subtasks
	memories  memories
}

// partSet is everything made from one configuration.
type partSet struct {
	config *config.Config
	set    *model.Set
	tools  []openclaw.Tool // without those of MCP servers
	skills *skill.Index
	memory *memory.Store
	box    *sandbox.Box
	logger *slog.Logger

	fallback  []agent.Choice
	cooldowns *agent.Cooldowns
	servers   *mcp.Host
	budget    *budget.Budget

	layers *prompt.Layers

	mu      sync.Mutex
	agent   *agent.Agent
	guard   *policy.Policy       // in front of every tool
	system  string               // the instructions, as the agent knows them
	listed  uint64               // the version of the MCP servers' tools, as the agent knows them
	entries []protocol.ToolEntry // the tools of the agent named
	names   []string             // theirs, sorted
	named   *agent.Agent
}

// set makes all parts anew; when it fails the old ones stay.
func (p *parts) set(c *config.Config, models modelsFunc, runner *sandbox.Runner, logger *slog.Logger) error {
	if models == nil {
		models = configuredModels
	}
	set, err := models(c)
	if err != nil {
		return err
	}
	spare, err := fallbacks(c, set)
	if err != nil {
		return err
	}
	store, err := p.memories.open(c, logger)
	if err != nil {
		return err
	}
	ownPort := func() int { return int(p.port.Load()) }
	box, err := runner.Box(boxRules(c, ownPort))
	if err != nil {
		return err
	}
	guard, err := newPolicy(c, box, p.grants, p.record, logger)
	if err != nil {
		return err
	}
	skills := newSkills(c, logger)
	tools, err := makeTools(c, store, skills, box, ownPort, &p.tasks, guard, p.jobs)
	if err != nil {
		return err
	}
	if p.cooldowns == nil {
		p.cooldowns = agent.NewCooldowns(nil)
	}
	next := &partSet{
		config: c, set: set, tools: tools, skills: skills, memory: store, box: box, logger: logger,
		fallback: spare, cooldowns: p.cooldowns, budget: p.budget, servers: p.servers, guard: guard,
	}
	next.layers = instructions(c, logger)
	if err := next.makeAgent(next.instructions()); err != nil {
		return err
	}
	p.current.Store(next)
	p.cooldowns.Clear() // what has changed may be what was wrong
	return nil
}

// instructions are those for the files and skills there are now.
func (s *partSet) instructions() string { return s.layers.Text("", s.skills.Catalog()) }

// makeAgent makes the agent that has these instructions, and the tools that the
// MCP servers have now.
func (s *partSet) makeAgent(system string) (err error) {
	s.system, s.listed = system, s.servers.Version()
	served := s.guard.Wrap(s.servers.Tools())
	config := s.modelling()
	config.Tools, config.System, config.MaxTokens = slices.Concat(s.tools, served), system, s.config.Brain.MaxTokens
	config.Identity = s.layers.Identity()
	config.Limits = agent.Limits{
		ModelCalls: s.config.Session.Limits.ModelCalls,
		Duration:   time.Duration(s.config.Session.Limits.Duration),
		Repeats:    s.config.Session.Limits.Repeats,
	}
	s.agent, err = agent.New(config)
	return err
}

// modelling is how models are asked, whatever for.
func (s *partSet) modelling() agent.Config {
	temperature := s.config.Brain.Temperature
	return agent.Config{
		Models: resolver{s.set}, Fallback: s.fallback, Cooldowns: s.cooldowns, Budget: s.budget,
		Temperature: &temperature, Thinking: s.config.Brain.Thinking, CompactAt: s.config.Session.CompactAt,
		Logger: s.logger,
	}
}

// resolver lets the agent choose from a model.Set.
type resolver struct{ set *model.Set }

// Resolve implements agent.Models.
func (r resolver) Resolve(name string) (agent.Choice, error) {
	c, err := r.set.Resolve(name)
	return agent.Choice{Provider: c.Provider, Name: c.Name, Model: c.Model}, err
}

// agent returns the agent for the next turn. It is made anew when a skill or a
// file of instructions has come, gone or changed, or a tool of an MCP server.
func (p *parts) agent() *agent.Agent {
	s := p.current.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew(s.instructions())
	return s.agent
}

// renew makes the agent anew if it is to have other instructions, or if the
// tools of an MCP server are not what they were.
func (s *partSet) renew(system string) {
	if system == s.system && s.servers.Version() == s.listed {
		return
	}
	last := s.agent
	if err := s.makeAgent(system); err != nil {
		s.logger.Error("agent not made anew", "err", err)
		s.agent = last
	}
}

func (p *parts) config() *config.Config { return p.current.Load().config }

// fault remembers why a configuration was not taken over; nil: it was.
func (p *parts) fault(err error) {
	if err == nil {
		p.broken.Store(nil)
		return
	}
	text := fmt.Sprintf("the configuration was not taken over, the one before is still in force: %v", err)
	p.broken.Store(&text)
}

// problems implements gateway.Facts.
func (p *parts) problems() (list []string) {
	if text := p.broken.Load(); text != nil {
		list = append(list, *text)
	}
	if box := p.current.Load().box; weak(box.Layer()) {
		list = append(list, box.Gaps()...)
	}
	return list
}

func (p *parts) model() (provider, name string) {
	c := p.current.Load().set.Default()
	return c.Provider, c.Name
}

// listing bounds how long a list of models waits for servers to say what they
// have.
const listing = 300 * time.Millisecond

func (p *parts) models() []protocol.ModelEntry {
	set := p.current.Load().set
	ctx, cancel := context.WithTimeout(context.Background(), listing)
	defer cancel()
	set.Refresh(ctx)
	listed := set.List()
	entries := make([]protocol.ModelEntry, len(listed))
	for i, l := range listed {
		entries[i] = protocol.ModelEntry{ID: l.ID, Provider: l.Provider, Default: l.Default, ContextWindow: l.ContextWindow}
	}
	return entries
}

func (p *parts) tools() []protocol.ToolEntry {
	entries, _ := p.listed()
	return entries
}

func (p *parts) toolNames() []string {
	_, names := p.listed()
	return names
}

// listed returns what there is to say of the tools; it is made once for an
// agent, since clients ask for it often.
func (p *parts) listed() (entries []protocol.ToolEntry, names []string) {
	s := p.current.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew(s.system)
	if s.named != s.agent {
		s.entries, s.names, s.named = nil, nil, s.agent
		for _, t := range s.agent.Tools() {
			s.entries = append(s.entries, protocol.ToolEntry{Name: t.Name, Description: t.Description, Parameters: []byte(t.Parameters)})
			s.names = append(s.names, t.Name)
		}
		slices.Sort(s.names)
	}
	return s.entries, s.names
}

// countTime bounds how long a status waits for the number of memories.
const countTime = 200 * time.Millisecond

func (p *parts) remembered() protocol.MemoryState {
	s := p.current.Load()
	if !s.config.Memory.Enabled {
		return protocol.MemoryState{}
	}
	n, recent := s.memory.Counted()
	if !recent {
		ctx, cancel := context.WithTimeout(context.Background(), countTime)
		defer cancel()
		now, err := s.memory.Count(ctx)
		switch {
		case err == nil:
			n = now
		case ctx.Err() == nil: // else its index is being made, and the last number has to do
			s.logger.Warn("memory cannot be counted", "err", err)
		}
	}
	return protocol.MemoryState{Entries: n}
}

// modelsFunc makes the models that a configuration describes.
type modelsFunc func(*config.Config) (*model.Set, error)

// sortedNames returns the names of a configuration's map in a fixed order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
