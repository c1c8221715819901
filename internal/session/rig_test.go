package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
	"github.com/openclaw/openclaw-go/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a hub on a store, with a model and tools that do what the text of a
// request says.
type rig struct {
	t     *testing.T
	store *memory
	hub   *session.Hub
	model *scripted.Model
	hold  chan struct{} // closed: slow models and tools go on
	log   bytes.Buffer

	starts chan string // the name of each tool that begins, as long as there is room

	mu      sync.Mutex
	late    int      // hold the agent at so many looks at its clock from now; 0: never
	ran     []string // the calls of tools that began, by name
	callers []*caller
}

// inBubble runs a test on a rig of its own, in which time stands still. When
// the bubble ends no goroutine of the hub is left, or the test fails.
func inBubble(t *testing.T, change func(*session.Config), test func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newMemory(), change)
		test(r)
		r.close()
	})
}

func newRig(t *testing.T, store *memory, change func(*session.Config)) *rig {
	r := &rig{t: t, store: store, hold: make(chan struct{}), starts: make(chan string, 16)}
	r.model = scripted.Func(r.answer)
	a, err := agent.New(agent.Config{Models: r, Tools: r.tools(), Now: r.now})
	if err != nil {
		t.Fatal(err)
	}
	config := session.Config{
		Store: store, Agent: func() *agent.Agent { return a },
		Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	if r.hub, err = session.NewHub(config); err != nil {
		t.Fatal(err)
	}
	return r
}

// close drains the hub at once and checks what must hold after any test.
func (r *rig) close() {
	r.t.Helper()
	r.stop()
	r.store.checkLogs(r.t)
	for _, c := range r.callers {
		if n := len(c.outcomes()); n != 1 {
			r.t.Errorf("request %s was completed %d times", c.id, n)
		}
	}
	if s := r.hub.Stats(); s != (session.Stats{}) {
		r.t.Errorf("after Drain: %+v", s)
	}
}

// stop is a shutdown that gives running turns no time.
func (r *rig) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.hub.Drain(ctx)
}

func (r *rig) Resolve(string) (agent.Choice, error) {
	return agent.Choice{Name: "scripted", Model: r.model}, nil
}

// answer is the model: it obeys the newest message of the user, and has said
// all it wants once it hears of a tool's result.
func (r *rig) answer(_ context.Context, req *openclaw.Request) scripted.Step {
	spent := openclaw.Usage{Input: 10, Output: 1}
	last := req.Messages[len(req.Messages)-1]
	if last.Role == openclaw.RoleTool {
		if longRequest(req) {
			return scripted.Step{Err: &openclaw.Error{Code: openclaw.CodeContextOverflow, Message: "too long"}}
		}
		return scripted.Step{Text: "used it", Usage: spent}
	}
	verb, rest, _ := strings.Cut(last.Parts[0].Text, " ")
	switch verb {
	case "fail":
		return scripted.Step{Err: &openclaw.Error{Code: openclaw.CodeModelError, Message: "no", Err: errors.New("private")}}
	case "panic":
		return scripted.Step{Check: func(*openclaw.Request) error { panic("model") }}
	case "slow":
		return scripted.Step{Wait: r.hold, Text: "at last", Usage: spent}
	case "late": // holds the agent when it has the whole answer
		r.mu.Lock()
		r.late = 2 // the first look is for the delta
		r.mu.Unlock()
		return scripted.Step{Text: "at last", Usage: spent}
	case "use":
		step := scripted.Step{Text: "let me see", Usage: spent}
		for name := range strings.FieldsSeq(rest) {
			step.Calls = append(step.Calls, openclaw.Call{Tool: name, Args: json.RawMessage(`{}`)})
		}
		return step
	}
	return scripted.Step{Deltas: []string{"re: ", last.Parts[0].Text}, Usage: spent}
}

// longRequest says whether the turn that uses the tool overflow has not been
// compacted yet.
func longRequest(req *openclaw.Request) bool {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Kind == openclaw.PartText && strings.HasSuffix(p.Text, "overflow") {
				return m.Role == openclaw.RoleUser
			}
		}
	}
	return false
}

// now is the agent's clock, which can hold it where no model or tool could.
func (r *rig) now() time.Time {
	r.mu.Lock()
	wait := r.late == 1
	r.late = max(r.late-1, 0)
	r.mu.Unlock()
	if wait {
		<-r.hold
	}
	return time.Now()
}

