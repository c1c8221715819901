package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

var goodSummary = scripted.Step{Text: "## Goal\nkeep the boat afloat", Usage: openclaw.Usage{Input: 100, Output: 10}}

func overflow() error {
	return &openclaw.Error{Code: openclaw.CodeContextOverflow, Message: "the conversation is too long"}
}

func lastRequest(m *sized) *openclaw.Request {
	all := m.Requests()
	return all[len(all)-1]
}

func TestCompaction(t *testing.T) {
	m := newSized(4000, goodSummary, func(*openclaw.Request) scripted.Step {
		return scripted.Step{Text: strings.Repeat("water ", 100), Usage: openclaw.Usage{Output: 1}}
	})
	k := newTalk(t, m)
	for i := range 20 {
		question := fmt.Sprintf("question %d %s", i, strings.Repeat("why ", 100))
		if _, err := k.say(t.Context(), asked(question)); err != nil {
			t.Fatal(err)
		}
		k.check(t)
		if !holds(lastRequest(m), fmt.Sprintf("question %d ", i)) {
			t.Fatalf("turn %d does not see its own question", i)
		}
	}
	found := k.compactions()
	if len(found) == 0 || m.summaries != len(found) {
		t.Fatalf("%d compactions, %d summaries", len(found), m.summaries)
	}
	last := found[len(found)-1]
	if !strings.Contains(last.Summary, "afloat") || last.Usage == nil || last.Usage.Output != 10 {
		t.Errorf("the compaction is %+v", last)
	}
	if !holds(lastRequest(m), "question 18") {
		t.Error("the turn before the last is not word for word")
	}
	if len(k.log) < 60 {
		t.Errorf("the log has %d events: some are gone", len(k.log))
	}
}

