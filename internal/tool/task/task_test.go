package task

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

// runner remembers the work and answers it.
type runner struct {
	work []Work
	err  error
}

func (r *runner) RunTask(_ context.Context, w Work) (string, error) {
	r.work = append(r.work, w)
	return "the answer", r.err
}

func newTool(t *testing.T, r *runner) *Tool {
	t.Helper()
	tool, err := New(Options{Runner: r, Tokens: 7, Timeout: time.Second, Tools: func() []string { return []string{"read_file", "shell", Name} }})
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

func call(session, id, args string) *openclaw.Call {
	return &openclaw.Call{ID: id, Tool: Name, Session: session, Args: json.RawMessage(args)}
}

func TestWork(t *testing.T) {
	r := &runner{}
	tool := newTool(t, r)
	for _, c := range []*openclaw.Call{
		call("main", "1", `{"prompt":"count","tools":["read_file"]}`), call("main", "1", `{"prompt":"count","tools":["read_file"]}`),
		call("main", "2", `{"prompt":"count"}`), call("other", "1", `{"prompt":"count"}`),
	} {
		result, err := tool.Run(t.Context(), c)
		if err != nil || result.Output != "the answer" || result.CallID != c.ID {
			t.Errorf("%+v, %v", result, err)
		}
	}
	first := r.work[0]
	want := Work{Session: first.Session, Key: first.Key, Prompt: "count", Tools: []string{"read_file"}, Tokens: 7, Timeout: time.Second}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(first, r.work[1]); diff != "" {
		t.Errorf("the same call made again is other work:\n%s", diff)
	}
	sessions := []string{first.Session, r.work[2].Session, r.work[3].Session}
	if slices.Sort(sessions); len(slices.Compact(sessions)) != 3 {
		t.Errorf("calls share a conversation: %v", sessions)
	}
	if r.work[2].Tools == nil {
		t.Error("no tools named is taken for all tools")
	}
}

func TestRefused(t *testing.T) {
	for args, want := range map[string]string{
		`{}`: "prompt is missing", `{"prompt":" \n"}`: "prompt is missing", `{"prompt":5}`: "wrong type", `[]`: "wrong type",
		`{"prompt":"x","tools":["rocket"]}`:       "cannot have the tool rocket; there are: read_file, shell",
		`{"prompt":"x","tools":["` + Name + `"]}`: "cannot have the tool task",
	} {
		r := &runner{}
		if _, err := newTool(t, r).Run(t.Context(), call("main", "1", args)); err == nil || !strings.Contains(err.Error(), want) || len(r.work) > 0 {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestFailure(t *testing.T) {
	broken := errors.New("the sub-task failed")
	if _, err := newTool(t, &runner{err: broken}).Run(t.Context(), call("main", "1", `{"prompt":"x"}`)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no Runner is needed")
	}
}
