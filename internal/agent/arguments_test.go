package agent

import (
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzArguments checks that whatever a model writes as arguments can be
// stored, sent to a client and given to a tool, and comes to the same when it
// is read back.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{``, ` `, `{}`, ` { "a" : [1, "<&>\u2028"] } `, `null`, `[1]`, `"x"`, `{"a":`, `{} x`,
		`{"a":1,"a":2}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"invalid_arguments":"{"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := arguments(raw)
		if v := jsontext.Value(got); !v.IsValid() || v.Kind() != '{' {
			t.Fatalf("%q became %s", raw, got)
		}
		if again := arguments(got); string(again) != string(got) {
			t.Errorf("%s became %s", got, again)
		}
		_, bad := invalidArguments(got)
		if object := jsontext.Value(raw); object.IsValid() && object.Kind() == '{' && bad {
			var found map[string]json.RawMessage
			if json.Unmarshal(raw, &found) != nil || len(found) != 1 {
				t.Errorf("%q passes for invalid", raw)
			}
		}
	})
}
