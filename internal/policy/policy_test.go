package policy

import (
	"context"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
)

type tool struct {
	name string
	ran  *int
}

func (t tool) Spec() openclaw.ToolSpec { return openclaw.ToolSpec{Name: t.name} }
func (t tool) Run(context.Context, *openclaw.Call) (*openclaw.Result, error) {
	*t.ran++
	return &openclaw.Result{}, nil
}

func TestAlwaysDeny(t *testing.T) {
	tests := []struct {
		deny, tool string
		runs       bool
	}{
		{"shell", "shell", false},
		{"shell", "shells", true},
		{"memory_*", "memory_save", false},
		{"*", "read_file", false},
		{"Shell", "shell", true},
	}
	for _, test := range tests {
		t.Run(test.deny+" "+test.tool, func(t *testing.T) {
			ran := 0
			tools, err := Apply(Rules{AlwaysDeny: []string{test.deny}}, []openclaw.Tool{tool{test.tool, &ran}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = tools[0].Run(t.Context(), &openclaw.Call{Tool: test.tool})
			if (ran == 1) != test.runs || (err == nil) != test.runs {
				t.Fatalf("ran %d times with error %v, want it to run: %v", ran, err, test.runs)
			}
			if !test.runs && (openclaw.CodeOf(err) != openclaw.CodeApprovalDenied || !strings.Contains(err.Error(), test.deny)) {
				t.Errorf("error %v does not name the rule", err)
			}
		})
	}
}

func TestBadPatternIsRefused(t *testing.T) {
	if _, err := Apply(Rules{AlwaysDeny: []string{"[x"}}, nil); err == nil {
		t.Error("a pattern that cannot match anything was accepted")
	}
}