// The usage that an API reports counts more than any estimate.
func TestCompactionByReportedUsage(t *testing.T) {
	used := 0
	m := newSized(100_000, goodSummary, func(*openclaw.Request) scripted.Step {
		return scripted.Step{Text: "ok", Usage: openclaw.Usage{Input: used, Output: 5}}
	})
	k := newTalk(t, m)
	for _, used = range []int{1000, 79_000, 96_000} {
		if _, err := k.say(t.Context(), asked("hm")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(k.compactions()); n != 0 {
		t.Fatalf("%d compactions below the threshold", n)
	}
	end, err := k.say(t.Context(), asked("hm"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(k.compactions()); n != 1 {
		t.Fatalf("%d compactions, want 1", n)
	}
	// The turn pays for its summary.
	if got := end.(openclaw.TurnCompleted).Usage.Output; got != 15 {
		t.Errorf("the turn used %d tokens of output, want 15", got)
	}
	k.check(t)
}

// An API that counts far more than the estimate does not have the conversation
// compacted again at every step.
func TestCompactionOfDenseText(t *testing.T) {
	m := newSized(20_000, goodSummary, nil)
	m.Model = scripted.Func(func(_ context.Context, req *openclaw.Request) scripted.Step {
		if isSummary(req) {
			m.summaries++
			return goodSummary
		}
		return scripted.Step{Text: strings.Repeat("w ", 200), Usage: openclaw.Usage{Input: weight(req) * 2}} // eight times as much
	})
	k := newTalk(t, m)
	for range 60 {
		if _, err := k.say(t.Context(), asked(strings.Repeat("q ", 200))); err != nil {
			t.Fatal(err)
		}
		k.check(t)
	}
	if n := len(k.compactions()); n < 2 || n > 12 {
		t.Errorf("%d compactions in 60 turns", n)
	}
}

// Whatever the model makes of the request for a summary, the conversation goes
// on.
func TestSummaryFallback(t *testing.T) {
	blocked := scripted.Step{Block: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	for name, step := range map[string]scripted.Step{
		"fails":    {Err: errors.New("no")},
		"empty":    {Text: "  \n"},
		"calls":    {Calls: []openclaw.Call{call("echo", `{}`)}},
		"too long": {Text: strings.Repeat("blah ", 3000)},
		"hangs":    blocked,
		"endless":  {Deltas: strings.Split(strings.Repeat("x ", 9000), " ")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newSized(2000, step, func(*openclaw.Request) scripted.Step {
					return scripted.Step{Text: "## Hull\nI looked at ~/boat/hull.txt. Shall I go on?\n" + strings.Repeat("water ", 100)}
				})
				k := newTalk(t, m)
				for i := range 12 {
					if _, err := k.say(t.Context(), asked(fmt.Sprintf("question %d about the leak", i))); err != nil {
						t.Fatal(err)
					}
					k.check(t)
				}
				found := k.compactions()
				if len(found) == 0 {
					t.Fatal("no compaction")
				}
				for _, want := range []string{"without a model", "question 0 about the leak", "Hull", "hull.txt", "Shall I go on?"} {
					if !strings.Contains(found[0].Summary, want) {
						t.Errorf("the digest lacks %q:\n%s", want, found[0].Summary)
					}
				}
			})
		})
	}
}

func TestOverflowCompactsOnce(t *testing.T) {
	refusals := 0
	m := newSized(0, goodSummary, func(*openclaw.Request) scripted.Step {
		if refusals > 0 {
			refusals--
			return scripted.Step{Err: overflow()}
		}
		return scripted.Step{Text: strings.Repeat("water ", 50)}
	})
	k := newTalk(t, m)
	// Nothing to leave out: the turn says so.
	refusals = 1
	_, err := k.say(t.Context(), asked("first"))
	if openclaw.CodeOf(err) != openclaw.CodeContextOverflow || !strings.Contains(err.Error(), "alone is too long") {
		t.Fatalf("got %v", err)
	}
	for range 5 {
		if _, err := k.say(t.Context(), asked("next")); err != nil {
			t.Fatal(err)
		}
	}
	refusals = 1
	if _, err := k.say(t.Context(), asked("hello")); err != nil {
		t.Fatal(err)
	}
	if n := len(k.compactions()); n != 1 {
		t.Fatalf("%d compactions, want 1", n)
	}
	k.check(t)
	refusals = 2
	if _, err := k.say(t.Context(), asked("hello")); openclaw.CodeOf(err) != openclaw.CodeContextOverflow {
		t.Fatalf("refused twice: %v", err)
	}
	if _, err := k.say(t.Context(), asked("hello")); err != nil {
		t.Fatalf("the session is wedged: %v", err)
	}
	k.check(t)
}

// strict is a model that refuses more than its window, at three bytes a token.
func strict(window int, answer func(req *openclaw.Request) scripted.Step) *sized {
	return newSized(window, goodSummary, func(req *openclaw.Request) scripted.Step {
		if weight(req)/3 > window {
			return scripted.Step{Err: overflow()}
		}
		return answer(req)
	})
}

// A result that alone passes the window is cut, in the request and not in the
// log.
func TestHugeResult(t *testing.T) {
	huge := named("huge", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
		return &openclaw.Result{Output: "begin " + strings.Repeat("0123456789", 20_000) + " end"}, nil
	})
	m := strict(8000, func(req *openclaw.Request) scripted.Step {
		if req.Messages[len(req.Messages)-1].Role == openclaw.RoleTool {
			return scripted.Step{Text: "seen"}
		}
		return scripted.Step{Calls: []openclaw.Call{call("huge", `{}`), call("huge", `{"n":2}`)}}
	})
	k := newTalk(t, m, huge)
	for range 3 {
		if _, err := k.say(t.Context(), asked("read it")); err != nil {
			t.Fatal(err)
		}
		k.check(t)
		for _, want := range []string{"begin ", " end", "bytes left out here", "read it"} {
			if !holds(lastRequest(m), want) {
				t.Errorf("the request lacks %q", want)
			}
		}
	}
	for _, ev := range k.log {
		if r, ok := ev.Body.(openclaw.ToolReturned); ok && len(r.Output) < 200_000 {
			t.Errorf("the log has %d bytes of a result", len(r.Output))
		}
	}
}

// Results are cut in a conversation that begins with a summary, which stays.
func TestHugeResultAfterSummary(t *testing.T) {
	huge := named("huge", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
		return &openclaw.Result{Output: strings.Repeat("0123456789", 20_000)}, nil
	})
	n := 0
	m := strict(8000, func(req *openclaw.Request) scripted.Step {
		if holds(req, "word for word") && !holds(req, "read it all") {
			return scripted.Step{Err: errors.New("the request is gone")}
		}
		if n%4 == 3 {
			n++
			return scripted.Step{Text: "seen"}
		}
		n++
		return scripted.Step{Calls: []openclaw.Call{call("huge", fmt.Sprintf(`{"n":%d}`, n))}}
	})
	k := newTalk(t, m, huge)
	for _, text := range []string{"read it all", "/compact", "read it all", "read it all"} {
		if _, err := k.say(t.Context(), asked(text)); err != nil {
			t.Fatal(err)
		}
		k.check(t)
	}
	for _, c := range k.compactions() {
		if c.BeforeSeq <= 0 {
			t.Errorf("a compaction keeps nothing: %+v", c)
		}
	}
}

// A message that alone passes the window fails its turn, not the session.
func TestHugeMessage(t *testing.T) {
	m := strict(8000, func(*openclaw.Request) scripted.Step { return scripted.Step{Text: "ok"} })
	k := newTalk(t, m)
	for range 2 {
		_, err := k.say(t.Context(), asked(strings.Repeat("all of it ", 10_000)))
		if openclaw.CodeOf(err) != openclaw.CodeContextOverflow {
			t.Fatalf("got %v", err)
		}
		if _, err := k.say(t.Context(), asked("shorter")); err != nil {
			t.Fatalf("wedged: %v", err)
		}
		k.check(t)
	}
}

