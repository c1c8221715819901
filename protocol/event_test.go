package protocol_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// secret stands in every field that a client must not see.
const secret = "not for clients"

var (
	hidden = openclaw.Step{
		N: 3, Usage: &openclaw.Usage{Input: 99}, Opaque: json.RawMessage(`"` + secret + `"`), Provider: secret,
		Before: []openclaw.Part{{Kind: openclaw.PartThinking, Text: secret}},
	}
	spent = openclaw.Usage{Input: 10, Output: 2, CacheRead: 4, CacheWrite: 1, CostUSD: 0.25}
	usage = `{"input":10,"output":2,"cache_read":4,"cache_write":1,"cost_usd":0.25}`
)

// Each kind has the members that docs/protocol.md names, and nothing that the
// log keeps for the gateway alone.
func TestEventPayload(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	args := json.RawMessage(`{"command":"ls"}`)
	for _, tt := range []struct {
		body openclaw.Body
		want string // after the head
	}{
		{openclaw.TurnStarted{Source: openclaw.SourceSkill, User: "ann", Channel: secret, Text: "/x", Prompt: secret,
			Context: json.RawMessage(`"` + secret + `"`), IdempotencyKey: secret, Options: openclaw.TurnOptions{Model: secret}},
			`"source":"skill","user":"ann","text":"/x"`},
		{openclaw.TextWritten{Text: "hi", Step: hidden}, `"text":"hi"`},
		{openclaw.ToolCalled{CallID: "c", Tool: "shell", Args: args, Step: hidden}, `"call_id":"c","tool":"shell","args":{"command":"ls"}`},
		{openclaw.ToolReturned{CallID: "c", Tool: "shell", Output: "a\n"},
			`"call_id":"c","tool":"shell","output":"a\n","exit_code":0,"duration_ms":0`},
		{openclaw.ToolReturned{CallID: "c", Tool: "shell", ExitCode: 137, Truncated: true, OutputBytes: 1 << 40, DurationMS: 7},
			`"call_id":"c","tool":"shell","output":"","exit_code":137,"truncated":true,"output_bytes":1099511627776,"duration_ms":7`},
		{openclaw.ApprovalRequested{ApprovalID: "a", CallID: "c", Tool: "shell", Args: args, Reason: "r", ExpiresAt: at.Add(time.Minute)},
			`"approval_id":"a","call_id":"c","tool":"shell","args":{"command":"ls"},"reason":"r","expires_at":"2026-01-02T03:05:05.000Z"`},
		{openclaw.ApprovalResolved{ApprovalID: "a", Decision: "deny", By: "timeout"}, `"approval_id":"a","decision":"deny","by":"timeout"`},
		{openclaw.Compacted{BeforeSeq: 5}, `"before_seq":5,"summary":""`},
		{openclaw.ModelSwitched{From: "a/b", To: "c/d", Reason: "auth"}, `"from":"a/b","to":"c/d","reason":"auth"`},
		{openclaw.TurnCompleted{Text: "hi", Usage: spent, Model: "m", DurationMS: 9},
			`"text":"hi","tokens_used":12,"usage":` + usage + `,"model":"m","duration_ms":9`},
		{openclaw.TurnFailed{Code: openclaw.CodeTimeout, Message: "slow", RetryAfterMS: 77, Details: map[string]any{"x": secret}, Usage: spent},
			`"code":"TIMEOUT","message":"slow"`},
		{openclaw.TurnCancelled{By: "client", Usage: spent}, `"by":"client"`},
	} {
		kind := tt.body.Kind()
		t.Run(string(kind), func(t *testing.T) {
			ev := openclaw.Event{Session: "main", Seq: 4, RequestID: "r", Time: at, Body: tt.body}
			frame := string(protocol.Encode(protocol.TypeEvent, "", protocol.EventPayload(ev), at))
			want := `{"type":"event","payload":{"session":"main","seq":4,"kind":"` + string(kind) +
				`","request_id":"r","time":"2026-01-02T03:04:05.000Z",` + tt.want + `},"timestamp":"2026-01-02T03:04:05.000Z"}`
			if diff := cmp.Diff(want, frame); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(frame, secret) {
				t.Error("it shows what is not for clients")
			}
			readBack(t, frame, ev)
		})
	}
}

// readBack checks that a client finds the head and no member is lost on it.
func readBack(t *testing.T, frame string, ev openclaw.Event) {
	t.Helper()
	m, err := protocol.DecodeMessage([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	var got protocol.Event
	if err := m.Into(&got); err != nil || got.Kind != ev.Kind() || got.Seq != ev.Seq || got.Session != ev.Session {
		t.Errorf("a client reads %+v, %v", got, err)
	}
	var sent, known map[string]any
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if json.Unmarshal(m.Payload, &sent) != nil || json.Unmarshal(again, &known) != nil {
		t.Fatal("no object")
	}
	for name, value := range sent {
		empty := value == nil || value == "" || value == 0.0 || value == false
		if !empty && !cmp.Equal(value, known[name]) {
			t.Errorf("a client reads %s as %v, not %v", name, known[name], value)
		}
	}
}

// A delta and an event outside of turns have no seq and no request.
func TestEventHead(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	frame := protocol.Encode(protocol.TypeEvent, "", protocol.EventPayload(openclaw.Event{
		Session: "main", Time: at, Body: openclaw.Delta{Text: "h"},
	}), at)
	want := `{"type":"event","payload":{"session":"main","kind":"delta","time":"2026-01-02T03:04:05.000Z","text":"h"},"timestamp":"2026-01-02T03:04:05.000Z"}`
	if diff := cmp.Diff(want, string(frame)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every stored kind has a payload of its own beside the head.
func TestEventPayloadKnowsEveryKind(t *testing.T) {
	for _, kind := range []openclaw.Kind{
		openclaw.KindTurnStarted, openclaw.KindText, openclaw.KindToolCall, openclaw.KindToolResult, openclaw.KindApprovalRequested,
		openclaw.KindApprovalResolved, openclaw.KindCompacted, openclaw.KindModelSwitched, openclaw.KindTurnCompleted, openclaw.KindTurnFailed, openclaw.KindTurnCancelled,
	} {
		body, err := openclaw.DecodeBody(kind, []byte(`{"args":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, bare := protocol.EventPayload(openclaw.Event{Body: body}).(protocol.EventHead); bare {
			t.Errorf("%s is shown without its body", kind)
		}
	}
}
