package main

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

func message(t *testing.T, kind protocol.Type, payload any) protocol.Message {
	t.Helper()
	m, err := protocol.DecodeMessage(protocol.Encode(kind, "", payload, testTime))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func callOf(id, command string) protocol.ToolCall {
	return protocol.ToolCall{Tool: "shell", CallID: id, Args: jsontext.Value(`{"command":"` + command + `"}`)}
}

func delta(text string) protocol.Event {
	return protocol.Event{EventHead: protocol.EventHead{Kind: openclaw.KindDelta}, Text: text}
}

// TestTurnView shows a turn on one terminal: both streams end up in the same
// place.
func TestTurnView(t *testing.T) {
	tests := []struct {
		name   string
		live   bool
		show   []any // ToolCall, ToolResult, Event
		answer string
		want   string
	}{
		{
			name: "a call, its result, the answer as it comes", live: true,
			show: []any{
				callOf("1", "ls ~"), protocol.ToolResult{CallID: "1", Output: "Desktop\nnotes.txt\n"},
				delta("Here "), delta("they are.\nDesktop"),
			},
			answer: "Here they are.\nDesktop",
			want:   "→ shell ls ~\n  Desktop\n  notes.txt\n\nHere they are.\nDesktop\n",
		},
		{
			name: "text before a call ends its line", live: true,
			show:   []any{delta("Let me look."), callOf("1", "ls"), protocol.ToolResult{CallID: "1", ExitCode: 2, Output: "no"}},
			answer: "It failed.",
			want:   "Let me look.\n→ shell ls\n  no\n  exit 2\n\nIt failed.\n",
		},
		{
			name: "not live: once, at the end",
			show: []any{delta("He"), delta("llo")}, answer: "Hello\n", want: "Hello\n",
		},
		{
			name: "results in another order say whose they are", live: true,
			show: []any{
				callOf("1", "one"), callOf("2", "two"),
				protocol.ToolResult{CallID: "1", Output: "1"}, protocol.ToolResult{CallID: "2", Output: "2"},
			},
			answer: "ok", want: "→ shell one\n→ shell two\n← shell one\n  1\n← shell two\n  2\n\nok\n",
		},
		{
			name: "a hostile name stays text", live: true,
			show:   []any{callOf("1", `cat \u001b[2J\u202ex`), protocol.ToolResult{CallID: "1", Output: "\x1b]0;t\x07a\rb"}},
			answer: "\x1b[31mred", want: "→ shell cat <U+202E>x\n  ␛]0;t␇a\n  b\n\nred\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var screen strings.Builder
			v := &turnView{answer: &screen, tools: &screen, live: tt.live, together: true, columns: 80, calls: map[string]string{}}
			for _, payload := range tt.show {
				switch payload.(type) {
				case protocol.ToolCall:
					v.message(message(t, protocol.TypeToolCall, payload))
				case protocol.ToolResult:
					v.message(message(t, protocol.TypeToolResult, payload))
				default:
					v.message(message(t, protocol.TypeEvent, payload))
				}
			}
			v.finish(tt.answer)
			if diff := cmp.Diff(tt.want, screen.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCallLine(t *testing.T) {
	tests := []struct{ tool, args, want string }{
		{"shell", `{"command":"ls\n-l","timeout":5}`, "shell ls -l timeout=5"},
		{"write_file", `{"path":"a.txt","text":"hello"}`, `write_file a.txt text="hello"`},
		{"memory_search", `{"query":"cat","limit":3}`, "memory_search cat limit=3"},
		{"list", `{}`, "list"},
		{"odd", `[1]`, "odd [1]"},
		{"odd", `{"command":7}`, "odd command=7"},
	}
	for _, tt := range tests {
		if got := callLine(tt.tool, []byte(tt.args)); got != tt.want {
			t.Errorf("callLine(%s, %s) = %q, want %q", tt.tool, tt.args, got, tt.want)
		}
	}
}

func TestResultLines(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat("line\n", 30), "\n")
	tests := []struct {
		name   string
		result protocol.ToolResult
		want   []string
	}{
		{"nothing", protocol.ToolResult{}, []string{}},
		{"empty lines", protocol.ToolResult{Output: "\n\na\n \nb\n\n"}, []string{"a", "b"}},
		{"tabs", protocol.ToolResult{Output: "a\tb"}, []string{"a    b"}},
		{"one line too many is shown", protocol.ToolResult{Output: strings.Repeat("x\n", shownLines+1)}, strings.Split(strings.TrimSuffix(strings.Repeat("x\n", shownLines+1), "\n"), "\n")},
		{"many lines", protocol.ToolResult{Output: long}, append(strings.Split(long, "\n")[:shownLines:shownLines], "… 22 more lines")},
		{"timed out", protocol.ToolResult{ExitCode: 124}, []string{"exit 124 (timed out)"}},
		{"denied", protocol.ToolResult{ExitCode: 126}, []string{"exit 126 (denied)"}},
		{"killed", protocol.ToolResult{ExitCode: 137}, []string{"exit 137 (signal 9)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, resultLines(tt.result)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
