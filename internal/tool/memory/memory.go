// Package memory offers the long-term memory to a model as three tools:
// memory_save, memory_search and memory_forget.
//
// It owns no state: the facts belong to the Store it is given. It does not
// decide what a conversation may remember; whoever offers the tools to a model
// does, by offering them or not.
package memory

import (
	"context"
	_ "embed" // the descriptions
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// Store is what the tools need of a long-term memory. The methods block until
// they are done or ctx ends; the texts of their errors are shown to the model.
type Store interface {
	// Save remembers text and reports whether it was new. source says where it
	// comes from.
	Save(ctx context.Context, text, source string) (saved bool, err error)
	// Find returns at most limit facts, one line each, the best first. A
	// limit below 1 leaves it to the Store, and so does one that is too high.
	Find(ctx context.Context, query string, limit int) ([]string, error)
	// Forget removes the facts that say text, those that Find shows as this
	// line, and returns them.
	Forget(ctx context.Context, text string) ([]string, error)
}

//go:embed save.md
var saveText string

//go:embed search.md
var searchText string

//go:embed forget.md
var forgetText string

const (
	saveParameters   = `{"type":"object","properties":{"text":{"type":"string","description":"the fact, at most 2 KB"}},"required":["text"]}`
	searchParameters = `{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"description":"default 10"}},"required":["query"]}`
	forgetParameters = `{"type":"object","properties":{"text":{"type":"string","description":"the whole fact, as memory_search shows it"}},"required":["text"]}`
)

// Tools returns the tools on store.
func Tools(store Store) []openclaw.Tool {
	find := spec("memory_search", searchText, searchParameters)
	find.Repeatable = true
	return []openclaw.Tool{
		&tool{spec("memory_save", saveText, saveParameters), save(store)},
		&tool{find, search(store)},
		&tool{spec("memory_forget", forgetText, forgetParameters), forget(store)},
	}
}

func spec(name, text, parameters string) openclaw.ToolSpec {
	return openclaw.ToolSpec{Name: name, Description: strings.TrimSpace(text), Parameters: json.RawMessage(parameters), Memory: true}
}

// tool implements openclaw.Tool with a function from a call to its output.
type tool struct {
	spec openclaw.ToolSpec
	run  func(ctx context.Context, call *openclaw.Call) (string, error)
}

func (t *tool) Spec() openclaw.ToolSpec { return t.spec }

func (t *tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	output, err := t.run(ctx, call)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, public(err)
	}
	return &openclaw.Result{CallID: call.ID, Output: output}, nil
}

func save(store Store) func(context.Context, *openclaw.Call) (string, error) {
	return func(ctx context.Context, call *openclaw.Call) (string, error) {
		text, err := textOf(call, "memory_save", `{"text": "the fact"}`)
		if err != nil {
			return "", err
		}
		source := ""
		if call.Session != "" {
			source = "session " + call.Session
		}
		saved, err := store.Save(ctx, text, source)
		switch {
		case err != nil:
			return "", err
		case !saved:
			return "This is remembered already.", nil
		}
		return "Remembered.", nil
	}
}

func search(store Store) func(context.Context, *openclaw.Call) (string, error) {
	return func(ctx context.Context, call *openclaw.Call) (string, error) {
		var args struct {
			Query *string
			Limit int
		}
		if err := json.Unmarshal(call.Args, &args); err != nil || args.Query == nil {
			return "", wrong("memory_search", `{"query": "keywords", "limit": 10}`, err)
		}
		facts, err := store.Find(ctx, *args.Query, args.Limit)
		if err != nil {
			return "", err
		}
		if len(facts) == 0 {
			return "Nothing found.", nil
		}
		return list(facts), nil
	}
}

// nearest is how many facts are shown where none says exactly what was to be
// forgotten.
const nearest = 5

func forget(store Store) func(context.Context, *openclaw.Call) (string, error) {
	return func(ctx context.Context, call *openclaw.Call) (string, error) {
		text, err := textOf(call, "memory_forget", `{"text": "the whole fact"}`)
		if err != nil {
			return "", err
		}
		facts, err := store.Forget(ctx, text)
		if err != nil {
			return "", err
		}
		if len(facts) > 0 {
			return "Forgotten:\n" + list(facts), nil
		}
		if strings.TrimSpace(text) != "" {
			facts, err = store.Find(ctx, text, nearest)
		}
		if err != nil || len(facts) == 0 {
			return "Nothing is remembered that says this; nothing was forgotten.", err
		}
		return "Nothing was forgotten: no fact says exactly this. Call memory_forget with the whole text of the one that is meant:\n" + list(facts), nil
	}
}

func list(facts []string) string { return "- " + strings.Join(facts, "\n- ") }

// textOf returns the one argument of a call.
func textOf(call *openclaw.Call, name, example string) (string, error) {
	var args struct{ Text *string }
	if err := json.Unmarshal(call.Args, &args); err != nil || args.Text == nil {
		return "", wrong(name, example, err)
	}
	return *args.Text, nil
}

func wrong(name, example string, err error) error {
	why := "a required argument is missing"
	if err != nil {
		why = "the arguments have a wrong type"
	}
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("%s: %s; call it with %s", name, why, example)}
}

// public leaves out the private cause, which may name paths: the model reads
// the error's text.
func public(err error) error {
	e, ok := errors.AsType[*openclaw.Error](err)
	if !ok || e.Err == nil {
		return err
	}
	shown := *e
	shown.Err = nil
	return &shown
}
