package openai

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go/internal/model/loose"
)

// chunk is one event of a stream, or the whole answer of an endpoint that does
// not stream. Only what is read is declared; the rest is ignored.
type chunk struct {
	Model   loose.Text     `json:"model"`
	Choices []choice       `json:"choices"`
	Usage   *wireUsage     `json:"usage"`
	Groq    *groq          `json:"x_groq"`
	Error   jsontext.Value `json:"error"`

	// Some servers send the error itself in place of a chunk.
	Object  loose.Text     `json:"object"`
	Type    loose.Text     `json:"type"`
	Message loose.Text     `json:"message"`
	Detail  jsontext.Value `json:"detail"`
}

type groq struct {
	Usage *wireUsage     `json:"usage"`
	Error jsontext.Value `json:"error"`
}

type choice struct {
	Index   loose.Count `json:"index"`
	Delta   *delta      `json:"delta"`
	Message *delta      `json:"message"` // in place of Delta where the endpoint does not stream
	Finish  loose.Text  `json:"finish_reason"`
}

type delta struct {
	Content          jsontext.Value `json:"content"` // a string, or a list of parts
	Refusal          loose.Piece    `json:"refusal"`
	ReasoningContent loose.Piece    `json:"reasoning_content"`
	Reasoning        loose.Piece    `json:"reasoning"`
	ToolCalls        []callDelta    `json:"tool_calls"`
	FunctionCall     *called        `json:"function_call"` // the API's first form of a tool call
}

type callDelta struct {
	Index    *loose.Count   `json:"index"`
	ID       loose.Text     `json:"id"`
	Function called         `json:"function"`
	Extra    jsontext.Value `json:"extra_content"`
}

type called struct {
	Name      loose.Text  `json:"name"`
	Arguments loose.Piece `json:"arguments"` // an object as such is taken as its text
}

type wireUsage struct {
	PromptTokens     loose.Count `json:"prompt_tokens"`
	CompletionTokens loose.Count `json:"completion_tokens"`
	Details          struct {
		Cached loose.Count `json:"cached_tokens"`
		// CacheWrite is OpenRouter's.
		CacheWrite loose.Count `json:"cache_write_tokens"`
	} `json:"prompt_tokens_details"`
	CacheHit loose.Count  `json:"prompt_cache_hit_tokens"` // DeepSeek's
	Cost     loose.Amount `json:"cost"`                    // OpenRouter's, in US dollars
}

// contentOf separates the text of a content from the thinking some servers
// put beside it in a list of parts.
func contentOf(v jsontext.Value) (said, thought loose.Piece) {
	if len(v) == 0 {
		return "", ""
	}
	if v.Kind() == '"' {
		_ = said.UnmarshalJSON(v) // what cannot be read says nothing
		return said, ""
	}
	if v.Kind() != '[' {
		return "", ""
	}
	var parts []struct {
		Text     loose.Piece    `json:"text"`
		Thinking jsontext.Value `json:"thinking"` // a string or again a list of parts
	}
	if loose.Unmarshal(v, &parts) != nil {
		return "", ""
	}
	for _, p := range parts {
		said += p.Text
		inner, _ := contentOf(p.Thinking)
		thought += inner
	}
	return said, thought
}

// failure returns the error a chunk reports, nil for none.
func (c *chunk) failure(event string, data []byte) []byte {
	if loose.Says(c.Error) {
		return data
	}
	if c.Groq != nil && loose.Says(c.Groq.Error) {
		return c.Groq.Error
	}
	bare := len(c.Choices) == 0 && (c.Message != "" || loose.Says(c.Detail))
	if event == "error" || c.Object == "error" || bare && (c.Type == "error" || strings.Contains(string(c.Type), "_error") || loose.Says(c.Detail)) {
		return data
	}
	return nil
}
