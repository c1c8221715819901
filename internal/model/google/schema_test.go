package google

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchema(t *testing.T) {
	wrap := func(s string) string {
		return `{"type":"object","properties":{"x":` + s + `},"$defs":{"n":{"type":"object","description":"A node.","properties":{"next":{"$ref":"#/$defs/n"}}},"s":{"type":"string"}}}`
	}
	tests := []struct{ name, in, want string }{
		{"keywords", `{"type":"string","minLength":1,"format":"uri","pattern":"^a","$comment":"c","examples":["a"]}`, `{"minLength":1,"pattern":"^a","type":"STRING"}`},
		{"date", `{"type":"string","format":"date-time"}`, `{"format":"date-time","type":"STRING"}`},
		{"nullable", `{"type":["integer","null"],"exclusiveMinimum":0,"maximum":9}`, `{"maximum":9,"nullable":true,"type":"INTEGER"}`},
		{"several types", `{"type":["string","number"],"description":"Either."}`, `{"anyOf":[{"type":"STRING"},{"type":"NUMBER"}],"description":"Either."}`},
		{"enum", `{"enum":["a","b"]}`, `{"enum":["a","b"],"type":"STRING"}`},
		{"enum with null", `{"type":["string","null"],"enum":["a",null]}`, `{"enum":["a"],"nullable":true,"type":"STRING"}`},
		{"enum of numbers", `{"type":"integer","enum":[1,2],"description":"Level."}`, `{"description":"Level. One of: 1, 2","type":"INTEGER"}`},
		{"const", `{"const":"a"}`, `{"enum":["a"],"type":"STRING"}`},
		{"any array", `{"type":"array"}`, `{"items":{"type":"STRING"},"type":"ARRAY"}`},
		{"array", `{"type":"array","items":{"type":"number"},"uniqueItems":true,"minItems":1}`, `{"items":{"type":"NUMBER"},"minItems":1,"type":"ARRAY"}`},
		{"free object", `{"type":"object","additionalProperties":true}`, `{"type":"OBJECT"}`},
		{"anything", `true`, `{"type":"STRING"}`},
		{"anything else", `{}`, `{"type":"STRING"}`},
		{"one of", `{"oneOf":[{"type":"string"},{"type":"null"},{"type":"boolean"}]}`, `{"anyOf":[{"type":"STRING"},{"type":"BOOLEAN"}],"nullable":true}`},
		{"all of", `{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`,
			`{"properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}},"required":["b","a"],"type":"OBJECT"}`},
		{"required that is not there", `{"properties":{"a":{"type":"string"}},"required":["a","a","zz",5]}`, `{"properties":{"a":{"type":"STRING"}},"required":["a"],"type":"OBJECT"}`},
		{"reference", `{"$ref":"#/$defs/s","description":"Mine."}`, `{"description":"Mine.","type":"STRING"}`},
		{"reference nowhere", `{"$ref":"#/$defs/none"}`, `{"type":"STRING"}`},
		{"reference elsewhere", `{"$ref":"https://example.com/s"}`, `{"type":"STRING"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := `{"properties":{"x":` + tt.want + `},"type":"OBJECT"}`
			if diff := cmp.Diff(want, string(translate([]byte(wrap(tt.in))))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, none := range []string{``, `null`, `[]`, `{"type":"object"}`, `{"type":"object","properties":{}}`, `{"type":`} {
		if got := translate([]byte(none)); got != nil {
			t.Errorf("%s became %s, want nothing", none, got)
		}
	}
}

// TestSchemaWithoutEnd: schemas that refer to themselves end somewhere.
func TestSchemaWithoutEnd(t *testing.T) {
	many := strings.Repeat(`{"$ref":"#"},`, 8) + `{"$ref":"#"}`
	for _, in := range []string{
		`{"type":"object","properties":{"x":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"x":{"anyOf":[` + many + `]}}}`,
		`{"type":"object","properties":{"x":{"$ref":"#/properties/x"}}}`,
		`{"type":"object","properties":{"x":{"allOf":[{"$ref":"#/properties/x"},{"$ref":"#/properties/x"}]}}}`,
		`{"allOf":[` + many + `]}`,
	} {
		if got := translate([]byte(in)); len(got) > 1<<20 {
			t.Errorf("%.60s became %d bytes", in, len(got))
		}
	}
}

func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"x":{"type":["string","null"],"enum":["a"],"$ref":"#/$defs/n"}},"$defs":{"n":{"allOf":[{"$ref":"#"}]}}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if got := translate(in); got != nil && !got.IsValid() {
			t.Errorf("%s became %s", in, got)
		}
	})
}
