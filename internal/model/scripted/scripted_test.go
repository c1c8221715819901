package scripted_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func collect(ctx context.Context, m openclaw.Model, req *openclaw.Request) (events []openclaw.ModelEvent, err error) {
	for ev, e := range m.Stream(ctx, req) {
		if e != nil {
			return events, e
		}
		events = append(events, ev)
	}
	return events, nil
}

func part(p openclaw.Part) openclaw.ModelEvent { return openclaw.ModelEvent{Part: &p} }

func textPart(s string) openclaw.ModelEvent {
	return part(openclaw.Part{Kind: openclaw.PartText, Text: s})
}

func TestSteps(t *testing.T) {
	broken := errors.New("broken")
	usage := openclaw.Usage{Input: 3, Output: 2}
	for _, tc := range []struct {
		name string
		step scripted.Step
		want []openclaw.ModelEvent
		err  error
	}{
		{"nothing", scripted.Step{}, []openclaw.ModelEvent{{Stop: openclaw.StopEnd}}, nil},
		{
			"text", scripted.Step{Text: "Hi", Usage: usage, Model: "other"},
			[]openclaw.ModelEvent{{Delta: "Hi"}, textPart("Hi"), {Stop: openclaw.StopEnd, Usage: usage, Model: "other"}}, nil,
		},
		{
			"deltas", scripted.Step{Deltas: []string{"a", "", "b"}, Stop: openclaw.StopLength},
			[]openclaw.ModelEvent{{Delta: "a"}, {Delta: "b"}, textPart("ab"), {Stop: openclaw.StopLength}}, nil,
		},
		{
			"calls", scripted.Step{Thinking: "hm", Text: "x", Calls: []openclaw.Call{{Tool: "shell"}, {ID: "mine", Tool: "shell", Args: json.RawMessage(`{"a":1}`)}}},
			[]openclaw.ModelEvent{
				part(openclaw.Part{Kind: openclaw.PartThinking, Text: "hm", Provider: "scripted"}),
				{Delta: "x"}, textPart("x"),
				part(openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "call_1_1", Tool: "shell", Args: json.RawMessage(`{}`)}}),
				part(openclaw.Part{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "mine", Tool: "shell", Args: json.RawMessage(`{"a":1}`)}}),
				{Stop: openclaw.StopToolCall},
			}, nil,
		},
		{"error", scripted.Step{Deltas: []string{"half"}, Err: broken}, []openclaw.ModelEvent{{Delta: "half"}}, broken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := collect(t.Context(), scripted.New(tc.step), &openclaw.Request{})
			if !errors.Is(err, tc.err) {
				t.Errorf("error %v; want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestScriptEnds(t *testing.T) {
	m := scripted.New(scripted.Step{Text: "only"})
	if _, err := collect(t.Context(), m, &openclaw.Request{}); err != nil {
		t.Fatal(err)
	}
	_, err := collect(t.Context(), m, &openclaw.Request{})
	if openclaw.CodeOf(err) != openclaw.CodeModelError || !strings.Contains(err.Error(), "1 steps and this is call 2") {
		t.Errorf("error %v; want one that says the script is over", err)
	}
}

func TestCheck(t *testing.T) {
	no := errors.New("no system text")
	m := scripted.Forever(scripted.Step{Check: func(r *openclaw.Request) error {
		if r.System == "" {
			return no
		}
		return nil
	}})
	if _, err := collect(t.Context(), m, &openclaw.Request{}); !errors.Is(err, no) {
		t.Errorf("error %v; want that of the check", err)
	}
	if _, err := collect(t.Context(), m, &openclaw.Request{System: "x"}); err != nil {
		t.Error(err)
	}
}

func TestHolding(t *testing.T) {
	wait := make(chan struct{})
	entered := make(chan struct{})
	m := scripted.New(
		scripted.Step{Wait: wait, Text: "waited"},
		scripted.Step{Wait: make(chan struct{})},
		scripted.Step{Block: func(ctx context.Context) error {
			close(entered)
			<-ctx.Done()
			return context.Cause(ctx)
		}},
	)
	close(wait)
	if events, err := collect(t.Context(), m, &openclaw.Request{}); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v; want an answer once the channel is closed", len(events), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := collect(ctx, m, &openclaw.Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v while waiting; want the context's", err)
	}
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	go func() { <-entered; stop(enough) }()
	if _, err := collect(ctx, m, &openclaw.Request{}); !errors.Is(err, enough) {
		t.Errorf("error %v; want the block's", err)
	}
}

// A request is recorded as it was, whatever its owner does to it afterwards.
func TestRequests(t *testing.T) {
	m := scripted.Func(func(_ context.Context, r *openclaw.Request) scripted.Step {
		return scripted.Step{Text: r.Model}
	}).Keep(2)
	req := &openclaw.Request{Model: "first", Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, "one")}}
	for range 3 {
		if _, err := collect(t.Context(), m, req); err != nil {
			t.Fatal(err)
		}
		req.Model = "later"
		req.Messages[0].Parts[0].Text = "changed"
	}
	got := m.Requests()
	if len(got) != 2 || m.Calls() != 3 {
		t.Fatalf("%d requests recorded of %d; want the first 2 of 3", len(got), m.Calls())
	}
	want := &openclaw.Request{Model: "first", Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, "one")}}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(scripted.Forever(scripted.Step{}).Requests()); n != 0 {
		t.Errorf("Forever recorded %d requests", n)
	}
}

func TestConcurrentCallsShareTheScript(t *testing.T) {
	const n = 50
	steps := make([]scripted.Step, n)
	for i := range steps {
		steps[i].Calls = []openclaw.Call{{Tool: "shell"}}
	}
	m := scripted.New(steps...)
	ids := make(chan string, n)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			events, err := collect(t.Context(), m, &openclaw.Request{})
			if err != nil {
				t.Error(err)
				return
			}
			ids <- events[0].Part.Call.ID
		})
	}
	wg.Wait()
	close(ids)
	seen := map[string]bool{}
	for id := range ids {
		seen[id] = true
	}
	if len(seen) != n {
		t.Errorf("%d different call ids in %d calls", len(seen), n)
	}
}

func TestBreak(t *testing.T) {
	for range scripted.Forever(scripted.Step{Thinking: "t", Text: "x", Calls: []openclaw.Call{{}}}).Stream(t.Context(), &openclaw.Request{}) {
		break
	}
}

func BenchmarkForever(b *testing.B) {
	m := scripted.Forever(scripted.Step{Text: "An answer of some length."})
	req := &openclaw.Request{}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range m.Stream(b.Context(), req) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
