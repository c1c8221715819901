package model_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model"
)

// listing is a model that only lists.
type listing []openclaw.ModelInfo

func (listing) Stream(context.Context, *openclaw.Request) iter.Seq2[openclaw.ModelEvent, error] {
	return nil
}
func (l listing) Models() []openclaw.ModelInfo { return l }

func newSet(t *testing.T) *model.Set {
	t.Helper()
	set, err := model.New(model.Options{
		Providers: map[string]model.Provider{
			"anthropic": {Model: listing{{ID: "big", ContextWindow: 100}, {ID: "small", ContextWindow: 50}}, Default: "big"},
			"router":    {Model: listing{{ID: "vendor/zeta"}, {ID: "vendor/alpha"}}, Default: "vendor/zeta"},
			"bare":      {Model: listing{}},
		},
		Default: "anthropic", DefaultModel: "medium",
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestResolve(t *testing.T) {
	set := newSet(t)
	for _, tc := range []struct{ name, provider, own string }{
		{"", "anthropic", "medium"},
		{"  ", "anthropic", "medium"},
		{"small", "anthropic", "small"},
		{"unheard-of", "anthropic", "unheard-of"},
		{"router", "anthropic", "router"},
		{"anthropic/", "anthropic", "medium"},
		{"router/", "router", "vendor/zeta"},
		{"router/vendor/alpha", "router", "vendor/alpha"},
		{"bare/llama", "bare", "llama"},
	} {
		c, err := set.Resolve(tc.name)
		if err != nil || c.Provider != tc.provider || c.Name != tc.own || c.Model == nil {
			t.Errorf("Resolve(%q) = %+v, %v; want %s of %s", tc.name, c, err, tc.own, tc.provider)
		}
	}
	for _, name := range []string{"openai/gpt", "/gpt", "Anthropic/big", "bare/", strings.Repeat("x", 5000) + "/y"} {
		_, err := set.Resolve(name)
		e := openclaw.AsError(err)
		if e == nil || e.Code != openclaw.CodeModelNotFound || !strings.Contains(e.Message, "anthropic, bare, router") || len(e.Message) > 300 {
			t.Errorf("Resolve(%.20q): %v; want MODEL_NOT_FOUND and the providers", name, err)
		}
	}
}

func TestList(t *testing.T) {
	want := []model.Listed{
		{ID: "medium", Provider: "anthropic", Default: true},
		{ID: "big", Provider: "anthropic", ContextWindow: 100},
		{ID: "small", Provider: "anthropic", ContextWindow: 50},
		{ID: "vendor/alpha", Provider: "router"},
		{ID: "vendor/zeta", Provider: "router"},
	}
	if diff := cmp.Diff(want, newSet(t).List()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNew(t *testing.T) {
	one := map[string]model.Provider{"offline": {Model: listing{}, Default: "offline"}}
	set, err := model.New(model.Options{Providers: one})
	if err != nil {
		t.Fatal(err)
	}
	want := model.Choice{Provider: "offline", Name: "offline", Model: listing{}}
	if diff := cmp.Diff(want, set.Default(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the only provider is not the default:\n%s", diff)
	}
	one["late"] = model.Provider{Model: listing{}, Default: "x"}
	if _, err := set.Resolve("late/x"); err == nil {
		t.Error("the set changed after New")
	}
	for name, opts := range map[string]model.Options{
		"no provider":         {},
		"unknown default":     {Providers: one, Default: "other"},
		"ambiguous default":   {Providers: one},
		"no default model":    {Providers: map[string]model.Provider{"a": {Model: listing{}}}},
		"slash in a name":     {Providers: map[string]model.Provider{"a/b": {Model: listing{}, Default: "x"}}},
		"provider of nothing": {Providers: map[string]model.Provider{"a": {Default: "x"}}},
	} {
		if _, err := model.New(opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAuto(t *testing.T) {
	var asked []string
	candidate := func(name string, usable bool) model.Candidate {
		return model.Candidate{Provider: name, Usable: func(context.Context) bool {
			asked = append(asked, name)
			return usable
		}}
	}
	always := model.Candidate{Provider: "offline"}
	got, ok := model.Auto(t.Context(), []model.Candidate{candidate("anthropic", false), candidate("openai", true), candidate("ollama", true), always})
	if got != "openai" || !ok || !cmp.Equal(asked, []string{"anthropic", "openai"}) {
		t.Errorf("%q, %v after asking %v; want openai, and ollama not asked", got, ok, asked)
	}
	if got, ok := model.Auto(t.Context(), []model.Candidate{candidate("anthropic", false)}); ok || got != "" {
		t.Errorf("%q, %v; want none", got, ok)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked = nil
	if got, ok := model.Auto(ctx, []model.Candidate{candidate("ollama", true), always}); got != "offline" || !ok || asked != nil {
		t.Errorf("%q, %v after asking %v; want what needs no asking", got, ok, asked)
	}
}
