package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go/protocol"
)

// emailSkill is a skill with the name that the page's example has.
const emailSkill = `---
name: email-assistant
description: Looks through the mail.
---

run: echo no urgent mail
`

// TestThePage sends the messages of the gateway's API page byte for byte, and
// wants every field the page names, of the type it shows, and beside them only
// the additions that the protocol lists.
func TestThePage(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("skills/email-assistant/SKILL.md", emailSkill)
	for _, name := range []string{"Desktop", "Documents", "Downloads"} {
		if err := os.Mkdir(filepath.Join(h.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g := h.start()
	s := g.socket("/", nil)

	s.send(page(t, "chat"))
	call := s.next()
	wantFrame(t, call, "tool_call", "", `{"tool":"s","args":{},"status":"s"}`, "request_id", "call_id", "session", "seq")
	if c := decode[protocol.ToolCall](t, call); c.Tool != "shell" || string(c.Args) != `{"command":"ls ~"}` || c.Status != "executing" {
		t.Errorf("the tool call is %s", call.text)
	}
	result := s.next()
	wantFrame(t, result, "tool_result", "", `{"tool":"s","output":"s","exit_code":1}`, "request_id", "call_id", "session", "seq")
	if r := decode[protocol.ToolResult](t, result); r.Tool != "shell" || r.Output != "Desktop\nDocuments\nDownloads\n" || r.ExitCode != 0 {
		t.Errorf("the tool result is %s", result.text)
	}
	response := s.next()
	wantFrame(t, response, "response", "msg-001", `{"text":"s","tool_calls":[],"tokens_used":1}`,
		"session", "model", "usage", "duration_ms", "seq")
	if r := decode[protocol.Response](t, response); !containsAll(r.Text, "Desktop", "Documents", "Downloads") ||
		len(r.ToolCalls) != 1 || r.TokensUsed <= 0 {
		t.Errorf("the response is %s", response.text)
	}

	s.send(page(t, "heartbeat_trigger"))
	beat := s.next()
	wantFrame(t, beat, "heartbeat_status", "generated", `{"result":"s","actions_taken":1,"tokens_used":1}`)
	if b := decode[protocol.HeartbeatStatus](t, beat); b.Result != protocol.HeartbeatOK {
		t.Errorf("the heartbeat is %s", beat.text)
	}

	s.send(page(t, "status"))
	status := s.next()
	wantFrame(t, status, "status", "generated", `{"state":"s","version":"s","started_at":"s","uptime_seconds":1,"model":"s",
		"provider":"s","connections":1,"sessions":1,"active_turns":1,"queued_turns":1,"heartbeat":{},"skills":{},"tools":[],
		"memory":{},"usage_today":{},"channels":{}}`, "sandbox")
	if p := decode[protocol.Status](t, status); p.Connections != 1 || p.Sessions != 1 || p.Skills.Loaded < 1 || p.UsageToday.Tokens <= 0 {
		t.Errorf("the status is %s", status.text)
	}

	s.send(page(t, "skill_invoke"))
	skill := s.answer(decode[protocol.ToolCall](t, s.next()).RequestID)
	wantFrame(t, skill, "response", "generated", `{"text":"s","tool_calls":[],"tokens_used":1}`,
		"session", "model", "usage", "duration_ms", "seq")
	if r := decode[protocol.Response](t, skill); !strings.Contains(r.Text, "no urgent mail") {
		t.Errorf("the skill says %q", r.Text)
	}
}

// TestThePageWithoutToken compares the page's error message.
func TestThePageWithoutToken(t *testing.T) {
	t.Parallel()
	h := newHome(t).set("OPENCLAW_AUTH_TOKEN=a-token-of-4-words", "OPENCLAW_GATEWAY_AUTH_ENABLED=true")
	g := h.start()
	refused := g.socket("/", nil).next()
	wantFrame(t, refused, "error", "", `{"code":"s","message":"s"}`, "retryable")
	if e := decode[protocol.Error](t, refused); e.Code != "AUTH_REQUIRED" || !strings.HasPrefix(e.Message, "Authentication required") {
		t.Errorf("the error is %s", refused.text)
	}
	s := g.socket("?token=a-token-of-4-words", nil)
	s.send(page(t, "status"))
	if f := s.next(); f.Type != protocol.TypeStatus {
		t.Errorf("with the page's URL came %s", f.text)
	}
}

func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "page", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var timestampPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// wantFrame compares a frame with the form it must have: the members of its
// payload with the types of those in like, and exactly the additions. An id of
// "generated" is one that the gateway has made.
func wantFrame(t *testing.T, f frame, kind protocol.Type, id, like string, additions ...string) {
	t.Helper()
	var got map[string]json.RawMessage
	var payload, want map[string]any
	for text, into := range map[string]any{f.text: &got, string(f.Payload): &payload, like: &want} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	members := []string{"id", "payload", "timestamp", "type"}
	if id == "" {
		members = members[1:]
	}
	if diff := cmp.Diff(members, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("members of %s (-want +got):\n%s", f.text, diff)
	}
	if f.Type != kind || id != "generated" && f.ID != id || !timestampPattern.MatchString(f.Timestamp) {
		t.Errorf("want %s with id %q and a timestamp, got %s", kind, id, f.text)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(want)), additions...))),
		slices.Sorted(maps.Keys(payload))); diff != "" {
		t.Errorf("payload of %s (-want +got):\n%s", f.text, diff)
	}
	for name, value := range want {
		if jsonKind(payload[name]) != jsonKind(value) {
			t.Errorf("%s is %v: not %s", name, payload[name], jsonKind(value))
		}
	}
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	}
	return "of no type the page has"
}

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}
