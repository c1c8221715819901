package loose

import (
	"bytes"
	"crypto/rand"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/openclaw/openclaw-go"
)

// IDs gives the calls of an answer ids that are unique in their conversation,
// as servers that leave ids out or repeat them do not.
type IDs struct {
	// Make returns a new id; nil makes one at random.
	Make func() string

	taken map[string]bool
}

// Taken marks the ids that a conversation holds as used up.
func (ids *IDs) Taken(messages []openclaw.Message) {
	if ids.taken == nil {
		ids.taken = map[string]bool{}
	}
	for _, m := range messages {
		for _, p := range m.Parts {
			if p.Call != nil {
				ids.taken[p.Call.ID] = true
			}
		}
	}
}

// Unique returns id, or a new one where that is empty or used up.
func (ids *IDs) Unique(id string) string {
	if ids.taken == nil {
		ids.taken = map[string]bool{}
	}
	if id == "" || ids.taken[id] {
		id = ids.make()
	}
	ids.taken[id] = true
	return id
}

func (ids *IDs) make() string {
	if ids.Make != nil {
		return ids.Make()
	}
	return "call_" + rand.Text()
}

// ObjectArgs returns what a model wrote for arguments as a JSON object: as it
// is where it is one, empty where it wrote nothing, and under
// openclaw.InvalidArguments otherwise. raw is valid UTF-8.
func ObjectArgs(raw string) []byte {
	trimmed := strings.TrimSpace(raw)
	if trimmed == "" || trimmed == "null" {
		return []byte("{}")
	}
	if IsObject(jsontext.Value(trimmed)) {
		return []byte(trimmed)
	}
	quoted, _ := jsontext.AppendQuote(nil, raw) // fails for invalid UTF-8 only
	out := append([]byte(`{"`+openclaw.InvalidArguments+`":`), quoted...)
	return append(out, '}')
}

// IsObject is strict: what passes here is kept and sent on as JSON by parts of
// the gateway that refuse duplicate names and broken characters.
func IsObject(v jsontext.Value) bool {
	return v.IsValid() && v.Kind() == '{'
}

// StableArgs brings arguments into one form, whatever the log's encoder made
// of their white space and escapes, so that a history read back from the log
// gives the same bytes as the one in memory.
func StableArgs(args []byte) []byte {
	v := jsontext.Value(bytes.Clone(args))
	if len(v) == 0 || v.Format(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return []byte("{}")
	}
	return v
}
