package google

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// Tokens for thinking. The API counts them among those of the answer, so they
// come on top: a limit on what a person reads should not starve the answer of a
// model that thinks first.
const (
	lowTokens    = 2048
	mediumTokens = 8192
	highTokens   = 24_576
	leastTokens  = 128 // what a Pro of the second generation cannot go below
)

// thinking is how a request asks a model to think.
type thinking struct {
	config *wireThinking // nil: not at all
	room   int           // tokens the answer gets on top
}

// thinkingOf translates Request.Thinking. Models of generation 2.5 take a
// number of tokens, later ones a level; earlier ones do not think. A Pro cannot
// be kept from thinking, so "off" is its least.
func thinkingOf(model, level string) thinking {
	f := family(model)
	gen := generation(f)
	pro := strings.Contains(f, "pro")
	tokens := map[string]int{"low": lowTokens, "medium": mediumTokens, "high": highTokens}[level]
	switch {
	case gen < 25:
		return thinking{}
	case level == "":
		return thinking{room: mediumTokens}
	case gen < 30:
		if level == "off" && pro {
			tokens = leastTokens
		}
		return thinking{&wireThinking{Include: level != "off", Budget: &tokens}, tokens}
	case level == "off" && pro:
		return thinking{&wireThinking{Level: "LOW"}, lowTokens}
	case level == "off":
		return thinking{&wireThinking{Level: "MINIMAL"}, leastTokens}
	case level == "medium" && strings.HasPrefix(f, "gemini-3-pro"):
		return thinking{&wireThinking{Include: true, Level: "HIGH"}, highTokens} // it knows low and high only
	}
	return thinking{&wireThinking{Include: true, Level: strings.ToUpper(level)}, tokens}
}

// signs says whether a model refuses a call in its history without a
// signature.
func signs(model string) bool { return generation(family(model)) >= 30 }

// family is a model's name without its path: "models/gemini-3-pro" is
// "gemini-3-pro".
func family(model string) string {
	return strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
}

// generation reads "gemini-2.5-flash" as 25. A name without a number, such as
// gemini-flash-latest, is the newest there is; one that is no Gemini does not
// think.
func generation(f string) int {
	rest, ok := strings.CutPrefix(f, "gemini-")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, "-")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v < 0 || v > 100 {
		return 30
	}
	return int(v*10 + 0.5)
}

// The limits of all models in service when this version was made.
const (
	knownWindow    = 1_048_576
	knownMaxTokens = 65_536
)

// knownModels lists those models.
func knownModels() []openclaw.ModelInfo {
	names := []string{
		"gemini-flash-latest", "gemini-3.8-flash", "gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite",
		"gemini-3.1-pro-preview", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite",
	}
	list := make([]openclaw.ModelInfo, len(names))
	for i, name := range names {
		list[i] = openclaw.ModelInfo{ID: name, ContextWindow: knownWindow, MaxTokens: knownMaxTokens}
	}
	return list
}

// mostTokens is the longest answer of a model, thoughts included.
func (a *Adapter) mostTokens(model string) int {
	i := slices.IndexFunc(a.models, func(m openclaw.ModelInfo) bool { return m.ID == model })
	if i >= 0 && a.models[i].MaxTokens > 0 {
		return a.models[i].MaxTokens
	}
	return knownMaxTokens
}

// quirks is what an endpoint has refused for a model, so that the next request
// leaves it out.
type quirks struct {
	noThinking bool
	noSystem   bool // Gemma: the instructions go into the conversation
	unsigned   bool // a signature was refused; it holds for one request only
}

// maxLearned bounds the models whose quirks are remembered.
const maxLearned = 256

func (a *Adapter) quirks(model string) quirks {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.learned[model]
}

func (a *Adapter) learn(model string, known, q quirks) {
	if q.unsigned = false; q == known {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.learned) >= maxLearned {
		clear(a.learned)
	}
	a.learned[model] = q
}

// adapt returns q changed by a refusal that names something to leave out, and
// whether it did.
func (q quirks) adapt(status int, refusal string) (quirks, bool) {
	if status != http.StatusBadRequest {
		return q, false
	}
	was, text := q, strings.ToLower(refusal)
	switch {
	case strings.Contains(text, "developer instruction") || strings.Contains(text, "system instruction"):
		q.noSystem = true
	case strings.Contains(text, "signature"):
		q.unsigned = true
	case strings.Contains(text, "thinking"):
		q.noThinking = true
	}
	return q, q != was
}
