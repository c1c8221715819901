package config

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"
)

func resolvedSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// asJSON reads YAML as an editor does, which knows JSON's types only.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Load([]byte(text), &value); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// The schema and Load agree on what concerns a single key.
func TestSchemaAgreesWithLoad(t *testing.T) {
	full, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text string
		good bool
	}{
		{string(full), true},
		{"{}", true},
		{"brain:\ngateway: {auth: , port: }", true},
		{"brain: {temperature: 1, thinking: off, max_tokens: 5, fallback: {provider: openai}}", true},
		{"brain: {fallback: [{provider: openai}]}", true},
		{"brain: {max_tokens: '${N:-5}', temperature: '${N:-1}', thinking: '${N:-low}'}", true},
		{"hands: {shell: {timeout: 30000, max_output: 65536}}", true},
		{"hands: {shell: {timeout: 1m30s, max_output: 64 KiB, env_allow: [5]}}", true},
		{"session: {retention: 90d}", true},
		{"heartbeat: {interval: 60, model: x, quiet_hours: {start: '22:00', end: '07:00'}}", true},
		{"providers: {p: {api: openai, headers: {X: 5}, models: {m: {cost: {input: 0.5}}}}}", true},
		{"channels: {anything: {goes: [1, {here: true}]}}", true},
		{"mcp: {servers: {s: {command: c, args: [-p, 8080], env: {A: b}}}}", true},
		{"gateway: {log_level: debug}", true},

		{"brian: {}", false},
		{"gateway: {prot: 1}", false},
		{"gateway: {port: 70000}", false},
		{"gateway: {port: abc}", false},
		{"gateway: {port: '80'}", false},
		{"gateway: {port: 1.5}", false},
		{"gateway: {allowed_hosts: a}", false},
		{"gateway: {drain_timeout: 30}", false},
		{"gateway: {drain_timeout: soon}", false},
		{"gateway: {limits: {message: 1}}", false},
		{"gateway: {limits: {message: big}}", false},
		{"gateway: []", false},
		{"brain: {model: 5}", false},
		{"brain: {thinking: lots}", false},
		{"brain: {thinking: true}", false},
		{"brain: {temperature: 3}", false},
		{"hands: {shell: {enabled: 'yes'}}", false},
		{"hands: {shell: {env_allow: [~]}}", false},
		{"providers: {p: {api: other}}", false},
		{"providers: {p: {api: openai, models: {m: {windows: 1}}}}", false},
		{"cron: {}", false},
		{"[]", false},
	}
	schema := resolvedSchema(t)
	for _, tt := range tests {
		if err := schema.Validate(asJSON(t, tt.text)); (err == nil) != tt.good {
			t.Errorf("the schema says %v of\n%s", err, tt.text)
		}
		if _, _, err := Load(write(t, tt.text)); (err == nil) != tt.good {
			t.Errorf("Load says %v of\n%s", err, tt.text)
		}
	}
}

// An editor shows what every key does and what it is without being set.
func TestSchemaDescribesEveryKey(t *testing.T) {
	root := resolvedSchema(t).Schema()
	for _, k := range Keys() {
		parts, err := splitKey(k.Name)
		if err != nil {
			t.Fatal(err)
		}
		s := root
		for _, part := range parts {
			if s = s.Properties[part]; s == nil {
				t.Fatalf("%s is missing", k.Name)
			}
		}
		if s.Description == "" {
			t.Errorf("%s has no description", k.Name)
		}
		if (k.Default == "") != (s.Default == nil) {
			t.Errorf("%s has the default %q, in the schema %s", k.Name, k.Default, s.Default)
		}
	}
}
