package anthropic

import (
	"errors"
	"net/http"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
)

// plan is how one request is going to be put to the API.
type plan struct {
	req      *openclaw.Request
	traits   traits
	noReplay bool // leave the thinking of earlier answers out
	noThink  bool // do not ask for thinking, whatever the request says
	tries    int
}

func (a *Adapter) plan(req *openclaw.Request) *plan {
	return &plan{req: req, traits: a.traits(req.Model)}
}

// Tokens for thinking, on top of those for the answer: a limit on what a
// person reads should not starve the answer of a model that thinks first.
const (
	answerTokens = 8192 // when the request names no limit
	lowTokens    = 2048
	mediumTokens = 8192
	highTokens   = 24_576
	minBudget    = 1024 // the API's own
)

// level is the thinking the request asks for: "low", "medium", "high" or "".
func (p *plan) level() string {
	switch p.req.Thinking {
	case "low", "medium", "high":
		if !p.noThink && p.traits.mode != modeNever {
			return p.req.Thinking
		}
	}
	return ""
}

// budget returns the tokens set aside for thinking.
func (p *plan) budget() int {
	switch p.level() {
	case "low":
		return lowTokens
	case "medium":
		return mediumTokens
	case "high":
		return highTokens
	}
	if p.traits.unasked && p.offType() == "" {
		return mediumTokens
	}
	return 0
}

// offType is the thinking.type that turns thinking off, where the request
// wants it off and the model needs telling.
func (p *plan) offType() string {
	if p.req.Thinking == "off" && p.traits.unasked {
		return p.traits.off
	}
	return ""
}

// limits returns max_tokens, and how many of them a model with a budget may
// think. A thinking of 0 means that there is no room for any.
func (p *plan) limits() (maxTokens, thinking int) {
	answer := p.req.MaxTokens
	if answer <= 0 {
		answer = answerTokens
	}
	thinking = p.budget()
	maxTokens = answer + thinking
	if limit := p.traits.maxTokens; limit > 0 && maxTokens > limit {
		maxTokens = limit
		thinking = min(thinking, limit/2)
	}
	if thinking < minBudget {
		thinking = 0
	}
	return maxTokens, thinking
}

// lesson is what the API's refusals have taught about one model.
type lesson struct {
	noTemperature bool
	noEffort      bool
	mode          mode
	noOff         bool
}

func (l lesson) apply(t traits) traits {
	if l.noTemperature {
		t.sampling = false
	}
	if l.noEffort {
		t.effort = false
	}
	if l.mode != modeUnset {
		t.mode = l.mode
		t.effort = t.effort || l.mode == modeAdaptive && !l.noEffort
	}
	if l.noOff {
		t.off = ""
	}
	return t
}

// maxTries bounds the corrections of one request. Each one takes something out
// of it, so they end anyway.
const maxTries = 4

// adjust changes p so that it avoids what the API refused, and says whether
// there is something new to try. What holds for the model is remembered.
//
// The tables in traits.go go out of date whenever a model appears; the API's
// refusal does not.
func (a *Adapter) adjust(p *plan, err error) bool {
	var e *openclaw.Error
	if !errors.As(err, &e) {
		return false
	}
	var no *refusal
	if !errors.As(e.Err, &no) || no.status != http.StatusBadRequest || p.tries >= maxTries {
		return false
	}
	p.tries++
	said := strings.ToLower(no.message)
	if p.adjustOnce(said) {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.learned[p.req.Model]
	if !l.learn(said, p) {
		return false
	}
	a.learned[p.req.Model] = l
	p.traits = l.apply(p.traits)
	return true
}

// adjustOnce handles what has to do with this conversation alone: thinking
// blocks that the API no longer takes back because what stood before them
// changed, and an answer in progress that began without thinking.
func (p *plan) adjustOnce(said string) bool {
	switch {
	case !p.noReplay && strings.Contains(said, "thinking") && (strings.Contains(said, "signature") ||
		strings.Contains(said, "cannot be modified") || strings.Contains(said, "bound to a different")):
		p.noReplay = true
		return true
	case !p.noThink && p.level() != "" && strings.Contains(said, "expected `thinking`"):
		p.noThink = true
		return true
	}
	return false
}

func (l *lesson) learn(said string, p *plan) bool {
	before := *l
	switch {
	case strings.Contains(said, "temperature") && p.temperature() != nil:
		l.noTemperature = true
	case p.offType() != "" && strings.Contains(said, "thinking.type."+p.offType()):
		l.noOff = true
	case strings.Contains(said, "thinking.type.enabled") && p.traits.mode == modeBudget:
		l.mode = modeAdaptive
	case strings.Contains(said, "adaptive thinking is not supported") && p.traits.mode == modeAdaptive:
		l.mode = modeBudget
	case strings.Contains(said, "effort") && p.level() != "" && p.traits.effort:
		l.noEffort = true
	}
	return *l != before
}

// temperature is what is sent as such, or nil. The API takes none while the
// model thinks, and none above 1.
func (p *plan) temperature() *float64 {
	if p.req.Temperature == nil || !p.traits.sampling || p.level() != "" {
		return nil
	}
	t := min(*p.req.Temperature, 1)
	return &t
}
