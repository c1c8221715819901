package agent_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"pgregory.net/rapid"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// cut is a step that breaks off after some text.
func cut(deltas ...string) scripted.Step {
	return scripted.Step{Deltas: deltas, Err: failed(openclaw.FailureCutStream, 0)}
}

// texts returns what a turn showed and what its log has, which must be the
// same.
func texts(t testing.TB, o outcome) string {
	t.Helper()
	var shown, logged strings.Builder
	for _, ev := range o.events {
		switch b := ev.Body.(type) {
		case openclaw.Delta:
			shown.WriteString(b.Text)
		case openclaw.TextWritten:
			logged.WriteString(b.Text)
		}
	}
	if o.err == nil && shown.String() != logged.String() {
		t.Errorf("shown %q, logged %q", shown.String(), logged.String())
	}
	return shown.String()
}

func TestCutStream(t *testing.T) {
	const lead = "The capital of France is Par"
	for name, tt := range map[string]struct {
		then scripted.Step
		want string
	}{
		"goes on":                  {scripted.Step{Deltas: []string{"is", ", of course."}}, "The capital of France is Paris, of course."},
		"begins anew":              {scripted.Step{Deltas: []string{"The capital ", "of France is Paris", "."}}, "The capital of France is Paris."},
		"begins anew, in one":      {scripted.Step{Text: "The capital of France is Paris."}, "The capital of France is Paris."},
		"goes another way":         {scripted.Step{Deltas: []string{"The capital of France is", " called Paris."}}, "The capital of France is Par called Paris."},
		"takes up a few words":     {scripted.Step{Deltas: []string{"of France is", " Paris."}}, "The capital of France is Paris."},
		"a word that fits anyhow":  {scripted.Step{Deltas: []string{"The", " one."}}, "The capital of France is ParThe one."},
		"repeats only":             {scripted.Step{Text: lead}, lead},
		"repeats the beginning":    {scripted.Step{Text: "The capital of France"}, lead},
		"says nothing more":        {scripted.Step{}, lead},
		"looks like a repetition":  {scripted.Step{Deltas: []string{"is", ", "}}, "The capital of France is Paris, "},
		"held to the end, and new": {scripted.Step{Text: "is"}, "The capital of France is Paris"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := scripted.New(cut("The capital of ", "France is Par"), tt.then)
				o := run(t.Context(), newAgent(t, m, nil), asked("go"))
				if o.err != nil {
					t.Fatal(o.err)
				}
				wantEqual(t, "text", tt.want, texts(t, o))
				done := o.events[len(o.events)-1].Body.(openclaw.TurnCompleted)
				wantEqual(t, "answer", tt.want, done.Text)
				again := said(m.Requests()[1].Messages)
				if len(again) != 3 || again[1] != "assistant: "+lead || !strings.HasPrefix(again[2], "user: [The connection broke off") {
					t.Errorf("asked again with %q", again)
				}
				wantEqual(t, "log", []string{"user: go", "assistant: " + tt.want}, said(o.transcript.Messages()))
			})
		})
	}
}

// said renders messages by their texts.
func said(messages []openclaw.Message) []string {
	var out []string
	for _, m := range messages {
		var parts []string
		for _, p := range m.Parts {
			parts = append(parts, p.Text)
		}
		out = append(out, string(m.Role)+": "+strings.Join(parts, ""))
	}
	return out
}

// Calls of an answer that broke off never run, and those of the answer that
// takes its place run once.
func TestCutStreamWithCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := scripted.Step{Deltas: []string{"Let me look. "}, Calls: []openclaw.Call{call("echo", `{"n":1}`)}, Err: failed(openclaw.FailureCutStream, 0)}
		m := scripted.New(broken, broken, scripted.Step{Thinking: "hm", Calls: []openclaw.Call{call("echo", `{"n":1}`)}}, scripted.Step{Text: "done"})
		o := run(t.Context(), newAgent(t, m, nil, echo()), asked("go"))
		wantEqual(t, "events", []string{"delta Let me look. ", "text/1 Let me look. ", `call/1 echo {"n":1}`, `result echo 0 {"n":1}`,
			"delta done", "text/2 done", "completed done"}, o.lines())
		checkWellFormed(t, o.transcript.Messages())
	})
}

// The next model in line goes on with the text of the one before.
func TestCutStreamFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := scripted.New(cut("One, two,"), cut(" three,"))
		o := run(t.Context(), withSpare(t, first, scripted.New(scripted.Step{Text: " four."}), nil), asked("count"))
		wantEqual(t, "events", []string{"delta One, two,", "delta  three,", "switched test/default spare/s cut_stream",
			"delta  four.", "text/1 One, two, three, four.", "completed One, two, three, four."}, o.lines())
	})
}

// Whatever a model says after its answer broke off, and wherever that was,
// what was shown is what the log gets, no text is lost where it goes on as
// asked, and none comes twice where it begins anew.
func TestCutStreamProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"alpha ", "beta ", "größe ", "日本語 ", "x", "\n", "the same again ", "| - "}), 1, 60).Draw(rt, "words")
		anew := rapid.Bool().Draw(rt, "anew")
		if !anew {
			for i := range words { // what repeats itself cannot be told from a repetition
				words[i] += strconv.Itoa(i) + " "
			}
		}
		whole := strings.Join(words, "")
		breaks := rapid.IntRange(1, 3).Draw(rt, "breaks")
		n := 0
		m := scripted.Func(func(_ context.Context, req *openclaw.Request) scripted.Step {
			n++
			rest := whole
			if last := len(req.Messages) - 2; !anew && last > 0 {
				rest = strings.TrimPrefix(whole, req.Messages[last].Parts[0].Text)
			}
			if n > breaks {
				return scripted.Step{Deltas: pieces(rt, rest)}
			}
			end := rapid.IntRange(0, len(rest)).Draw(rt, "end")
			for end < len(rest) && !utf8.RuneStart(rest[end]) {
				end++
			}
			return scripted.Step{Deltas: pieces(rt, rest[:end]), Err: failed(openclaw.FailureCutStream, 0)}
		})
		o := run(t.Context(), newAgent(t, m, func(c *agent.Config) { c.Retry.First = 1 }), asked("go"))
		if o.err != nil {
			rt.Fatal(o.err)
		}
		got := texts(t, o)
		if got != whole {
			rt.Fatalf("anew %v: %q, want %q", anew, got, whole)
		}
	})
}

// pieces cuts a text into deltas.
func pieces(t *rapid.T, text string) (deltas []string) {
	for text != "" {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		n = min(n, len(text))
		deltas, text = append(deltas, text[:n]), text[n:]
	}
	return deltas
}
