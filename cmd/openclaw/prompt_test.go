package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// modelAPI is a model's server that keeps the requests it gets. It answers each
// message of the user with two calls of the file tools and then with a text.
type modelAPI struct {
	url    string
	answer func(w io.Writer, calls [][2]string, text string) // in the API's own words

	mu     sync.Mutex
	bodies [][]byte
}

func newModelAPI(t *testing.T, answer func(w io.Writer, calls [][2]string, text string)) *modelAPI {
	api := &modelAPI{answer: answer}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	api.url = server.URL
	return api
}

func (a *modelAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bodies = append(a.bodies, body)
	n := len(a.bodies)
	w.Header().Set("Content-Type", "text/event-stream")
	switch (n - 1) % 3 {
	case 0:
		a.answer(w, [][2]string{{fmt.Sprint("call_", n, "a"), `{"path":"."}`}, {fmt.Sprint("call_", n, "b"), `{"path":"."}`}}, "Let me look.")
	case 1:
		a.answer(w, [][2]string{{fmt.Sprint("call_", n), fmt.Sprintf(`{"path":"notes-%d.txt"}`, n%7)}}, "")
	default:
		a.answer(w, nil, strings.Repeat(fmt.Sprintf("The answer of request %d is in the notes. ", n), 8))
	}
}

