package protocol

import (
	"encoding/json"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// side resolves the schema of what one side may send.
func side(t *testing.T, name string) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	s.AnyOf = []*jsonschema.Schema{{Ref: "#/$defs/" + name}}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func TestSchemaTellsMessagesApart(t *testing.T) {
	tests := []struct {
		name, side, message string
		ok                  bool
	}{
		{"the page's chat", "client", `{"type":"chat","id":"msg-001","payload":{"text":"hi","context":{},"options":{"model":"claude-opus-4-6","no_memory":false}}}`, true},
		{"chat with unknown members", "client", `{"type":"chat","payload":{"text":"hi","mood":"good"},"trace":1}`, true},
		{"status without payload", "client", `{"type":"status"}`, true},
		{"skill with object args", "client", `{"type":"skill_invoke","payload":{"skill":"x","args":{"a":1}}}`, true},
		{"chat without text", "client", `{"type":"chat","payload":{}}`, false},
		{"text of the wrong type", "client", `{"type":"chat","payload":{"text":5}}`, false},
		{"unknown type", "client", `{"type":"connect","payload":{}}`, false},
		{"empty id", "client", `{"type":"status","id":""}`, false},
		{"the page's response", "gateway", `{"type":"response","id":"m","payload":{"text":"t","tool_calls":[],"tokens_used":1,"usage":{"input":1,"output":0,"cache_read":0,"cache_write":0,"cost_usd":0},"duration_ms":3},"timestamp":"2026-01-02T03:04:05.000Z"}`, true},
		{"a reply without timestamp", "gateway", `{"type":"ok","payload":{}}`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var v any
			if err := json.Unmarshal([]byte(test.message), &v); err != nil {
				t.Fatal(err)
			}
			if err := side(t, test.side).Validate(v); (err == nil) != test.ok {
				t.Errorf("valid = %v, want %v (%v)", err == nil, test.ok, err)
			}
		})
	}
}

func TestAsyncAPIRefersToWhatThereIs(t *testing.T) {
	var doc struct {
		Channels map[string]struct {
			Messages map[string]any `json:"messages"`
		} `json:"channels"`
		Operations map[string]struct {
			Messages []struct {
				Ref string `json:"$ref"`
			} `json:"messages"`
		} `json:"operations"`
	}
	if err := json.Unmarshal(AsyncAPI("test"), &doc); err != nil {
		t.Fatal(err)
	}
	if want := len(requests()) + len(replies()); len(doc.Operations) != want {
		t.Errorf("%d operations, want %d", len(doc.Operations), want)
	}
	for name, op := range doc.Operations {
		if doc.Channels["gateway"].Messages[name] == nil || op.Messages[0].Ref != "#/channels/gateway/messages/"+name {
			t.Errorf("operation %s refers to %v", name, op.Messages)
		}
	}
}
