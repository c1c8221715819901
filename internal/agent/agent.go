// Package agent runs one turn: it asks the model, runs the tools the model
// calls, tells the model what came of them, and goes on until the model has
// answered.
//
// A turn is a sequence of events that the caller pulls. Each event is final
// when it is yielded, and the turn goes on only when the caller asks for the
// next one: whoever iterates decides what must have happened before a tool
// starts (see package session, which commits each event). The package keeps
// nothing between turns and knows of no client, store or queue.
package agent

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// Choice is a model to call and the API's own name for it.
type Choice struct {
	Provider string
	Name     string
	Model    openclaw.Model
	// Account tells endpoints of one provider apart, such as two keys; "" is
	// the provider's own.
	Account string
}

// String is provider/model.
func (c Choice) String() string { return c.Provider + "/" + c.Name }

func (c Choice) target() target { return target{c.Provider, c.Account, c.Name} }

// Models finds the model for a turn.
type Models interface {
	// Resolve takes "", "model" or "provider/model". It fails with
	// MODEL_NOT_FOUND.
	Resolve(name string) (Choice, error)
}

// Limits bound one turn.
type Limits struct {
	ModelCalls int           // default 50; the next one fails the turn with TURN_LIMIT
	Duration   time.Duration // default 10 minutes; enforced by the caller's context
	Repeats    int           // default 3: so many equal calls with equal results fail it with LOOP_DETECTED
}

// Config is what an Agent is made of.
type Config struct {
	Models Models          // required
	Tools  []openclaw.Tool // what the model may call
	// Fallback are the models that take over, in order, when the one chosen for
	// a turn fails.
	Fallback []Choice
	Retry    Retry
	// Cooldowns are shared by agents that follow one another; default: none
	// are.
	Cooldowns *Cooldowns
	Budget    Budget // default: no bounds and no prices
	// System is the instruction text; the same for every turn, so that the
	// providers' prompt caches hold.
	System string
	// Identity takes the place of System in heartbeats that see nothing of a
	// conversation: they come often, and their task says all they need. "":
	// System.
	Identity    string
	MaxTokens   int      // the most a model writes in one answer; 0: the adapter's default
	Temperature *float64 // nil: the API's default
	Thinking    string   // the default of TurnOptions.Thinking
	// CompactAt is the part of the model's context window at which older turns
	// are summed up; default 0.8.
	CompactAt float64
	Limits    Limits
	Logger    *slog.Logger     // default: discards
	Now       func() time.Time // default: time.Now, in UTC
	Chance    func() float64   // for waits; in [0, 1); default: math/rand
}

// Agent performs turns. It is safe for concurrent use and never changes; a new
// configuration makes a new Agent.
type Agent struct {
	config Config
	tools  map[string]openclaw.Tool
	specs  []openclaw.ToolSpec // sorted by name
}

// New checks the configuration. Two tools of one name are an error.
func New(config Config) (*Agent, error) {
	if config.Models == nil {
		return nil, errors.New("agent: Config.Models is required")
	}
	config.Limits.fill()
	if config.CompactAt <= 0 || config.CompactAt > 1 {
		config.CompactAt = 0.8
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = func() time.Time { return time.Now().UTC() }
	}
	config.Retry.fill()
	if config.Cooldowns == nil {
		config.Cooldowns = NewCooldowns(config.Now)
	}
	if config.Budget == nil {
		config.Budget = unbounded{}
	}
	if config.Chance == nil {
		config.Chance = rand.Float64
	}
	a := &Agent{config: config, tools: make(map[string]openclaw.Tool, len(config.Tools))}
	for _, tool := range config.Tools {
		spec := tool.Spec()
		if _, taken := a.tools[spec.Name]; taken {
			return nil, errors.New("agent: two tools are called " + spec.Name)
		}
		a.tools[spec.Name] = tool
		a.specs = append(a.specs, spec)
	}
	slices.SortFunc(a.specs, func(x, y openclaw.ToolSpec) int { return strings.Compare(x.Name, y.Name) })
	return a, nil
}

func (l *Limits) fill() {
	if l.ModelCalls <= 0 {
		l.ModelCalls = 50
	}
	if l.Duration <= 0 {
		l.Duration = 10 * time.Minute
	}
	if l.Repeats <= 0 {
		l.Repeats = 3
	}
}

// Limits returns the bounds in force, defaults filled in.
func (a *Agent) Limits() Limits { return a.config.Limits }

// Tools returns what the model is told of the tools, sorted by name. The
// caller only reads the slice.
func (a *Agent) Tools() []openclaw.ToolSpec { return a.specs }

// Turn is what Run starts from.
type Turn struct {
	Session string
	Started openclaw.TurnStarted
	// Transcript is the conversation up to and including the turn's own
	// events. Run adds to it what it yields; nobody else may touch it until
	// Run has returned.
	Transcript *Transcript
	// Past are the events the turn already has after its TurnStarted, when it
	// is taken up again after a stop of the gateway.
	Past []openclaw.Event
	// Stored is the sequence number of the newest event of the turn that is
	// stored. The caller sets it whenever it stores one, before it asks for
	// the next event; nil: it stores none.
	Stored *int64
	// Used is set to what the turn's model calls have used so far, those of
	// Past included, and is right however the turn ends. It may be nil; nobody
	// else may touch it until Run has returned.
	Used *openclaw.Usage
	// Due is set to the charges that no event has carried yet: the event that
	// ends the turn has to. The same holds for it as for Used.
	Due *[]openclaw.Charge
	// Asker gets the questions of the turn's tools; nil: nobody can be asked.
	Asker openclaw.Asker
}

// Run performs the turn, or the rest of it. It yields Delta, TextWritten,
// ToolCalled, ToolReturned, ModelSwitched, Compacted and, as the last event of
// a turn that succeeds, TurnCompleted; the caller fills in Session, Seq and
// RequestID. An error ends
// the turn instead: an *openclaw.Error, or the cause of ctx. Run blocks in the
// model and the tools and has ended both when it returns.
func (a *Agent) Run(ctx context.Context, in Turn) iter.Seq2[openclaw.Event, error] {
	return func(yield func(openclaw.Event, error) bool) {
		t := &turn{agent: a, in: in, yield: yield, began: a.config.Now(), used: in.Used, due: in.Due, repeats: map[string]int{}}
		if err := t.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(openclaw.Event{}, err)
		}
	}
}

// offered returns the tools of a turn, sorted by name.
func (a *Agent) offered(o openclaw.TurnOptions) []openclaw.ToolSpec {
	if !o.NoMemory && o.Tools == nil {
		return a.specs
	}
	return slices.DeleteFunc(slices.Clone(a.specs), func(s openclaw.ToolSpec) bool {
		return s.Memory && o.NoMemory || o.Tools != nil && !slices.Contains(o.Tools, s.Name)
	})
}