func (r *rig) tools() []openclaw.Tool {
	return []openclaw.Tool{
		r.tool("echo", func(context.Context) (string, error) { return "echoed", nil }),
		r.tool("overflow", func(context.Context) (string, error) { return "much", nil }),
		r.tool("broken", func(context.Context) (string, error) { panic("tool") }),
		r.tool("deaf", func(context.Context) (string, error) { <-r.hold; return "heard nothing", nil }),
		r.tool("wait", func(ctx context.Context) (string, error) {
			select {
			case <-r.hold:
				return "waited", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}),
		careful{r},
	}
}

// careful is a tool that asks before it runs, and may take a minute to be
// answered.
type careful struct{ r *rig }

func (careful) Spec() openclaw.ToolSpec { return openclaw.ToolSpec{Name: "careful"} }
func (c careful) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	answer, err := call.Asker.Ask(ctx, openclaw.ApprovalRequested{CallID: call.ID, Tool: call.Tool, Args: call.Args, Reason: "why"}, time.Minute)
	if err != nil {
		return nil, err
	}
	if answer.Decision != openclaw.DecideDeny {
		c.r.mu.Lock()
		c.r.ran = append(c.r.ran, "careful")
		c.r.mu.Unlock()
	}
	return &openclaw.Result{Output: answer.Decision + " by " + answer.By}, nil
}

type tool struct {
	name string
	run  func(ctx context.Context) (string, error)
}

func (r *rig) tool(name string, run func(ctx context.Context) (string, error)) openclaw.Tool {
	return tool{name, func(ctx context.Context) (string, error) {
		r.mu.Lock()
		r.ran = append(r.ran, name)
		r.mu.Unlock()
		select {
		case r.starts <- name:
		default:
		}
		return run(ctx)
	}}
}

func (t tool) Spec() openclaw.ToolSpec { return openclaw.ToolSpec{Name: t.name} }
func (t tool) Run(ctx context.Context, _ *openclaw.Call) (*openclaw.Result, error) {
	output, err := t.run(ctx)
	if err != nil {
		return nil, err
	}
	return &openclaw.Result{Output: output}, nil
}

// used returns the tools that ran.
func (r *rig) used() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.ran...)
}

// caller is an Observer that remembers everything.
type caller struct {
	id   string
	done chan struct{}

	mu     sync.Mutex
	events []openclaw.Event
	ends   []session.Outcome
}

func (c *caller) Event(d *session.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, d.Event)
}

func (c *caller) Done(o session.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends = append(c.ends, o); len(c.ends) == 1 {
		close(c.done)
	}
}

func (c *caller) outcomes() []session.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]session.Outcome(nil), c.ends...)
}

func (c *caller) seen() []openclaw.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]openclaw.Event(nil), c.events...)
}

// wait returns the outcome.
func (c *caller) wait() session.Outcome {
	<-c.done
	return c.outcomes()[0]
}

// code waits and returns "" or the code of the failure.
func (c *caller) code() openclaw.Code {
	if err := c.wait().Err; err != nil {
		return err.Code
	}
	return ""
}

func (c *caller) finished() bool { return len(c.outcomes()) > 0 }

// say submits a text to session main.
func (r *rig) say(text string) *caller { return r.submit("main", openclaw.TurnStarted{Text: text}) }

func (r *rig) submit(name string, started openclaw.TurnStarted) *caller {
	r.mu.Lock()
	c := &caller{id: fmt.Sprint("r", len(r.callers)+1), done: make(chan struct{})}
	r.callers = append(r.callers, c)
	r.mu.Unlock()
	r.hub.Submit(session.Request{Session: name, ID: c.id, Started: started, Observer: c})
	return c
}

// works checks that the session is usable: the next turn completes, and its
// model reads exactly what the log says.
func (r *rig) works(name string) {
	r.t.Helper()
	o := r.submit(name, openclaw.TurnStarted{Text: "still there?"}).wait()
	if o.Err != nil || o.Text != "re: still there?" {
		r.t.Fatalf("the next turn: %q, %v", o.Text, o.Err)
	}
	log := r.store.log(name)
	requests := r.model.Requests()
	want := transcriptOf(log[:o.Seq-2]) // without the answer
	if diff := cmp.Diff(want, requests[len(requests)-1].Messages); diff != "" {
		r.t.Errorf("the next turn does not read what the log says (-log +read):\n%s", diff)
	}
}

// kinds returns the kinds of events, without deltas.
func kinds(events []openclaw.Event) string {
	var out []string
	for _, ev := range events {
		if ev.Kind() != openclaw.KindDelta {
			out = append(out, string(ev.Kind()))
		}
	}
	return strings.Join(out, " ")
}

func (r *rig) wantLog(name, want string) {
	r.t.Helper()
	if got := kinds(r.store.log(name)); got != want {
		r.t.Errorf("log of %s:\n got %s\nwant %s", name, got, want)
	}
}

// cancel cancels, waits until that has happened and returns how many turns it
// were.
func (r *rig) cancel(name string, match func(id string, o session.Observer) bool) int {
	return <-r.cancelling(name, match)
}

// cancelling is cancel for turns that do not stop at once.
func (r *rig) cancelling(name string, match func(id string, o session.Observer) bool) <-chan int {
	found := make(chan int, 1)
	r.hub.Cancel(name, "test", match, func(n int, err error) {
		if err != nil {
			r.t.Errorf("Cancel: %v", err)
		}
		found <- n
	})
	return found
}

func all(string, session.Observer) bool { return true }

// reply waits for what Reset and Delete say.
func reply(f func(name string, reply func(error)), name string) error {
	answer := make(chan error, 1)
	f(name, func(err error) { answer <- err })
	return <-answer
}
