// Package memory offers the long-term memory to a model as two tools:
// memory_save and memory_search.
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

// Store is what the tools need of a long-term memory. Both methods block until
// they are done or ctx ends; the texts of their errors are shown to the model.
type Store interface {
	// Save remembers text and reports whether it was new.
	Save(ctx context.Context, text string) (saved bool, err error)
	// Recall returns at most limit facts, one line each, the best first. A
	// limit below 1 leaves it to the Store, and so does one that is too high.
	Recall(ctx context.Context, query string, limit int) ([]string, error)
}

//go:embed save.md
var saveText string

//go:embed search.md
var searchText string

const (
	saveParameters   = `{"type":"object","properties":{"text":{"type":"string","description":"the fact, at most 2 KB"}},"required":["text"]}`
	searchParameters = `{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"description":"default 10"}},"required":["query"]}`
)

// Tools returns memory_save and memory_search on store.
func Tools(store Store) []openclaw.Tool {
	return []openclaw.Tool{
		&tool{spec("memory_save", saveText, saveParameters), save(store)},
		&tool{spec("memory_search", searchText, searchParameters), search(store)},
	}
}

func spec(name, text, parameters string) openclaw.ToolSpec {
	return openclaw.ToolSpec{Name: name, Description: strings.TrimSpace(text), Parameters: json.RawMessage(parameters), Memory: true}
}

// tool implements openclaw.Tool with a function from arguments to output.
type tool struct {
	spec openclaw.ToolSpec
	run  func(ctx context.Context, args json.RawMessage) (string, error)
}

func (t *tool) Spec() openclaw.ToolSpec { return t.spec }

func (t *tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	output, err := t.run(ctx, call.Args)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return &openclaw.Result{CallID: call.ID, Output: output}, nil
}

func save(store Store) func(context.Context, json.RawMessage) (string, error) {
	return func(ctx context.Context, raw json.RawMessage) (string, error) {
		var args struct{ Text *string }
		if err := json.Unmarshal(raw, &args); err != nil || args.Text == nil {
			return "", wrong("memory_save", `{"text": "the fact"}`, err)
		}
		saved, err := store.Save(ctx, *args.Text)
		switch {
		case err != nil:
			return "", public(err)
		case !saved:
			return "This is remembered already.", nil
		}
		return "Remembered.", nil
	}
}

func search(store Store) func(context.Context, json.RawMessage) (string, error) {
	return func(ctx context.Context, raw json.RawMessage) (string, error) {
		var args struct {
			Query *string
			Limit int
		}
		if err := json.Unmarshal(raw, &args); err != nil || args.Query == nil {
			return "", wrong("memory_search", `{"query": "keywords", "limit": 10}`, err)
		}
		facts, err := store.Recall(ctx, *args.Query, args.Limit)
		if err != nil {
			return "", public(err)
		}
		if len(facts) == 0 {
			return "Nothing found.", nil
		}
		return "- " + strings.Join(facts, "\n- "), nil
	}
}

func wrong(name, example string, err error) error {
	why := "a required argument is missing"
	if err != nil {
		why = "the arguments have a wrong type"
	}
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("%s: %s; call it with %s", name, why, example), Err: err}
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
