package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What an edit leaves is compared byte for byte.
func TestSet(t *testing.T) {
	tests := []struct{ name, before, key, value, after string }{
		{"empty file", "", "gateway.port", "8080", "gateway:\n  port: 8080\n"},
		{"only comments", "# mine\n", "logging.level", "debug", "# mine\nlogging:\n  level: debug\n"},
		{"no line break at the end", "# mine", "brain.model", "gpt-9", "# mine\nbrain:\n  model: gpt-9\n"},
		{"BOM", "\ufeffgateway: {port: 1}\n", "gateway.port", "2", "\ufeffgateway: {port: 2}\n"},
		{"only a BOM", "\ufeff", "gateway.port", "2", "\ufeffgateway:\n  port: 2\n"},
		{"document marker", "---\n# c\n", "gateway.port", "2", "---\n# c\ngateway:\n  port: 2\n"},
		{"document end", "gateway:\n  port: 1\n...\n# c\n", "brain.model", "m", "gateway:\n  port: 1\nbrain:\n  model: m\n...\n# c\n"},
		{"comments around",
			"# top\ngateway: # section\n  # above\n  port: 1   # behind\n  # below\n\n# end\n", "gateway.port", "2",
			"# top\ngateway: # section\n  # above\n  port: 2   # behind\n  # below\n\n# end\n"},
		{"new key in a section",
			"gateway:\n  port: 1 # p\n  # host: 0.0.0.0\n\nbrain:\n  model: m\n", "gateway.host", "::1",
			"gateway:\n  port: 1 # p\n  host: ::1\n  # host: 0.0.0.0\n\nbrain:\n  model: m\n"},
		{"new section", "gateway:\n    port: 1\n# brain:\n#   model: x\n", "session.limits.duration", "5m",
			"gateway:\n    port: 1\n# brain:\n#   model: x\nsession:\n    limits:\n        duration: 5m\n"},
		{"empty section", "brain: # later\ngateway:\n  port: 1\n", "brain.model", "m", "brain: # later\n  model: m\ngateway:\n  port: 1\n"},
		{"null section", "brain: ~ # c\n", "brain.model", "m", "brain: {model: m} # c\n"},
		{"empty value", "brain:\n  model:   # which?\n  thinking: off\n", "brain.model", "m", "brain:\n  model: m   # which?\n  thinking: off\n"},
		{"flow map", "gateway: {port: 1, host: '::1'} # g\n", "gateway.port", "22", "gateway: {port: 22, host: '::1'} # g\n"},
		{"new key in a flow map", "gateway: { port: 1 }\n", "gateway.auth.token", "s, {x}", "gateway: { port: 1, auth: {token: \"s, {x}\"} }\n"},
		{"empty flow map", "gateway: {}\n", "gateway.port", "2", "gateway: {port: 2}\n"},
		{"flow map over lines", "gateway: {\n  port: 1, # p\n  host: ::1, # h\n}\n", "gateway.max_connections", "5",
			"gateway: {\n  port: 1, # p\n  host: ::1, max_connections: 5 # h\n}\n"},
		{"flow root", "{gateway: {port: 1}}\n", "brain.model", "m", "{gateway: {port: 1}, brain: {model: m}}\n"},
		{"JSON", "{\n  \"gateway\": {\n    \"port\": 1\n  }\n}\n", "gateway.port", "2", "{\n  \"gateway\": {\n    \"port\": 2\n  }\n}\n"},
		{"keeps double quotes", "brain:\n  model: \"a\\\"b\" # m\n", "brain.model", "c", "brain:\n  model: \"c\" # m\n"},
		{"keeps single quotes", "brain: {model: 'it''s'}\n", "brain.model", "it's too", "brain: {model: 'it''s too'}\n"},
		{"needs quotes", "brain:\n  model: m\n", "brain.model", "5", "brain:\n  model: \"5\"\n"},
		{"needs quotes: comment", "brain:\n  model: m\n", "brain.model", "a #b", "brain:\n  model: \"a #b\"\n"},
		{"needs quotes: colon", "brain:\n  model: m\n", "brain.model", "a: b", "brain:\n  model: \"a: b\"\n"},
		{"needs quotes: empty", "brain:\n  base_url: http://a\n", "brain.base_url", "", "brain:\n  base_url: \"\"\n"},
		{"needs quotes: null", "brain:\n  model: m\n", "brain.model", "null", "brain:\n  model: \"null\"\n"},
		{"needs no quotes", "brain:\n  model: m\n", "brain.thinking", "off", "brain:\n  model: m\n  thinking: off\n"},
		{"line break in a value", "brain:\n  model: m\n", "brain.model", "a\nb", "brain:\n  model: \"a\\nb\"\n"},
		{"reference", "gateway:\n  auth:\n    token: ${OLD:-x} # t\n", "gateway.auth.token", "${NEW}", "gateway:\n  auth:\n    token: ${NEW} # t\n"},
		{"reference in a flow map", "gateway: {auth: {token: a}}\n", "gateway.auth.token", "${NEW}", "gateway: {auth: {token: \"${NEW}\"}}\n"},
		{"reference for a number", "gateway:\n  port: 1\n", "gateway.port", "${PORT:-1}", "gateway:\n  port: ${PORT:-1}\n"},
		{"other references stay", "brain:\n  api_key: ${K}\n  model: \"${M:-a}\"\n  base_url: $${x}\n", "brain.thinking", "low",
			"brain:\n  api_key: ${K}\n  model: \"${M:-a}\"\n  base_url: $${x}\n  thinking: low\n"},
		{"block scalar before", "cron:\n- name: a\n  message: |\n    # no comment\n    port: 1\n\n  schedule: x # s\ngateway:\n  port: 1\n", "gateway.port", "2",
			"cron:\n- name: a\n  message: |\n    # no comment\n    port: 1\n\n  schedule: x # s\ngateway:\n  port: 2\n"},
		{"block scalar replaced", "cron:\n- name: a\n  message: |- # c\n    one\n\n    two\n  schedule: x\n", "cron[0].message", "m",
			"cron:\n- name: a\n  message: m\n  schedule: x\n"},
		{"key behind a block scalar", "cron:\n- name: a\n  message: >\n    one\n    two\n\n# end\n", "cron[0].schedule", "@daily",
			"cron:\n- name: a\n  message: >\n    one\n    two\n  schedule: \"@daily\"\n\n# end\n"},
		{"key behind one that keeps its blank lines", "cron:\n- name: a\n  message: |+\n    one\n\n", "cron[0].schedule", "x",
			"cron:\n- name: a\n  message: |+\n    one\n\n  schedule: x\n"},
		{"text over lines", "brain:\n  model: a\n    b\n    c # m\n  thinking: off\n", "brain.model", "d", "brain:\n  model: d # m\n  thinking: off\n"},
		{"key behind a text over lines", "brain:\n  model: \"a\n    b\"\n# c\n", "brain.thinking", "off", "brain:\n  model: \"a\n    b\"\n  thinking: off\n# c\n"},
		{"list item", "gateway:\n  allowed_hosts:\n    # first\n    - a # A\n    - b\n", "gateway.allowed_hosts[1]", "c",
			"gateway:\n  allowed_hosts:\n    # first\n    - a # A\n    - c\n"},
		{"list appended", "gateway:\n  allowed_hosts:\n  - a # A\n  port: 1\n", "gateway.allowed_hosts.1", "b",
			"gateway:\n  allowed_hosts:\n  - a # A\n  - b\n  port: 1\n"},
		{"flow list appended", "gateway: {allowed_hosts: [a, b]}\n", "gateway.allowed_hosts[2]", "c", "gateway: {allowed_hosts: [a, b, c]}\n"},
		{"empty list appended", "gateway:\n  allowed_hosts: []\n", "gateway.allowed_hosts[0]", "c", "gateway:\n  allowed_hosts: [c]\n"},
		{"missing list", "gateway:\n  port: 1\n", "gateway.allowed_hosts[0]", "c", "gateway:\n  port: 1\n  allowed_hosts: [c]\n"},
		{"list by commas", "", "gateway.allowed_hosts", "a, b.c", "gateway:\n  allowed_hosts: [a, b.c]\n"},
		{"list as YAML", "", "hands.shell.blocked_commands", "['a, b', \"c\"]", "hands:\n  shell:\n    blocked_commands: ['a, b', \"c\"]\n"},
		{"list emptied", "gateway:\n  allowed_hosts: # h\n    - a\n    # middle\n    - b\n    # last\n  port: 1\n", "gateway.allowed_hosts", "[]",
			"gateway:\n  allowed_hosts: [] # h\n    # last\n  port: 1\n"},
		{"map", "", "providers", "{a: {api: openai, base_url: http://x/v1}}", "providers: {a: {api: openai, base_url: http://x/v1}}\n"},
		{"name with a dot", "providers:\n  a.b:\n    api: openai\n", `providers."a.b".base_url`, "http://x", "providers:\n  a.b:\n    api: openai\n    base_url: http://x\n"},
		{"item of a list of maps", "cron:\n  - {name: a, schedule: s, message: m}\n", "cron[1]", "{name: b, schedule: s, skill: k}",
			"cron:\n  - {name: a, schedule: s, message: m}\n  - {name: b, schedule: s, skill: k}\n"},
		{"free map", "channels:\n  t:\n    on: true\n", "channels.t.bot_token", "12", "channels:\n  t:\n    on: true\n    bot_token: 12\n"},
		{"CRLF", "gateway:\r\n  port: 1 # p\r\nbrain:\r\n  model: m\r\n", "gateway.host", "::1", "gateway:\r\n  port: 1 # p\r\n  host: ::1\r\nbrain:\r\n  model: m\r\n"},
		{"CRLF, new section", "gateway:\r\n  port: 1\r\n", "brain.model", "m", "gateway:\r\n  port: 1\r\nbrain:\r\n  model: m\r\n"},
		{"CRLF, value", "gateway:\r\n  port: 1\r\n  host: ::1\r\n", "gateway.port", "2", "gateway:\r\n  port: 2\r\n  host: ::1\r\n"},
		{"wide characters", "brain: {model: 日本語, thinking: off} # ü\n", "brain.thinking", "low", "brain: {model: 日本語, thinking: low} # ü\n"},
		{"odd spaces", "gateway:\n   port :   1\n", "gateway.port", "2", "gateway:\n   port :   2\n"},
		{"quoted key", "\"gateway\":\n  'port': 1\n", "gateway.port", "2", "\"gateway\":\n  'port': 2\n"},
		{"anchor elsewhere", "gateway: {host: &h localhost, allowed_hosts: [*h]}\n", "gateway.port", "2", "gateway: {host: &h localhost, allowed_hosts: [*h], port: 2}\n"},
		{"tag", "brain:\n  model: !!str 5 # m\n", "brain.model", "m", "brain:\n  model: m # m\n"},
		{"older key", "gateway:\n  log_level: debug\n", "gateway.log_level", "warn", "gateway:\n  log_level: warn\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := OpenDocument(write(t, tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Set(tt.key, tt.value); err != nil {
				t.Fatalf("Set: %v", err)
			}
			if diff := cmp.Diff(tt.after, string(doc.Text())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// An edit that is not understood is refused; the text stays as it is.
func TestSetRefuses(t *testing.T) {
	tests := []struct{ name, before, key, value, want string }{
		{"unknown key", "", "gateway.prot", "1", `did you mean "gateway.port"?`},
		{"below a value", "", "gateway.port.x", "1", "gateway.port has no keys"},
		{"wrong type", "", "gateway.port", "many", "must be a whole number"},
		{"out of bounds", "", "gateway.port", "70000", "from 0 to 65535"},
		{"unknown value", "", "brain.thinking", "hgih", `did you mean "high"?`},
		{"list for a number", "", "gateway.port", "[1]", "must be a whole number"},
		{"broken file", "gateway: [\n", "gateway.port", "1", "config.yml:2:1"},
		{"broken value", "", "providers", "{a", "the new value is no valid YAML"},
		{"no value", "", "providers", "", "needs a value"},
		{"alias in the value", "", "providers", "{a: &a {api: openai}, b: *a}", "must not have anchors"},
		{"list with a gap", "gateway: {allowed_hosts: [a]}", "gateway.allowed_hosts[5]", "b", "the next one is number 1"},
		{"through an alias", "brain: &b {model: m}\ngateway: *b\n", "gateway.port", "1", "edit the file by hand"},
		{"anchor that is in use", "gateway: {host: &h localhost, allowed_hosts: [*h]}\n", "gateway.host", "::1", "edit the file by hand"},
		{"key through a text", "gateway: text\n", "gateway.port", "1", "edit the file by hand"},
		{"not UTF-8", "", "brain.model", "\xff", "not UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := OpenDocument(write(t, tt.before))
			if err != nil {
				t.Fatal(err)
			}
			err = doc.Set(tt.key, tt.value)
			var problems Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if string(doc.Text()) != tt.before {
				t.Errorf("the text became %q", doc.Text())
			}
		})
	}
}

func TestSave(t *testing.T) {
	opts := write(t, "gateway:\n  port: 1\n")
	doc, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(doc.Path(), 0o644); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"gateway.auth.enabled": "true", "gateway.auth.token": "3f6c1d2a9b", "gateway.host": "0.0.0.0"} {
		if err := doc.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(doc.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if cfg, _, err := Load(opts); err != nil || cfg.Gateway.Host != "0.0.0.0" || cfg.Gateway.Port != 1 {
		t.Errorf("%v %v", cfg, err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(doc.Path()), ".config-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
}

// What Load would refuse is not written, unless it was as bad before.
func TestSaveRefuses(t *testing.T) {
	opts := write(t, "gateway:\n  prot: 1\n  max_connections: 0\n")
	doc, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Set("gateway.host", "0.0.0.0"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(doc.Path())
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, doc.Save())
	if len(got) != 1 || !strings.HasPrefix(got[0], "gateway.host: would let everybody in") {
		t.Errorf("got %q", got)
	}
	if now, err := os.ReadFile(doc.Path()); err != nil || string(now) != string(before) {
		t.Errorf("the file became %q, %v", now, err)
	}

	if doc, err = OpenDocument(opts); err != nil {
		t.Fatal(err)
	}
	if err := doc.Set("gateway.max_connections", "5"); err != nil {
		t.Fatal(err)
	}
	if err := doc.Save(); err != nil {
		t.Errorf("one fault less: %v", err)
	}
}

func TestSaveWhereNothingIs(t *testing.T) {
	home := t.TempDir()
	opts := Options{Environ: []string{"HOME=" + home}, Path: filepath.Join(home, "a/b/c.yml")}
	doc, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Set("gateway.port", "5"); err != nil {
		t.Fatal(err)
	}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(home, "a")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	if cfg, _, err := Load(opts); err != nil || cfg.Gateway.Port != 5 {
		t.Errorf("%v %v", cfg, err)
	}
}

func TestSaveKeepsLink(t *testing.T) {
	opts := write(t, "gateway: {port: 1}\n")
	path := filepath.Join(strings.TrimPrefix(opts.Environ[0], "HOME="), ".openclaw/config.yml")
	target := filepath.Join(t.TempDir(), "real.yml")
	if err := os.Rename(path, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	doc, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Set("gateway.port", "2"); err != nil {
		t.Fatal(err)
	}
	if err := doc.Save(); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(path); err != nil || to != target {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "gateway: {port: 2}\n" {
		t.Errorf("%q %v", text, err)
	}
}

func TestSaveSeesOthers(t *testing.T) {
	opts := write(t, "gateway: {port: 1}\n")
	one, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	two, err := OpenDocument(opts)
	if err != nil {
		t.Fatal(err)
	}
	for i, doc := range []*Document{one, two} {
		if err := doc.Set("gateway.port", []string{"2", "3"}[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.Save(); err != nil {
		t.Fatal(err)
	}
	if err := two.Save(); err == nil || !strings.Contains(err.Error(), "changed by somebody else") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(one.Path()); err != nil || string(text) != "gateway: {port: 2}\n" {
		t.Errorf("%q %v", text, err)
	}
}

func TestDocumentGet(t *testing.T) {
	doc, err := OpenDocument(write(t, `
brain: {api_key: "${K}", model: m, fallback: {provider: openai, api_key: hunter2}}
gateway: {auth: {token: hunter2}, allowed_hosts: [a, "b c"]}
providers: {p: {api: openai, api_key: "${K:-hunter2}", headers: {A: hunter2}}}
channels: {t: {bot_token: hunter2, n: 5}}
apikey: hunter2
`))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"brain.api_key": "${K}", "brain.model": "m", "gateway.auth.token": "[secret]", "gateway.allowed_hosts": "[a, \"b c\"]",
		"gateway.allowed_hosts[1]": "b c", "brain.fallback": "{provider: openai, api_key: \"[secret]\"}",
		"providers.p": "{api: openai, api_key: \"[secret]\", headers: {A: \"[secret]\"}}", "channels": "{t: {bot_token: \"[secret]\", n: 5}}",
	}
	for key, want := range tests {
		if got, ok, err := doc.Get(key); got != want || !ok || err != nil {
			t.Errorf("%s: %s %v %v, want %s", key, got, ok, err, want)
		}
	}
	if got, ok, err := doc.Get("gateway.port"); got != "" || ok || err != nil {
		t.Errorf("a key that is not there: %q %v %v", got, ok, err)
	}
	if _, _, err := doc.Get("gateway.prot"); err == nil {
		t.Error("an unknown key has a value")
	}
}