// A turn of many steps is compacted while it runs and keeps its request.
func TestCompactionWithinATurn(t *testing.T) {
	n := 0
	look := named("look", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
		return &openclaw.Result{Output: fmt.Sprintf("%d %s", n, strings.Repeat("fish ", 200))}, nil
	})
	m := strict(4000, func(req *openclaw.Request) scripted.Step {
		if n++; n >= 40 {
			return scripted.Step{Text: "all seen"}
		}
		if !holds(req, "count every fish in the sea") {
			return scripted.Step{Err: errors.New("the request is gone")}
		}
		return scripted.Step{Text: "next", Calls: []openclaw.Call{call("look", fmt.Sprintf(`{"n":%d}`, n))}}
	})
	k := newTalk(t, m, look)
	end, err := k.say(t.Context(), asked("count every fish in the sea"))
	if err != nil {
		t.Fatal(err)
	}
	if done, ok := end.(openclaw.TurnCompleted); !ok || done.Text != "all seen" {
		t.Fatalf("ended with %+v", end)
	}
	if n := len(k.compactions()); n < 2 || n > 20 {
		t.Errorf("%d compactions", n)
	}
	k.check(t)
	crashEverywhere(t, k, m, look)
}

// crashEverywhere takes the turn up again after each of its events.
func crashEverywhere(t *testing.T, k *talk, m openclaw.Model, tools ...openclaw.Tool) {
	started := k.log[0].Body.(openclaw.TurnStarted)
	for i := 1; i < len(k.log); i++ {
		again := newTalk(t, m, tools...)
		again.log = append(again.log, k.log[:i]...)
		again.live = fromLog(again.log)
		if _, err := again.run(t.Context(), started, again.log[1:]); err != nil {
			t.Fatalf("after event %d (%s): %v", i, k.log[i-1].Kind(), err)
		}
		again.check(t)
	}
}

func TestCompactCommand(t *testing.T) {
	m := newSized(0, goodSummary, func(*openclaw.Request) scripted.Step { return scripted.Step{Text: "fine"} })
	k := newTalk(t, m)
	say := func(text string) string {
		t.Helper()
		end, err := k.say(t.Context(), asked(text))
		if err != nil {
			t.Fatal(err)
		}
		k.check(t)
		return end.(openclaw.TurnCompleted).Text
	}
	if got := say("/compact"); !strings.Contains(got, "nothing to compact") {
		t.Errorf("at the beginning: %q", got)
	}
	say("a question " + strings.Repeat("and so on ", 50))
	if got := say(" /compact the boat's name "); !strings.Contains(got, "Compacted: 4 messages") {
		t.Errorf("got %q", got)
	}
	if !holds(lastRequest(m), "above all: the boat's name") {
		t.Error("the focus is not in the request for the summary")
	}
	found := k.compactions()
	if len(found) != 1 || !strings.Contains(found[0].Summary, "afloat") {
		t.Fatalf("compactions: %+v", found)
	}
	say("go on")
	if req := lastRequest(m); holds(req, "a question") || !holds(req, "afloat") {
		t.Errorf("the next turn reads %s", asJSON(req.Messages))
	}
	if got := say("/compactor"); got != "fine" {
		t.Errorf("another command: %q", got)
	}
}

// What a log of any shape comes to is the same live and read back, and it
// never wedges.
func TestCompactionProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(0, 6000)
		look := named("look", func(context.Context, *openclaw.Call) (*openclaw.Result, error) {
			return &openclaw.Result{Output: strings.Repeat("fish ", size.Draw(rt, "result")/5)}, nil
		})
		summary := rapid.SampledFrom([]scripted.Step{goodSummary, {}, {Err: errors.New("no")}, {Text: strings.Repeat("x", 9000)}}).Draw(rt, "summary")
		m := newSized(rapid.SampledFrom([]int{1000, 3000, 9000}).Draw(rt, "window"), summary, func(req *openclaw.Request) scripted.Step {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				return scripted.Step{Err: overflow()}
			case 1, 2, 3, 4:
				return scripted.Step{Text: rapid.SampledFrom([]string{"", "hm"}).Draw(rt, "text"), Calls: []openclaw.Call{
					call("look", fmt.Sprintf(`{"n":%d}`, rapid.IntRange(0, 1000).Draw(rt, "n"))), call("look", `{}`)}}
			}
			return scripted.Step{Text: strings.Repeat("word ", size.Draw(rt, "answer")/5), Usage: openclaw.Usage{Input: weight(req) / 4}}
		})
		k := newTalk(t, m, look)
		for range rapid.IntRange(1, 8).Draw(rt, "turns") {
			text := "q " + strings.Repeat("why ", size.Draw(rt, "question")/4)
			if rapid.IntRange(0, 9).Draw(rt, "command") == 0 {
				text = "/compact"
			}
			_, err := k.say(t.Context(), asked(text))
			if code := openclaw.CodeOf(err); err != nil && code != openclaw.CodeContextOverflow && code != openclaw.CodeLoopDetected {
				rt.Fatal(err)
			}
			if f := k.fault(); f != "" {
				rt.Fatal(f)
			}
		}
	})
}
