// Package skill offers the skills to a model as one tool, use_skill: the list in
// the instructions has only names and descriptions, and the model reads the
// text of a skill when it needs it, and the files beside it when the text says
// so. That works wherever the skill is, also outside of the folders that the
// file tools reach, or inside the program.
//
// It owns no state and runs nothing: the skills belong to the Shelf it is
// given, which also decides which of them a model may read.
package skill

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// Shelf is where the skills are. The texts of its errors are shown to the model.
type Shelf interface {
	// Read returns a skill as a model reads it, or a file beside it where that
	// is not "". whole says that nothing was cut off.
	Read(name, file string) (text string, whole bool, err error)
}

//go:embed skill.md
var description string

const parameters = `{"type":"object","properties":{` +
	`"name":{"type":"string"},` +
	`"file":{"type":"string","description":"a file beside it, instead of its text"}},` +
	`"required":["name"]}`

// New returns use_skill on a shelf. It is safe for concurrent use.
func New(shelf Shelf) openclaw.Tool { return &tool{shelf} }

type tool struct{ shelf Shelf }

// Spec implements openclaw.Tool.
func (t *tool) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{
		Name: "use_skill", Description: strings.TrimSpace(description), Parameters: json.RawMessage(parameters), Repeatable: true,
	}
}

// Run implements openclaw.Tool. It blocks on the disk only.
func (t *tool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct{ Name, File string }
	if err := json.Unmarshal(call.Args, &args); err != nil || strings.TrimSpace(args.Name) == "" {
		return nil, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Err: err,
			Message: `use_skill needs the name of a skill; call it with {"name": "the-name"}`,
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, whole, err := t.shelf.Read(args.Name, strings.TrimSpace(args.File))
	if err != nil {
		return nil, err
	}
	return &openclaw.Result{CallID: call.ID, Output: text, Truncated: !whole}, nil
}
