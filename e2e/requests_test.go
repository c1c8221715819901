package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/openclaw/openclaw-go/protocol"
)

// TestEveryRequest sends each type of request that the gateway's own schema
// lists, once and in this order, and wants its one answer.
func TestEveryRequest(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("skills/greet/SKILL.md", "---\nname: greet\ndescription: Greets.\n---\n\nrun: echo hello\n")
	g := h.start()
	s := g.socket("/gateway", nil)
	asked := map[protocol.Type]bool{}
	for _, test := range []struct {
		kind    protocol.Type
		payload string
		answer  protocol.Type
	}{
		{"chat", `{"text":"run: echo one"}`, "response"},
		{"skill_invoke", `{"skill":"greet","args":{"whom":"you"}}`, "response"},
		{"heartbeat_trigger", `{"dry_run":true}`, "heartbeat_status"},
		{"status", `{}`, "status"},
		{"subscribe", `{"session":"main","after_seq":0}`, "subscribed"},
		{"unsubscribe", `{"session":"main"}`, "ok"},
		{"cancel", `{"session":"main"}`, "ok"},
		{"approve", `{"approval_id":"none","decision":"deny"}`, "error"},
		{"approval_list", `{}`, "approvals"},
		{"approval_revoke", `{"id":"none"}`, "error"},
		{"approval_explain", `{"command":"ls"}`, "approval_explained"},
		{"session_list", `{"limit":1}`, "sessions"},
		{"session_history", `{"session":"main","limit":3}`, "history"},
		{"skill_list", `{}`, "skills"},
		{"tool_list", `{}`, "tools"},
		{"model_list", `{}`, "models"},
		{"usage", `{"days":1}`, "usage"},
		{"heartbeat_history", `{"limit":1}`, "heartbeats"},
		{"cron_add", `{"name":"yearly","schedule":"@yearly","message":"run: date"}`, "ok"},
		{"cron_list", `{}`, "cron_jobs"},
		{"cron_run", `{"name":"yearly"}`, "cron_runs"},
		{"cron_history", `{"name":"yearly"}`, "cron_runs"},
		{"cron_pause", `{"name":"yearly","paused":true}`, "ok"},
		{"cron_remove", `{"name":"yearly"}`, "ok"},
		{"session_reset", `{"session":"main"}`, "ok"},
		{"session_delete", `{"session":"main"}`, "ok"},
	} {
		asked[test.kind] = true
		s.send(`{"type":"` + string(test.kind) + `","id":"` + string(test.kind) + `","payload":` + test.payload + `}`)
		if f := s.answer(string(test.kind)); f.Type != test.answer {
			t.Errorf("%s is answered by %s", test.kind, f.text)
		}
	}
	s.send(`{"type":"status","id":"last"}`)
	for f := s.next(); f.ID != "last"; f = s.next() {
		if f.ID != "" {
			t.Errorf("a second answer came: %s", f.text)
		}
	}
	for _, kind := range requestTypes(t, g) {
		if !asked[kind] {
			t.Errorf("the schema has a request %s, which this test does not make", kind)
		}
	}
}

// requestTypes reads the types of requests from the schema the gateway serves.
func requestTypes(t *testing.T, g *gateway) (types []protocol.Type) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, "http://"+g.address+"/schema/protocol.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var schema struct {
		Defs map[string]struct {
			AnyOf []struct{ Title protocol.Type }
		} `json:"$defs"`
	}
	if err := json.NewDecoder(response.Body).Decode(&schema); err != nil {
		t.Fatal(err)
	}
	for _, message := range schema.Defs["client"].AnyOf {
		types = append(types, message.Title)
	}
	if len(types) == 0 {
		t.Error("the schema lists no requests")
	}
	return types
}
