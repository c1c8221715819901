// Package scripted is a model that says what a test or a benchmark tells it
// to, at once and without a network.
//
// A [Model] owns its script and, where asked, a record of the requests it got.
// It does not judge prompts, count tokens or keep time: usage, waiting and
// failures come from the script.
package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	openclaw "github.com/openclaw/openclaw-go"
)

// Step is what one call of the model says. The fields take effect in the order
// they stand here. The zero value ends the answer with StopEnd and no text.
type Step struct {
	// Check looks at the request; its error fails the call.
	Check func(req *openclaw.Request) error
	// Wait holds the call until the channel is closed or the call's context
	// ends.
	Wait <-chan struct{}
	// Block holds the call until it returns; its error ends the call.
	Block func(ctx context.Context) error

	Thinking string   // a thinking part
	Deltas   []string // the text as it is written; empty: Text in one piece
	Text     string   // a text part; empty: the deltas joined
	Calls    []openclaw.Call

	// Err ends the call after all of the above, as a broken stream does: the
	// deltas come, the text part only if a call follows it.
	Err error

	Stop  openclaw.StopReason // empty: StopToolCall if there are Calls, else StopEnd
	Usage openclaw.Usage
	Model string // who answers; empty: the model that was asked
}

// Model is an openclaw.Model that follows a script. It is safe for concurrent
// use: concurrent calls take steps in the order they begin.
type Model struct {
	next  func(ctx context.Context, req *openclaw.Request, call int) (Step, error)
	calls atomic.Int64

	mu       sync.Mutex
	keep     int
	requests []*openclaw.Request
}

// kept is how many requests New and Func record.
const kept = 1000

// New returns a model that says one step per call, and after the last one
// fails with an error that says so. It records its requests.
func New(steps ...Step) *Model {
	steps = slices.Clone(steps)
	return &Model{keep: kept, next: func(_ context.Context, _ *openclaw.Request, call int) (Step, error) {
		if call > len(steps) {
			return Step{}, &openclaw.Error{
				Code:    openclaw.CodeModelError,
				Message: fmt.Sprintf("the script has %d steps and this is call %d; add a step", len(steps), call),
			}
		}
		return steps[call-1], nil
	}}
}

// Forever returns a model that says the same at every call. It records no
// requests, unless Keep asks for them: benchmarks use it.
func Forever(step Step) *Model {
	return &Model{next: func(context.Context, *openclaw.Request, int) (Step, error) { return step, nil }}
}

// Func returns a model that says what fn returns. It records its requests. fn
// is called concurrently if the model is.
func Func(fn func(ctx context.Context, req *openclaw.Request) Step) *Model {
	return &Model{keep: kept, next: func(ctx context.Context, req *openclaw.Request, _ int) (Step, error) {
		return fn(ctx, req), nil
	}}
}

// Keep sets how many of the first requests are recorded; 0: none. It is called
// before the first Stream.
func (m *Model) Keep(n int) *Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep = n
	return m
}

// Calls returns how often Stream has begun.
func (m *Model) Calls() int { return int(m.calls.Load()) }

// Requests returns copies of the recorded requests, oldest first.
func (m *Model) Requests() []*openclaw.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

// Models implements openclaw.Model: a scripted model serves any name and lists
// "scripted".
func (m *Model) Models() []openclaw.ModelInfo { return []openclaw.ModelInfo{{ID: "scripted"}} }

// Stream implements openclaw.Model with the next step. It takes the step when
// the sequence is iterated, and blocks only where the step says so.
func (m *Model) Stream(ctx context.Context, req *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return func(yield func(openclaw.ModelEvent, error) bool) {
		call := int(m.calls.Add(1))
		m.record(req)
		step, err := m.next(ctx, req, call)
		if err == nil {
			err = step.hold(ctx, req)
		}
		if err == nil {
			err = step.say(ctx, call, yield)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(openclaw.ModelEvent{}, err)
		}
	}
}

// errStopped says that the caller broke out of the loop.
var errStopped = errors.New("the caller stopped listening")

func (m *Model) record(req *openclaw.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.requests) >= m.keep {
		return
	}
	// The caller goes on using the slices, so the record needs its own.
	copied := *req
	copied.Tools = slices.Clone(req.Tools)
	copied.Messages = slices.Clone(req.Messages)
	for i := range copied.Messages {
		copied.Messages[i].Parts = slices.Clone(copied.Messages[i].Parts)
	}
	m.requests = append(m.requests, &copied)
}

// hold does what a step does before it speaks.
func (s *Step) hold(ctx context.Context, req *openclaw.Request) error {
	if s.Check != nil {
		if err := s.Check(req); err != nil {
			return &openclaw.Error{Code: openclaw.CodeModelError, Message: "the request is not what the script expects", Err: err}
		}
	}
	if s.Wait != nil {
		select {
		case <-s.Wait:
		case <-ctx.Done():
		}
	}
	if s.Block != nil {
		if err := s.Block(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// say yields the events of a step.
func (s *Step) say(ctx context.Context, call int, yield func(openclaw.ModelEvent, error) bool) error {
	emit := func(ev openclaw.ModelEvent) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !yield(ev, nil) {
			return errStopped
		}
		return nil
	}
	if s.Thinking != "" {
		if err := emit(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartThinking, Text: s.Thinking, Provider: "scripted"}}); err != nil {
			return err
		}
	}
	if err := s.write(emit); err != nil {
		return err
	}
	for i := range s.Calls {
		if err := emit(openclaw.ModelEvent{Part: s.callPart(call, i)}); err != nil {
			return err
		}
	}
	if s.Err != nil {
		return s.Err
	}
	return emit(openclaw.ModelEvent{Stop: s.stop(), Usage: s.Usage, Model: s.Model})
}

// write yields the text.
func (s *Step) write(emit func(openclaw.ModelEvent) error) error {
	if len(s.Deltas) == 0 && s.Text != "" {
		if err := emit(openclaw.ModelEvent{Delta: s.Text}); err != nil {
			return err
		}
	}
	for _, d := range s.Deltas {
		if d == "" {
			continue // no event has an empty delta
		}
		if err := emit(openclaw.ModelEvent{Delta: d}); err != nil {
			return err
		}
	}
	text := s.Text
	if text == "" {
		text = strings.Join(s.Deltas, "")
	}
	if text == "" || s.Err != nil && len(s.Calls) == 0 {
		return nil
	}
	return emit(openclaw.ModelEvent{Part: &openclaw.Part{Kind: openclaw.PartText, Text: text}})
}

// callPart copies a call and fills in what the script left out: an id unique
// within the model, and empty arguments.
func (s *Step) callPart(call, i int) *openclaw.Part {
	c := s.Calls[i]
	if c.ID == "" {
		c.ID = fmt.Sprintf("call_%d_%d", call, i+1)
	}
	if len(c.Args) == 0 {
		c.Args = json.RawMessage(`{}`)
	}
	return &openclaw.Part{Kind: openclaw.PartToolCall, Call: &c}
}

func (s *Step) stop() openclaw.StopReason {
	switch {
	case s.Stop != "":
		return s.Stop
	case len(s.Calls) > 0:
		return openclaw.StopToolCall
	}
	return openclaw.StopEnd
}
