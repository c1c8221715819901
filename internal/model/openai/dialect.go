package openai

import (
	"net/http"
	"strings"

	"github.com/openclaw/openclaw-go/internal/model/endpoint"
)

// quirks is what an endpoint has refused for a model, so that the next request
// leaves it out.
type quirks struct {
	swapMax       bool // it wants the other name of the limit on the answer
	noUsage       bool // it knows no stream_options
	noTemperature bool
	noEffort      bool
}

// maxLearned bounds the models whose quirks are remembered.
const maxLearned = 256

func (a *Adapter) quirks(model string) quirks {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.learned[model]
}

func (a *Adapter) learn(model string, q quirks) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.learned) >= maxLearned {
		clear(a.learned)
	}
	a.learned[model] = q
}

// adapt returns q changed by a refusal that names an optional field of the
// request, and whether it did.
func (q quirks) adapt(status int, refusal string, sent *wireRequest) (quirks, bool) {
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return q, false
	}
	text := strings.ToLower(refusal)
	if endpoint.IsOverflow(text) || !containsAny(text, "unsupported", "not supported", "does not support", "unrecognized",
		"unknown", "unexpected", "not permitted", "not allowed", "extra_forbidden", "extra inputs", "instead") {
		return q, false
	}
	names := func(field string) bool { return strings.Contains(text, field) }
	was := q
	switch {
	case sent.MaxTokens > 0 && names("max_tokens"), sent.MaxCompletionTokens > 0 && names("max_completion_tokens"):
		q.swapMax = true
	case sent.StreamOptions != nil && (names("stream_options") || names("include_usage")):
		q.noUsage = true
	case sent.ReasoningEffort != "" && names("reasoning"):
		q.noEffort = true
	case sent.Temperature != nil && names("temperature"):
		q.noTemperature = true
	}
	return q, q != was
}

// openAIHost says whether a host is OpenAI's own or Microsoft's copy of it,
// which know max_completion_tokens for every model.
func openAIHost(host string) bool {
	host = strings.ToLower(host)
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") || strings.HasSuffix(host, ".azure.com")
}

// family is a model's name without the parts that differ from one endpoint to
// the next: "openai/o3-mini:floor" is "o3-mini".
func family(model string) string {
	model = strings.ToLower(model)
	model = model[strings.LastIndexByte(model, '/')+1:]
	model, _, _ = strings.Cut(model, ":")
	return model
}

// limitsCompletion says whether the limit on the answer is called
// max_completion_tokens: the older max_tokens is refused by OpenAI's reasoning
// models, and the newer name is not known to many copies.
func (a *Adapter) limitsCompletion(model string, q quirks) bool {
	newer := a.openai || openAIReasoning(family(model))
	return newer != q.swapMax
}

func openAIReasoning(f string) bool {
	return hasPrefix(f, "o1", "o3", "o4", "gpt-5", "gpt-6", "codex-")
}

// effort translates Request.Thinking to reasoning_effort, "" being the model's
// own default and all that a model without the field can be sent.
func effort(model, thinking string) string {
	f := family(model)
	takes := openAIReasoning(f) && !hasPrefix(f, "o1-mini", "o1-preview", "gpt-5-chat") ||
		hasPrefix(f, "gpt-oss", "grok-3-mini", "grok-4", "gemini-2.5", "gemini-3", "deepseek-v4")
	if !takes {
		return ""
	}
	switch thinking {
	case "low", "medium", "high":
		return thinking
	case "off":
		return leastEffort(f)
	}
	return ""
}

// leastEffort is the nearest to "off" that a model takes.
func leastEffort(f string) string {
	switch {
	case hasPrefix(f, "gpt-5.", "gpt-6") && !strings.Contains(f, "codex"):
		return "none"
	case hasPrefix(f, "gpt-5-pro"):
		return "" // takes high only
	case hasPrefix(f, "gpt-5") && !strings.Contains(f, "codex"):
		return "minimal"
	case hasPrefix(f, "gemini-2.5-flash"):
		return "none"
	case hasPrefix(f, "deepseek"):
		return ""
	}
	return "low"
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
