package agent_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// sized is a model with a context window. It answers summaries by itself and
// leaves the rest to answer.
type sized struct {
	*scripted.Model
	window    int
	summaries int // how many were asked for
}

func (s *sized) Models() []openclaw.ModelInfo {
	return []openclaw.ModelInfo{{ID: "default", ContextWindow: s.window}}
}

// isSummary says whether a request is for a summary.
func isSummary(req *openclaw.Request) bool {
	return strings.HasPrefix(req.Messages[0].Parts[0].Text, "# Summary\n")
}

// newSized returns a model that writes summary and, to everything else, what
// answer says.
func newSized(window int, summary scripted.Step, answer func(req *openclaw.Request) scripted.Step) *sized {
	s := &sized{window: window}
	s.Model = scripted.Func(func(_ context.Context, req *openclaw.Request) scripted.Step {
		if isSummary(req) {
			s.summaries++
			return summary
		}
		return answer(req)
	})
	return s
}

// talk is a conversation whose log is kept the way package session keeps it.
type talk struct {
	agent *agent.Agent
	log   []openclaw.Event
	live  *agent.Transcript
}

func newTalk(t testing.TB, m openclaw.Model, tools ...openclaw.Tool) *talk {
	return &talk{agent: newAgent(t, m, nil, tools...), live: &agent.Transcript{}}
}

// store appends events to the log and returns the last one's number.
func (k *talk) store(events ...openclaw.Event) int64 {
	for _, ev := range events {
		ev.Seq = int64(len(k.log)) + 1
		k.log = append(k.log, ev)
	}
	return int64(len(k.log))
}

// say runs a turn and returns how it ended.
func (k *talk) say(ctx context.Context, started openclaw.TurnStarted) (end openclaw.Body, err error) {
	opening := openclaw.Event{Time: time.Unix(1_800_000_000, 0).UTC(), Body: started}
	opening.Seq = k.store(opening)
	k.live.Add(opening)
	return k.run(ctx, started, nil)
}

// run performs a turn from where it stands.
func (k *talk) run(ctx context.Context, started openclaw.TurnStarted, past []openclaw.Event) (end openclaw.Body, err error) {
	stored := int64(len(k.log))
	in := agent.Turn{Session: "main", Started: started, Transcript: k.live, Past: past, Stored: &stored}
	var held []openclaw.Event
	for ev, failed := range k.agent.Run(ctx, in) {
		switch {
		case failed != nil:
			k.store(append(held, openclaw.Event{Body: openclaw.TurnFailed{Code: openclaw.CodeOf(failed)}})...)
			k.live = fromLog(k.log)
			return nil, failed
		case ev.Kind() == openclaw.KindDelta:
		case ev.Kind() == openclaw.KindText:
			held = append(held, ev)
		default:
			stored = k.store(append(held, ev)...)
			held, end = nil, ev.Body
		}
	}
	return end, nil
}

// fromLog makes a transcript of a log as package session does.
func fromLog(log []openclaw.Event) *agent.Transcript {
	begin := int64(1)
	for _, ev := range log {
		if b, ok := ev.Body.(openclaw.Compacted); ok {
			begin = min(b.BeforeSeq, ev.Seq)
		}
	}
	return transcript(log[begin-1:]...)
}

// compactions returns the Compacted events of the log.
func (k *talk) compactions() (list []openclaw.Compacted) {
	for _, ev := range k.log {
		if b, ok := ev.Body.(openclaw.Compacted); ok {
			list = append(list, b)
		}
	}
	return list
}

// check holds what must be true of any conversation between turns.
func (k *talk) check(t testing.TB) {
	t.Helper()
	if f := k.fault(); f != "" {
		t.Fatal(f)
	}
}

// fault says what is wrong with the conversation; "" is nothing.
func (k *talk) fault() string {
	live := k.live.Messages()
	if f := fault(live, false); f != "" {
		return f + " in " + asJSON(live)
	}
	if again := fromLog(k.log).Messages(); asJSON(live) != asJSON(again) {
		return fmt.Sprintf("the live conversation is not that of the log:\n%s\n%s", asJSON(live), asJSON(again))
	}
	return ""
}

// weight is how many bytes a request's messages have.
func weight(req *openclaw.Request) (n int) {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			n += len(p.Text)
			if p.Call != nil {
				n += len(p.Call.Args)
			}
			if p.Result != nil {
				n += len(p.Result.Output)
			}
		}
	}
	return n
}

// holds says whether a part of the request's messages contains text.
func holds(req *openclaw.Request, text string) bool {
	return strings.Contains(fmt.Sprint(asJSON(req.Messages)), text)
}
