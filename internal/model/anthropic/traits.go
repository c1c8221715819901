package anthropic

import (
	"slices"
	"strconv"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
)

// mode is how a model is asked to think.
type mode int

const (
	modeUnset    mode = iota
	modeNever         // it cannot
	modeBudget        // thinking.type "enabled" with a number of tokens
	modeAdaptive      // thinking.type "adaptive" with an effort
)

// What turns thinking off, for models that think unless told otherwise.
const (
	offDisabled     = "disabled"
	offBetweenTools = "between_tools"
)

// traits are the ways in which models of this API differ.
type traits struct {
	mode      mode
	unasked   bool   // thinks when nothing is said about thinking
	off       string // the thinking.type that stops that; "": say nothing
	sampling  bool   // takes a temperature
	effort    bool   // takes output_config.effort
	window    int    // context, in tokens; 0: not known
	maxTokens int    // longest answer including thinking; 0: not known
}

// The generations of Claude, as major*10+minor.
const (
	gen37 = 37 // thinks, with a budget
	gen46 = 46 // thinks adaptively; 1M context
	gen47 = 47 // refuses budgets and temperatures
	gen50 = 50 // thinks unasked
	gen55 = 55
)

// traitsOf returns what is known of a model by its name. A model this version
// does not know is taken for a newer Claude if it is called so, and else for
// one behind a server that copies the API as it was widely copied.
func traitsOf(name string) traits {
	_, rest, ok := strings.Cut(strings.ToLower(name), "claude-")
	if !ok {
		return traits{mode: modeBudget, sampling: true}
	}
	family, gen := parseClaude(rest)
	switch {
	case gen == 0 || gen > gen55:
		return traits{mode: modeAdaptive, unasked: true, effort: true, window: 200_000}
	case gen < gen37:
		return traits{mode: modeNever, sampling: true, window: 200_000, maxTokens: 8192}
	case gen < gen46:
		t := traits{mode: modeBudget, sampling: true, window: 200_000, maxTokens: 64_000}
		if family == "opus" && gen < 45 {
			t.maxTokens = 32_000
		}
		return t
	case gen < gen47:
		t := traits{mode: modeAdaptive, sampling: true, effort: true, window: 1_000_000, maxTokens: 128_000}
		if family == "sonnet" {
			t.maxTokens = 64_000
		}
		return t
	case gen < gen50:
		return traits{mode: modeAdaptive, effort: true, window: 1_000_000, maxTokens: 128_000}
	}
	return traits{
		mode: modeAdaptive, unasked: true, off: offSwitch(family, gen),
		effort: true, window: 1_000_000, maxTokens: 128_000,
	}
}

// offSwitch returns what turns thinking off on the generations that think
// unasked.
func offSwitch(family string, gen int) string {
	switch {
	case family == "sonnet" && gen >= gen55:
		return offBetweenTools
	case family == "sonnet", family == "haiku", family == "opus" && gen < gen55:
		return offDisabled
	}
	return "" // Fable, Mythos and Opus 5.5 always think
}

// parseClaude reads "opus-4-6", "3-7-sonnet-20250219" or "opus-4.6". The
// generation is 0 if the name does not tell it.
func parseClaude(rest string) (family string, gen int) {
	var numbers []int
	for part := range strings.FieldsFuncSeq(rest, func(r rune) bool { return strings.ContainsRune("-.@:[_", r) }) {
		switch n, err := strconv.Atoi(part); {
		case err == nil && len(part) <= 2:
			numbers = append(numbers, n)
		case err != nil && family == "":
			family = part
		}
	}
	switch len(numbers) {
	case 0:
		return family, 0
	case 1:
		return family, numbers[0] * 10
	}
	return family, numbers[0]*10 + numbers[1]
}

// knownModels lists the models in service when this version was made.
func knownModels() []openclaw.ModelInfo {
	names := []string{
		"claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5",
		"claude-opus-5", "claude-sonnet-5", "claude-opus-4-8", "claude-opus-4-7",
		"claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-5", "claude-haiku-4-5",
	}
	list := make([]openclaw.ModelInfo, len(names))
	for i, name := range names {
		t := traitsOf(name)
		list[i] = openclaw.ModelInfo{ID: name, ContextWindow: t.window, MaxTokens: t.maxTokens}
	}
	return list
}

// traits returns what is known of a model, corrected by Options and by what
// the API has refused so far.
func (a *Adapter) traits(name string) traits {
	t := traitsOf(name)
	if i := slices.IndexFunc(a.models, func(m openclaw.ModelInfo) bool { return m.ID == name }); i >= 0 && a.models[i].MaxTokens > 0 {
		t.maxTokens = a.models[i].MaxTokens
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.learned[name].apply(t)
}
