package openclaw

import (
	"context"
	"encoding/json"
	"iter"
)

// Model is one model API at one endpoint: the Anthropic API, an
// OpenAI-compatible server, the built-in offline model. Implementations are
// safe for concurrent use.
type Model interface {
	// Stream sends req and yields what comes back as it arrives: any number of
	// Delta events, the finished Parts in the order the model wrote them, and
	// at the end exactly one event whose Stop is set. An error ends the
	// sequence; it is an *Error whose code says what went wrong
	// (MODEL_NOT_FOUND, MODEL_UNAVAILABLE, MODEL_ERROR, CONTEXT_OVERFLOW), or
	// ctx's own error. Stream blocks until the model has answered, ctx ends or
	// the caller stops iterating; in each case it has released the connection
	// when it returns.
	Stream(ctx context.Context, req *Request) iter.Seq2[ModelEvent, error]

	// Models lists what this endpoint serves, as far as it is known without
	// asking over the network.
	Models() []ModelInfo
}

// ModelInfo describes one model of a provider.
type ModelInfo struct {
	ID            string
	ContextWindow int // in tokens; 0: not known
	MaxTokens     int // the most it can write in one answer; 0: not known
}

// Request is one call of a model.
type Request struct {
	Model     string // the API's own name of the model
	System    string // instructions; the same bytes from turn to turn, so that caches hold
	Messages  []Message
	Tools     []ToolSpec // sorted by name
	MaxTokens int        // the most to write; 0: the adapter's default

	// Temperature is nil for the API's own default.
	Temperature *float64
	// Thinking is "", "off", "low", "medium" or "high".
	Thinking string
}

// ModelEvent is one thing a model said. Exactly one of Delta, Part and Stop is
// set; Usage and Model come with Stop.
type ModelEvent struct {
	Delta string     // text as it is being written; repeated, whole, in a later Part
	Part  *Part      // a finished part: text, thinking or tool call
	Stop  StopReason // why the model stopped: the last event
	Usage Usage      // what the call cost
	Model string     // who answered, if that differs from Request.Model
}

// StopReason says why a model stopped writing.
type StopReason string

// The reasons every API's own words are translated to.
const (
	StopEnd      StopReason = "end"       // it had said what it wanted to say
	StopToolCall StopReason = "tool_call" // it waits for the results of its calls
	StopLength   StopReason = "length"    // MaxTokens was reached
	StopFilter   StopReason = "filter"    // the API refused or cut the answer
)

// Usage counts the tokens of one or more model calls.
type Usage struct {
	// Input is the whole prompt, including what CacheRead and CacheWrite count.
	Input  int `json:"input"`
	Output int `json:"output"`
	// CacheRead and CacheWrite say how much of Input was read from and written
	// to the provider's prompt cache.
	CacheRead  int     `json:"cache_read"`
	CacheWrite int     `json:"cache_write"`
	CostUSD    float64 `json:"cost_usd"`
}

// Total is input plus output: the protocol's tokens_used.
func (u Usage) Total() int { return u.Input + u.Output }

// Add returns the sum of both.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		Input:      u.Input + v.Input,
		Output:     u.Output + v.Output,
		CacheRead:  u.CacheRead + v.CacheRead,
		CacheWrite: u.CacheWrite + v.CacheWrite,
		CostUSD:    u.CostUSD + v.CostUSD,
	}
}

// ToolSpec is what a model is told of a tool.
type ToolSpec struct {
	Name        string          `json:"name"` // [a-z0-9_]{1,64}
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"` // a JSON Schema of type object

	// Memory marks a tool that reads or writes the long-term memory: it is not
	// offered in a turn with TurnOptions.NoMemory.
	Memory bool `json:"-"`
	// Repeatable marks a tool whose calls may run twice without harm: one that
	// was running when the gateway stopped is run again, where any other is
	// reported as of unknown outcome.
	Repeatable bool `json:"-"`
}
