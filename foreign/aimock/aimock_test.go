package aimock

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
	"github.com/openclaw/openclaw-go/internal/model/openai"
)

// patience bounds the start of the server and its end.
const patience = 30 * time.Second

// serve starts aimock and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	node := need(t)
	cmd := exec.CommandContext(t.Context(), node, "serve.mjs")
	cmd.WaitDelay = patience
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		slow.Reset(patience)
		_ = in.Close()
		_ = cmd.Wait() // how it ends does not matter
		slow.Stop()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	slow.Stop()
	if err != nil && !errors.Is(err, io.EOF) || !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Fatalf("aimock did not start: %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// need returns the node program, or skips the test where it or aimock is
// missing.
func need(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node_modules/@copilotkit/aimock/package.json")
	}
	switch {
	case err == nil:
	case os.Getenv("CI_FOREIGN") == "1":
		t.Fatalf("aimock is not installed: %v", err)
	default:
		t.Skipf("aimock is not installed (npm ci --prefix foreign/aimock): %v", err)
	}
	return node
}

func ask(text string, tools ...string) *openclaw.Request {
	req := &openclaw.Request{Model: "gpt-4.1", System: "Be brief.", MaxTokens: 100, Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, text)}}
	for _, name := range tools {
		req.Tools = append(req.Tools, openclaw.ToolSpec{Name: name, Description: "A tool.", Parameters: json.RawMessage(`{"type":"object"}`)})
	}
	return req
}

