package budget

import (
	"regexp"
	"strings"
	"sync"
)

// The prices of well-known models at their makers' own APIs, standard tier,
// as published in October and November 2026:
//
//	https://platform.claude.com/docs/en/about-claude/pricing (cache writes: 5 minutes)
//	https://developers.openai.com/api/docs/pricing
//	https://ai.google.dev/gemini-api/docs/pricing
//
// A model whose price was not certain is not here: an unknown price counts
// tokens only and says so, a wrong one would say nothing.
func table(api string) map[string]Price {
	switch api {
	case "anthropic":
		return claude()
	case "openai":
		return gpt()
	case "google":
		return gemini()
	}
	return nil
}

func claude() map[string]Price {
	opus4 := Price{Input: 15, Output: 75, CacheRead: 1.50, CacheWrite: 18.75}
	opus := Price{Input: 5, Output: 25, CacheRead: 0.50, CacheWrite: 6.25}
	sonnet4 := Price{Input: 3, Output: 15, CacheRead: 0.30, CacheWrite: 3.75}
	return map[string]Price{
		"claude-fable-5-1":  {Input: 10, Output: 50, CacheRead: 0.25, CacheWrite: 12.50},
		"claude-fable-5":    {Input: 10, Output: 50, CacheRead: 1, CacheWrite: 12.50},
		"claude-opus-5-5":   {Input: 4, Output: 20, CacheRead: 0.20, CacheWrite: 5},
		"claude-opus-5":     opus,
		"claude-opus-4-8":   opus,
		"claude-opus-4-7":   opus,
		"claude-opus-4-6":   opus,
		"claude-opus-4-5":   opus,
		"claude-opus-4-1":   opus4,
		"claude-opus-4-0":   opus4,
		"claude-opus-4":     opus4,
		"claude-sonnet-5-5": {Input: 2, Output: 10, CacheRead: 0.10, CacheWrite: 2.50},
		"claude-sonnet-5":   {Input: 2, Output: 10, CacheRead: 0.20, CacheWrite: 2.50},
		"claude-sonnet-4-6": sonnet4,
		"claude-sonnet-4-5": sonnet4,
		"claude-sonnet-4-0": sonnet4,
		"claude-sonnet-4":   sonnet4,
		"claude-haiku-5-5": {
			Input: 0.10, Output: 0.50, CacheRead: 0.01, CacheWrite: 0.125,
			Long: &Price{Input: 0.50, Output: 2.50, CacheRead: 0.05, CacheWrite: 0.625}, LongFrom: 100_000,
		},
		"claude-haiku-4-5": {Input: 1, Output: 5, CacheRead: 0.10, CacheWrite: 1.25},
		"claude-3-5-haiku": {Input: 0.80, Output: 4, CacheRead: 0.08, CacheWrite: 1},
	}
}

func gpt() map[string]Price {
	const long = 272_000
	return map[string]Price{
		"gpt-5.5":      {Input: 5, Output: 30, CacheRead: 0.50, Long: &Price{Input: 10, Output: 45, CacheRead: 1}, LongFrom: long},
		"gpt-5.4":      {Input: 2.50, Output: 15, CacheRead: 0.25, Long: &Price{Input: 5, Output: 22.50, CacheRead: 0.50}, LongFrom: long},
		"gpt-5.4-mini": {Input: 0.75, Output: 4.50, CacheRead: 0.075},
		"gpt-5.4-nano": {Input: 0.20, Output: 1.25, CacheRead: 0.02},
		"gpt-5.2":      {Input: 1.75, Output: 14, CacheRead: 0.175},
		"gpt-5.1":      {Input: 1.25, Output: 10, CacheRead: 0.125},
		"gpt-5":        {Input: 1.25, Output: 10, CacheRead: 0.125},
		"gpt-5-mini":   {Input: 0.25, Output: 2, CacheRead: 0.025},
		"gpt-5-nano":   {Input: 0.05, Output: 0.40, CacheRead: 0.005},
		"gpt-4.1":      {Input: 2, Output: 8, CacheRead: 0.50},
		"gpt-4.1-mini": {Input: 0.40, Output: 1.60, CacheRead: 0.10},
		"gpt-4.1-nano": {Input: 0.10, Output: 0.40, CacheRead: 0.025},
		"gpt-4o":       {Input: 2.50, Output: 10, CacheRead: 1.25},
		"gpt-4o-mini":  {Input: 0.15, Output: 0.60, CacheRead: 0.075},
		"o3":           {Input: 2, Output: 8, CacheRead: 0.50},
		"o4-mini":      {Input: 1.10, Output: 4.40, CacheRead: 0.275},
	}
}

func gemini() map[string]Price {
	const long = 200_000
	return map[string]Price{
		"gemini-3.1-pro": {
			Input: 2, Output: 12, CacheRead: 0.20,
			Long: &Price{Input: 4, Output: 18, CacheRead: 0.40}, LongFrom: long,
		},
		"gemini-3.1-flash-lite": {Input: 0.25, Output: 1.50, CacheRead: 0.025},
		"gemini-3-flash":        {Input: 0.50, Output: 3, CacheRead: 0.05},
		"gemini-2.5-pro": {
			Input: 1.25, Output: 10, CacheRead: 0.125,
			Long: &Price{Input: 2.50, Output: 15, CacheRead: 0.25}, LongFrom: long,
		},
		"gemini-2.5-flash":      {Input: 0.30, Output: 2.50, CacheRead: 0.03},
		"gemini-2.5-flash-lite": {Input: 0.10, Output: 0.40, CacheRead: 0.01},
	}
}

// edition is what a name has behind the model: the day or the stage of a
// release, at the price of the model.
var edition = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(-latest|-preview|-\d{8}|-\d{4}-\d{2}-\d{2}|-\d{2}-\d{4})$`)
})

// Known returns the price of a well-known model at the API of its maker, one
// of anthropic, openai and google.
func Known(api, model string) (Price, bool) {
	prices := table(api)
	for name := strings.TrimPrefix(model, "models/"); ; {
		if p, ok := prices[name]; ok {
			return p, true
		}
		shorter := edition().ReplaceAllString(name, "")
		if shorter == name {
			return Price{}, false
		}
		name = shorter
	}
}
