package openai

import (
	"net/http"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
)

// quirks is what an endpoint has refused for a model, so that the next request
// leaves it out.
type quirks struct {
	swapMax       bool // it wants the other name of the limit on the answer
	noUsage       bool // it knows no stream_options
	noTemperature bool
	noEffort      bool
	noImages      bool
	noSummary     bool // of its reasoning: OpenAI gives it to verified organisations
	noEncrypted   bool // it keeps no reasoning
	forgetful     bool // it did not know its own reasoning again; for one request only
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

// adapt returns q changed by a refusal that names something of the request
// that can be left out, and whether it did.
func (q quirks) adapt(status int, refusal string, req *openclaw.Request, sent any) (quirks, bool) {
	was, text := q, strings.ToLower(refusal)
	if shows(req) && !q.noImages && refusesImages(status, text) {
		q.noImages = true
		return q, true
	}
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity || endpoint.IsOverflow(text) {
		return q, false
	}
	if r, ok := sent.(*wireResponses); ok {
		q = q.adaptResponses(text, r)
		return q, q != was
	}
	r, ok := sent.(*wireRequest)
	if !ok || !refusesField(text) {
		return q, false
	}
	names := func(field string) bool { return strings.Contains(text, field) }
	switch {
	case r.MaxTokens > 0 && names("max_tokens"), r.MaxCompletionTokens > 0 && names("max_completion_tokens"):
		q.swapMax = true
	case r.StreamOptions != nil && (names("stream_options") || names("include_usage")):
		q.noUsage = true
	case r.ReasoningEffort != "" && names("reasoning"):
		q.noEffort = true
	case r.Temperature != nil && names("temperature"):
		q.noTemperature = true
	}
	return q, q != was
}

func (q quirks) adaptResponses(text string, sent *wireResponses) quirks {
	names := func(field string) bool { return strings.Contains(text, field) }
	switch {
	case names("encrypted") && containsAny(text, "verif", "decrypt", "invalid_encrypted_content"):
		q.forgetful = true
	case len(sent.Include) > 0 && names("encrypted"):
		q.noEncrypted = true
	case sent.Reasoning != nil && sent.Reasoning.Summary != "" && names("summar"):
		q.noSummary = true
	case !refusesField(text):
	case sent.Reasoning != nil && names("reasoning"):
		q.noEffort = true
	case sent.Temperature != nil && names("temperature"):
		q.noTemperature = true
	}
	return q
}

// refusesField says whether a refusal means a field and not its value.
func refusesField(text string) bool {
	return containsAny(text, "unsupported", "not supported", "does not support", "unrecognized",
		"unknown", "unexpected", "not permitted", "not allowed", "extra_forbidden", "extra inputs", "instead")
}

// refusesImages knows the wordings by which servers say that a model, or they
// themselves, take no pictures, and not that one is broken.
func refusesImages(status int, text string) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusInternalServerError:
	default:
		return false
	}
	if containsAny(text, "invalid_image", "image_parse", "image_too", "base64", "corrupt", "too large") {
		return false
	}
	return containsAny(text, "image", "vision", "multimodal") && (refusesField(text) || containsAny(text, "no endpoints", "only supported", "text-only", "expected `text`", "is not a multimodal")) ||
		containsAny(text, "content must be a string", "content should be a valid string")
}

// shows says whether a request holds a picture.
func shows(req *openclaw.Request) bool {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Kind == openclaw.PartImage {
				return true
			}
		}
	}
	return false
}

// usesResponses says whether a model is asked by the Responses API.
func (a *Adapter) usesResponses(model string) bool {
	switch {
	case a.chat == "":
		return true
	case a.responses == "":
		return false
	}
	f := family(model)
	return a.official && openAIReasoning(f) && !hasPrefix(f, "o1-mini", "o1-preview", "gpt-5-chat")
}

// Tokens for reasoning, which OpenAI counts among those of the answer: a limit
// on what a person reads should not starve the answer of a model that thinks
// first.
var effortTokens = map[string]int{"minimal": 1024, "low": 2048, "medium": 8192, "high": 24_576, "xhigh": 32_768}

// effortRoom is what a model that reasons gets on top of the answer.
func effortRoom(model, thinking string) int {
	e := effort(model, thinking)
	if e == "" && openAIReasoning(family(model)) {
		e = "medium" // unasked
	}
	return effortTokens[e]
}

// limit returns the most tokens to write, 0 for the endpoint's own bound.
func (a *Adapter) limit(req *openclaw.Request) int {
	if req.MaxTokens <= 0 {
		return 0
	}
	limit := req.MaxTokens
	if openAIReasoning(family(req.Model)) {
		limit += effortRoom(req.Model, req.Thinking)
	}
	i := slices.IndexFunc(a.models, func(m openclaw.ModelInfo) bool { return m.ID == req.Model })
	if i >= 0 && a.models[i].MaxTokens > 0 {
		limit = min(limit, a.models[i].MaxTokens)
	}
	return limit
}

// openAIHost says whether a host is OpenAI's own or Microsoft's copy of it,
// which know max_completion_tokens for every model.
func openAIHost(host string) bool {
	host = strings.ToLower(host)
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") || strings.HasSuffix(host, ".azure.com")
}

// officialHost says whether a host is OpenAI's own, where models are served
// that have no chat completions.
func officialHost(host string) bool {
	host = strings.ToLower(host)
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com")
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
