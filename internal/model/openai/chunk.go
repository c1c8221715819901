package openai

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// chunk is one event of a stream, or the whole answer of an endpoint that does
// not stream. Only what is read is declared; the rest is ignored.
type chunk struct {
	Model   text           `json:"model"`
	Choices []choice       `json:"choices"`
	Usage   *wireUsage     `json:"usage"`
	Groq    *groq          `json:"x_groq"`
	Error   jsontext.Value `json:"error"`

	// Some servers send the error itself in place of a chunk.
	Object  text           `json:"object"`
	Type    text           `json:"type"`
	Message text           `json:"message"`
	Detail  jsontext.Value `json:"detail"`
}

type groq struct {
	Usage *wireUsage     `json:"usage"`
	Error jsontext.Value `json:"error"`
}

type choice struct {
	Index   count  `json:"index"`
	Delta   *delta `json:"delta"`
	Message *delta `json:"message"` // in place of Delta where the endpoint does not stream
	Finish  text   `json:"finish_reason"`
}

type delta struct {
	Content          jsontext.Value `json:"content"` // a string, or a list of parts
	Refusal          piece          `json:"refusal"`
	ReasoningContent piece          `json:"reasoning_content"`
	Reasoning        piece          `json:"reasoning"`
	ToolCalls        []callDelta    `json:"tool_calls"`
	FunctionCall     *called        `json:"function_call"` // the API's first form of a tool call
}

type callDelta struct {
	Index    *count         `json:"index"`
	ID       text           `json:"id"`
	Function called         `json:"function"`
	Extra    jsontext.Value `json:"extra_content"`
}

type called struct {
	Name      text  `json:"name"`
	Arguments piece `json:"arguments"` // an object as such is taken as its text
}

type wireUsage struct {
	PromptTokens     count `json:"prompt_tokens"`
	CompletionTokens count `json:"completion_tokens"`
	Details          struct {
		Cached count `json:"cached_tokens"`
		// CacheWrite is OpenRouter's.
		CacheWrite count `json:"cache_write_tokens"`
	} `json:"prompt_tokens_details"`
	CacheHit count  `json:"prompt_cache_hit_tokens"` // DeepSeek's
	Cost     amount `json:"cost"`                    // OpenRouter's, in US dollars
}

// tolerant reads what the servers write: a duplicate name or a broken
// character must not cost the whole answer.
func tolerant(data []byte, out any) error {
	return json.Unmarshal(data, out, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// text is a string that may be missing, null or of another type, whose JSON
// is then taken as the text.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, []byte("null")):
		*t = ""
	case b[0] == '"':
		var s string
		if err := tolerant(b, &s); err != nil {
			return err
		}
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

// count is a number of something, 0 where it is missing, null or no number.
type count int

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || f < 0 || f > 1<<40 || f != f {
		f = 0
	}
	*c = count(f)
	return nil
}

// amount is like count with a fraction.
type amount float64

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || f < 0 || f > 1e9 || f != f {
		f = 0
	}
	*a = amount(f)
	return nil
}

// failure returns the error a chunk reports, nil for none.
func (c *chunk) failure(event string, data []byte) []byte {
	if reports(c.Error) {
		return data
	}
	if c.Groq != nil && reports(c.Groq.Error) {
		return c.Groq.Error
	}
	bare := len(c.Choices) == 0 && (c.Message != "" || reports(c.Detail))
	if event == "error" || c.Object == "error" || bare && (c.Type == "error" || strings.Contains(string(c.Type), "_error") || reports(c.Detail)) {
		return data
	}
	return nil
}

func reports(v jsontext.Value) bool {
	return len(v) > 0 && v.Kind() != 'n' && v.Kind() != 'f' && string(v) != `""` && string(v) != `{}`
}
