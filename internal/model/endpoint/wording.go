package endpoint

import (
	"net/http"
	"strings"
)

// isOverflow knows the wordings, in lower case, by which servers say that a
// request is longer than the model's context.
func isOverflow(words string) bool {
	if containsAny(words, "per minute", "rate limit", "rate_limit") {
		// Groq, and OpenAI where one request alone is over the limit of a minute.
		return strings.Contains(words, "request too large")
	}
	if containsAny(words,
		"context_length_exceeded", "maximum context length", "reduce the length of the messages", // OpenAI, vLLM, Groq
		"exceed_context_size", "exceeds the available context size", // llama.cpp
		"context size has been exceeded", "context the overflows", "greater than the context length", // LM Studio
		"exceed context limit", "exceeds the context", "exceeded the context", "context window is full",
		"maximum context size", "maximum prompt length", "maximum model length",
		"prompt is too long", "prompt too long", "input is too long", "tokens_limit_reached",
		"input length exceeds", "exceeds maximum context", // Ollama
	) {
		return true
	}
	return strings.Contains(words, "input token") && strings.Contains(words, "exceed") ||
		strings.Contains(words, "context window") && strings.Contains(words, "exceed")
}

// IsOverflow says whether an API's own words mean that the request is longer
// than the model's context.
func IsOverflow(words string) bool { return isOverflow(strings.ToLower(words)) }

// isUnknownModel knows those by which they say that there is no such model.
func isUnknownModel(status int, words string) bool {
	return status == http.StatusNotFound ||
		containsAny(words, "model_not_found", "model_decommissioned", "not a valid model", "model not exist",
			"invalid_model", "invalid model", "model not found") ||
		strings.Contains(words, "model") && strings.Contains(words, "does not exist")
}

// isUnpaid knows those by which they say that the account is empty, which
// waiting does not change.
func isUnpaid(words string) bool {
	return containsAny(words, "insufficient_quota", "insufficient balance", "insufficient_balance", "insufficient credits",
		"exceeded your current quota", "billing_hard_limit") && !strings.Contains(words, "resource_exhausted")
}

// isBadKey knows those by which they refuse a key without the status for it.
func isBadKey(status int, words string) bool {
	return containsAny(words, "api_key_invalid", "api key not valid", "api key expired") ||
		status == 0 && containsAny(words, "invalid_api_key", "authentication")
}

// isFiltered knows those by which they refuse what a request is about.
func isFiltered(words string) bool {
	return containsAny(words, "content_filter", "content_policy", "content management policy",
		"bio_policy", "policy_violation", "flagged as potentially violating")
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
