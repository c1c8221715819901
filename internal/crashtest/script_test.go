package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
)

// script is the text of a chat, as JSON: what the model is to do about it. The
// same request gets the same answer, from whichever process.
type script struct {
	Key   string `json:"key"`   // also the idempotency key; begins the IDs of the calls
	Steps int    `json:"steps"` // answers that call tools, before the one that does not
	Calls int    `json:"calls"` // in each such answer
	Think int    `json:"think"` // milliseconds each answer takes
	Work  int    `json:"work"`  // milliseconds each call takes
}

func (s script) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers and a string
	}
	return string(text)
}

func scriptOf(text string) (s script, err error) {
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("the message %q is no script: %w", text, err)
	}
	return s, nil
}

// keyOf returns the key that the ID of a call begins with.
func keyOf(call string) string {
	key, _, _ := strings.Cut(call, ".")
	return key
}

// newModel returns the model of the scripts. It holds every request to the
// rules of the model APIs, and puts what breaks them into the journal.
func newModel(book *journal, f *fuse) openclaw.Model {
	return scripted.Func(func(ctx context.Context, req *openclaw.Request) scripted.Step {
		f.at(inModel)
		step, err := answer(req.Messages)
		if err != nil {
			err = errors.Join(err, book.write(entry{What: "fault", Note: err.Error()}))
			return scripted.Step{Err: err}
		}
		return step
	}).Keep(0)
}

// answer is what the model says next in a conversation.
func answer(conversation []openclaw.Message) (scripted.Step, error) {
	if err := wellFormed(conversation); err != nil {
		return scripted.Step{}, err
	}
	begin := 0
	for i, m := range conversation {
		if m.Role == openclaw.RoleUser {
			begin = i
		}
	}
	s, err := scriptOf(conversation[begin].Parts[0].Text)
	if err != nil { // a message from elsewhere
		return scripted.Step{Text: "I cannot read that."}, nil //nolint:nilerr // an answer is no error
	}
	steps, found := 0, tally{}
	for _, m := range conversation[begin+1:] {
		if m.Role == openclaw.RoleAssistant {
			steps++
			continue
		}
		for _, p := range m.Parts {
			found.add(p.Result.Output)
		}
	}
	step := scripted.Step{
		Text: fmt.Sprintf("%s, step %d", s.Key, steps+1), Usage: openclaw.Usage{Input: 10, Output: 3},
		Block: func(ctx context.Context) error { return pause(ctx, s.Think) },
	}
	if steps >= s.Steps {
		step.Text = found.text(s.Key)
		return step, nil
	}
	for i := range s.Calls {
		step.Calls = append(step.Calls, openclaw.Call{
			ID: fmt.Sprintf("%s.%d.%d", s.Key, steps+1, i+1), Tool: toolName,
			Args: fmt.Appendf(nil, `{"ms":%d}`, s.Work),
		})
	}
	return step, nil
}

// tally counts the results of a turn's calls by what they say.
type tally struct{ ran, unknown, stopped int }

func (t *tally) add(output string) {
	switch {
	case strings.HasPrefix(output, ranPrefix):
		t.ran++
	case output == agent.OutcomeUnknown:
		t.unknown++
	default:
		t.stopped++
	}
}

// text is the answer that ends a turn: it proves what the model was told.
func (t *tally) text(key string) string {
	return fmt.Sprintf("%s: %d ran, %d unknown, %d stopped", key, t.ran, t.unknown, t.stopped)
}

// wellFormed says what a model API would refuse in a conversation: every call
// has exactly one result, in the message after it.
func wellFormed(conversation []openclaw.Message) error {
	known := map[string]bool{}
	var open []string // calls of the message before
	for i, m := range conversation {
		if len(m.Parts) == 0 {
			return fmt.Errorf("message %d is empty", i)
		}
		if m.Role != openclaw.RoleTool && len(open) > 0 {
			return fmt.Errorf("message %d: %v have no result", i, open)
		}
		for _, p := range m.Parts {
			switch {
			case p.Kind == openclaw.PartText && m.Role != openclaw.RoleTool && p.Text != "":
			case p.Kind == openclaw.PartToolCall && m.Role == openclaw.RoleAssistant && !known[p.Call.ID]:
				known[p.Call.ID], open = true, append(open, p.Call.ID)
			case p.Kind == openclaw.PartToolResult && m.Role == openclaw.RoleTool && slices.Contains(open, p.Result.CallID):
				open = slices.DeleteFunc(open, func(id string) bool { return id == p.Result.CallID })
			default:
				return fmt.Errorf("message %d (%s) has a part %s that does not belong there", i, m.Role, p.Kind)
			}
		}
		if m.Role == openclaw.RoleTool && len(open) > 0 {
			return fmt.Errorf("message %d: %v have no result", i, open)
		}
	}
	if n := len(conversation); n == 0 || conversation[0].Role != openclaw.RoleUser ||
		conversation[n-1].Role == openclaw.RoleAssistant {
		return errors.New("the conversation does not begin and end where a model can answer")
	}
	return nil
}