// sayOpenAI streams an answer of the Chat Completions API.
func sayOpenAI(w io.Writer, calls [][2]string, text string) {
	event := func(v any) {
		data, _ := json.Marshal(v)
		fmt.Fprintf(w, "data: %s\n\n", data)
	}
	choice := func(delta any, reason any) {
		event(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": reason}}})
	}
	if text != "" {
		choice(map[string]any{"content": text}, nil)
	}
	for i, c := range calls {
		choice(map[string]any{"tool_calls": []any{map[string]any{"index": i, "id": c[0], "type": "function",
			"function": map[string]any{"name": toolFor(c[1]), "arguments": c[1]}}}}, nil)
	}
	reason := "stop"
	if len(calls) > 0 {
		reason = "tool_calls"
	}
	choice(map[string]any{}, reason)
	event(map[string]any{"choices": []any{}, "usage": map[string]any{"prompt_tokens": 1000, "completion_tokens": 50}})
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// sayAnthropic streams an answer of the Messages API.
func sayAnthropic(w io.Writer, calls [][2]string, text string) {
	event := func(kind string, v map[string]any) {
		v["type"] = kind
		data, _ := json.Marshal(v)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, data)
	}
	event("message_start", map[string]any{"message": map[string]any{"id": "m", "role": "assistant", "model": "claude-opus-4-6",
		"content": []any{}, "usage": map[string]any{"input_tokens": 1000, "output_tokens": 1}}})
	n := 0
	block := func(begin, delta map[string]any) {
		event("content_block_start", map[string]any{"index": n, "content_block": begin})
		event("content_block_delta", map[string]any{"index": n, "delta": delta})
		event("content_block_stop", map[string]any{"index": n})
		n++
	}
	if text != "" {
		block(map[string]any{"type": "text", "text": ""}, map[string]any{"type": "text_delta", "text": text})
	}
	for _, c := range calls {
		block(map[string]any{"type": "tool_use", "id": c[0], "name": toolFor(c[1]), "input": map[string]any{}},
			map[string]any{"type": "input_json_delta", "partial_json": c[1]})
	}
	reason := "end_turn"
	if len(calls) > 0 {
		reason = "tool_use"
	}
	event("message_delta", map[string]any{"delta": map[string]any{"stop_reason": reason}, "usage": map[string]any{"output_tokens": 50}})
	event("message_stop", map[string]any{})
}

func toolFor(args string) string {
	if strings.Contains(args, "notes") {
		return "read_file"
	}
	return "list_files"
}

// turns lets a gateway with the API talk for n turns and returns the requests.
func (a *modelAPI) turns(t *testing.T, provider string, n int) [][]byte {
	t.Helper()
	s := serveApp(t, "OPENCLAW_PROVIDER="+provider, "OPENCLAW_BRAIN_MODEL=claude-opus-4-6",
		"OPENCLAW_BRAIN_API_KEY=sk-measured-0123456789abcdef", "OPENCLAW_BRAIN_BASE_URL="+a.url)
	workspace := s.parts.config().Hands.Workspace
	if err := os.MkdirAll(workspace, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		text := strings.Repeat(fmt.Sprintf("line of notes %d, with <|im_start|> in it\n", i), 20)
		if err := os.WriteFile(filepath.Join(workspace, fmt.Sprintf("notes-%d.txt", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		done := make(turnEnd, 1)
		text := fmt.Sprintf("question %d: %s", i, strings.Repeat("what do the notes say? ", i%5+1))
		if n == 1 {
			text = "hello"
		}
		s.hub.Submit(session.Request{Session: "main", ID: fmt.Sprint("r", i), Observer: done, Started: openclaw.TurnStarted{
			Source: openclaw.SourceClient, Text: text, Recall: strings.Repeat("the owner likes tea\n", i%2),
		}})
		if o := <-done; o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bodies
}

// turnEnd is an observer that waits for the end of a turn.
type turnEnd chan session.Outcome

func (turnEnd) Event(*session.Delivery)  {}
func (e turnEnd) Done(o session.Outcome) { e <- o }

// cached puts a request of the Messages API in the order in which its cache
// reads it, without the marks, which are no part of what is cached.
func cached(t *testing.T, body []byte) []byte {
	t.Helper()
	var parts map[string]jsontext.Value
	if err := json.Unmarshal(body, &parts); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(bytes.Join([][]byte{parts["tools"], parts["system"], parts["messages"]}, []byte("\n")),
		[]byte(`,"cache_control":{"type":"ephemeral"}`), nil)
}

// prefixShare returns which part of each body, on average, is an exact prefix
// of the next one.
func prefixShare(bodies [][]byte) float64 {
	sum := 0.0
	for i, body := range bodies[:len(bodies)-1] {
		same := 0
		for same < min(len(body), len(bodies[i+1])) && body[same] == bodies[i+1][same] {
			same++
		}
		sum += float64(same) / float64(len(body))
	}
	return sum / float64(len(bodies)-1)
}

// TestPromptIsAppendOnly: what a provider has cached of one request serves the
// next one.
func TestPromptIsAppendOnly(t *testing.T) {
	t.Run("openai", func(t *testing.T) {
		wantShare(t, newModelAPI(t, sayOpenAI).turns(t, "openai", 30), 0.99)
	})
	t.Run("anthropic", func(t *testing.T) {
		bodies := newModelAPI(t, sayAnthropic).turns(t, "anthropic", 30)
		read := make([][]byte, len(bodies))
		for i, body := range bodies {
			read[i] = cached(t, body)
			if n := bytes.Count(body, []byte(`"cache_control"`)); n > 4 {
				t.Errorf("request %d has %d marks, and the API takes 4", i, n)
			}
		}
		wantShare(t, read, 0.99)
	})
}

func wantShare(t *testing.T, bodies [][]byte, least float64) {
	t.Helper()
	if len(bodies) != 90 {
		t.Errorf("%d requests, want 90", len(bodies))
	}
	if got := prefixShare(bodies); got < least {
		t.Errorf("%.4f of a request is a prefix of the next, want %.2f", got, least)
	} else {
		t.Logf("%.4f of a request is a prefix of the next", got)
	}
}

// TestPromptOfHello weighs the whole request for a bare "hello" with all
// default tools.
func TestPromptOfHello(t *testing.T) {
	for provider, say := range map[string]func(io.Writer, [][2]string, string){"openai": sayOpenAI, "anthropic": sayAnthropic} {
		body := newModelAPI(t, say).turns(t, provider, 1)[0]
		if len(body) >= 8000 {
			t.Errorf("%s: %d bytes, want less than 8,000", provider, len(body))
		}
		t.Logf("%s: %d bytes", provider, len(body))
	}
}