func TestOpenAI(t *testing.T) {
	url := serve(t)
	model, err := openai.New(openai.Options{BaseURL: url + "/v1", APIKey: "sk-mock-0123456789"})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("text", func(t *testing.T) {
		a := modeltest.Collect(t, model.Stream(t.Context(), ask("greet me")))
		if a.Err != nil || a.Text() != "Hello from a mock nobody here wrote: äöü 🎈." || a.Stop != openclaw.StopEnd || len(a.Deltas) < 5 {
			t.Errorf("got\n%s", a)
		}
		if want := (openclaw.Usage{Input: 11, Output: 7}); a.Usage != want {
			t.Errorf("usage %+v, want %+v", a.Usage, want)
		}
	})
	t.Run("tool turn", func(t *testing.T) { toolTurn(t, model) })
	t.Run("answers", func(t *testing.T) { answers(t, model) })
	t.Run("refusals", func(t *testing.T) { refusals(t, model) })
	t.Run("cut streams", func(t *testing.T) { cutStreams(t, model) })
	t.Run("no first byte", func(t *testing.T) {
		hasty, err := openai.New(openai.Options{BaseURL: url + "/v1", Timeout: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		a := modeltest.Collect(t, hasty.Stream(t.Context(), ask("never begin")))
		if a.Kind() != "timeout" {
			t.Errorf("got\n%s", a)
		}
	})
}

// toolTurn goes through a turn with two calls: the mock gives its last answer
// only to a request that holds the second result beside the id of its call.
func toolTurn(t *testing.T, model openclaw.Model) {
	req := ask("list my files", "read_file", "shell")
	a := modeltest.Collect(t, model.Stream(t.Context(), req))
	want := []openclaw.Call{
		{ID: "call_files", Tool: "shell", Args: json.RawMessage(`{"command":"ls -1 \"$HOME\""}`)},
		{ID: "call_notes", Tool: "read_file", Args: json.RawMessage(`{"path":"notes.md"}`)},
	}
	if diff := cmp.Diff(want, a.Calls()); diff != "" || a.Stop != openclaw.StopToolCall {
		t.Fatalf("stop %q, calls (-want +got):\n%s", a.Stop, diff)
	}
	req.Messages = append(req.Messages,
		openclaw.Message{Role: openclaw.RoleAssistant, Parts: a.Parts},
		openclaw.Message{Role: openclaw.RoleTool, Parts: []openclaw.Part{
			{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: "call_files", Output: "a.txt\nnotes.md"}},
			{Kind: openclaw.PartToolResult, Result: &openclaw.Result{CallID: "call_notes", Output: "remember the milk"}},
		}})
	a = modeltest.Collect(t, model.Stream(t.Context(), req))
	if a.Text() != "You have a.txt and notes.md." || a.Stop != openclaw.StopEnd {
		t.Errorf("got\n%s", a)
	}
}

func answers(t *testing.T, model openclaw.Model) {
	tests := []struct {
		say   string
		stop  openclaw.StopReason
		kinds []openclaw.PartKind
	}{
		{"say and do", openclaw.StopToolCall, []openclaw.PartKind{openclaw.PartText, openclaw.PartToolCall}},
		{"do and say", openclaw.StopToolCall, []openclaw.PartKind{openclaw.PartToolCall, openclaw.PartText}},
		{"think first", openclaw.StopEnd, []openclaw.PartKind{openclaw.PartThinking, openclaw.PartText}},
		{"run out of room", openclaw.StopLength, []openclaw.PartKind{openclaw.PartText}},
		{"be filtered", openclaw.StopFilter, []openclaw.PartKind{openclaw.PartText}},
		{"take your time", openclaw.StopEnd, []openclaw.PartKind{openclaw.PartText}},
	}
	for _, tt := range tests {
		t.Run(tt.say, func(t *testing.T) {
			req := ask(tt.say, "shell")
			if tt.say == "think first" {
				req.Model = "gpt-5" // the mock gives thinking to models that think
			}
			a := modeltest.Collect(t, model.Stream(t.Context(), req))
			var kinds []openclaw.PartKind
			for _, p := range a.Parts {
				kinds = append(kinds, p.Kind)
			}
			if a.Stop != tt.stop || !cmp.Equal(kinds, tt.kinds) {
				t.Errorf("want stop %s after %v, got\n%s", tt.stop, tt.kinds, a)
			}
		})
	}
}

func refusals(t *testing.T, model openclaw.Model) {
	tests := []struct {
		with string
		code openclaw.Code
		kind string
	}{
		{"400", openclaw.CodeModelError, "bad_request"},
		{"401", openclaw.CodeModelUnavailable, "auth"},
		{"403", openclaw.CodeModelUnavailable, "auth"},
		{"404", openclaw.CodeModelNotFound, "bad_request"},
		{"408", openclaw.CodeModelUnavailable, "timeout"},
		{"413", openclaw.CodeContextOverflow, "context_overflow"},
		{"429", openclaw.CodeModelUnavailable, "rate_limited"},
		{"500", openclaw.CodeModelUnavailable, "overloaded"},
		{"503", openclaw.CodeModelUnavailable, "overloaded"},
		{"529", openclaw.CodeModelUnavailable, "overloaded"},
		{"the context", openclaw.CodeContextOverflow, "context_overflow"},
	}
	for _, tt := range tests {
		t.Run(tt.with, func(t *testing.T) {
			a := modeltest.Collect(t, model.Stream(t.Context(), ask("fail with "+tt.with)))
			var e *openclaw.Error
			if !errors.As(a.Err, &e) || e.Code != tt.code || a.Kind() != tt.kind {
				t.Fatalf("want %s %s, got\n%s", tt.code, tt.kind, a)
			}
			if status := fmt.Sprint(e.Details["status"]); tt.with != "the context" && status != tt.with {
				t.Errorf("the details say status %s", status)
			}
			if tt.with == "429" && e.RetryAfter != 3*time.Second {
				t.Errorf("retry after %s, want 3s", e.RetryAfter)
			}
		})
	}
}

func cutStreams(t *testing.T, model openclaw.Model) {
	for say, deltas := range map[string]int{
		"break off": 1, // after four of them
		"hang up":   0, // after 50 ms, which a busy machine may spend on none
	} {
		a := modeltest.Collect(t, model.Stream(t.Context(), ask(say)))
		if a.Kind() != "cut_stream" || openclaw.CodeOf(a.Err) != openclaw.CodeModelUnavailable || len(a.Deltas) < deltas {
			t.Errorf("%s: want a cut stream after %d deltas or more, got\n%s", say, deltas, a)
		}
	}
}
