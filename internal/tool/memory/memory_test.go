package memory

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// shelf is a Store that remembers what was asked of it.
type shelf struct {
	facts []string
	limit int
	err   error

	source string
}

func (s *shelf) Save(_ context.Context, text, source string) (bool, error) {
	s.source = source
	if s.err != nil || slices.Contains(s.facts, text) {
		return false, s.err
	}
	s.facts = append(s.facts, text)
	return true, nil
}

func (s *shelf) Find(_ context.Context, query string, limit int) ([]string, error) {
	s.limit = limit
	var found []string
	for _, f := range s.facts {
		if strings.Contains(f, query) {
			found = append(found, f)
		}
	}
	return found, s.err
}

func (s *shelf) Forget(_ context.Context, text string) (gone []string, err error) {
	s.facts = slices.DeleteFunc(s.facts, func(f string) bool {
		if f == text {
			gone = append(gone, f)
		}
		return f == text
	})
	return gone, s.err
}

func TestTools(t *testing.T) {
	store := &shelf{}
	tools := make(map[string]openclaw.Tool)
	for _, tool := range Tools(store) {
		s := tool.Spec()
		tools[s.Name] = tool
		if s.Repeatable != (s.Name == "memory_search") || !json.Valid(s.Parameters) || s.Description == "" || len(s.Description) > 250 || !s.Memory {
			t.Errorf("%s: description of %d bytes, parameters %s, memory %v", s.Name, len(s.Description), s.Parameters, s.Memory)
		}
	}
	for _, c := range []struct{ tool, args, want, err string }{
		{"memory_search", `{"query":"tea"}`, "Nothing found.", ""},
		{"memory_save", `{"text":"likes tea"}`, "Remembered.", ""},
		{"memory_save", `{"text":"likes tea"}`, "This is remembered already.", ""},
		{"memory_save", `{"text":"green tea only","more":1}`, "Remembered.", ""},
		{"memory_search", `{"query":"tea","limit":3}`, "- likes tea\n- green tea only", ""},
		{"memory_search", `{"query":""}`, "- likes tea\n- green tea only", ""},
		{"memory_forget", `{"text":"tea"}`, "Nothing was forgotten: no fact says exactly this. Call memory_forget with the whole text of the one that is meant:\n- likes tea\n- green tea only", ""},
		{"memory_forget", `{"text":"likes tea"}`, "Forgotten:\n- likes tea", ""},
		{"memory_forget", `{"text":"coffee"}`, "Nothing is remembered that says this; nothing was forgotten.", ""},
		{"memory_forget", `{"text":" "}`, "Nothing is remembered that says this; nothing was forgotten.", ""},
		{"memory_forget", `{"query":"tea"}`, "", "memory_forget: a required argument is missing"},
		{"memory_save", `{}`, "", "memory_save: a required argument is missing"},
		{"memory_save", `{"text":null}`, "", "memory_save: a required argument is missing"},
		{"memory_save", `{"text":7}`, "", "memory_save: the arguments have a wrong type"},
		{"memory_save", `{"invalid_arguments":"{text:"}`, "", "memory_save: a required argument is missing"},
		{"memory_search", `{"query":"tea","limit":"3"}`, "", "memory_search: the arguments have a wrong type"},
		{"memory_search", ``, "", "memory_search: the arguments have a wrong type"},
	} {
		r, err := tools[c.tool].Run(t.Context(), &openclaw.Call{ID: "c1", Tool: c.tool, Args: json.RawMessage(c.args), Session: "main"})
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s %s: error %v, want %q", c.tool, c.args, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.tool, c.args, err)
			continue
		}
		if diff := cmp.Diff(&openclaw.Result{CallID: "c1", Output: c.want}, r); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.tool, c.args, diff)
		}
	}
	if store.source != "session main" {
		t.Errorf("saved with the source %q", store.source)
	}
}

func TestFailures(t *testing.T) {
	store := &shelf{err: &openclaw.Error{Code: openclaw.CodeInternal, Message: "check memory.path", Err: errors.New("open /private: denied")}}
	for _, tool := range Tools(store) {
		call := &openclaw.Call{Args: json.RawMessage(`{"text":"x","query":"x"}`)}
		if _, err := tool.Run(t.Context(), call); err == nil || err.Error() != "check memory.path" {
			t.Errorf("%s: %v; want the public message only", tool.Spec().Name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := tool.Run(ctx, call); !errors.Is(err, context.Canceled) {
			t.Errorf("%s after a cancel: %v", tool.Spec().Name, err)
		}
	}
}
