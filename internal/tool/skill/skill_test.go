package skill

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// shelf has one skill.
type shelf struct{}

func (shelf) Read(name, file string) (string, bool, error) {
	if name != "backup" {
		return "", false, &openclaw.Error{Code: openclaw.CodeSkillNotFound, Message: "no skill is named " + name}
	}
	return "text of " + file, file == "", nil
}

func TestUseSkill(t *testing.T) {
	for _, c := range []struct {
		args string
		want *openclaw.Result
		code openclaw.Code
	}{
		{`{"name":"backup"}`, &openclaw.Result{CallID: "c", Output: "text of "}, ""},
		{`{"name":"backup","file":" a.md ","more":1}`, &openclaw.Result{CallID: "c", Output: "text of a.md", Truncated: true}, ""},
		{`{"name":"other"}`, nil, openclaw.CodeSkillNotFound},
		{`{"name":" "}`, nil, openclaw.CodeInvalidMessage},
		{`{"name":1}`, nil, openclaw.CodeInvalidMessage},
		{`{"invalid_arguments":"{"}`, nil, openclaw.CodeInvalidMessage},
	} {
		got, err := New(shelf{}).Run(t.Context(), &openclaw.Call{ID: "c", Args: json.RawMessage(c.args)})
		if diff := cmp.Diff(c.want, got); diff != "" || openclaw.CodeOf(err) != c.code {
			t.Errorf("%s: %v (-want +got):\n%s", c.args, err, diff)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(shelf{}).Run(ctx, &openclaw.Call{Args: json.RawMessage(`{"name":"backup"}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the turn: %v", err)
	}
	if spec := New(shelf{}).Spec(); spec.Name != "use_skill" || !json.Valid(spec.Parameters) || spec.Description == "" || !spec.Repeatable {
		t.Errorf("spec %+v", spec)
	}
}
