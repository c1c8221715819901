package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	wirejson "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// Nothing that prints a configuration shows what is secret in it.
func TestSecretsStaySecret(t *testing.T) {
	const hidden = "hunter2-hunter2"
	cfg, _ := load(t, `
brain: {api_key: hunter2-hunter2, fallback: {provider: openai, api_key: hunter2-hunter2}}
gateway: {auth: {enabled: true, token: hunter2-hunter2}}
providers: {p: {api: openai, api_key: hunter2-hunter2, headers: {Authorization: Bearer hunter2-hunter2}}}
webhooks: {incoming: {secret: hunter2-hunter2}, outgoing: [{event: e, url: "http://h/", secret: hunter2-hunter2}]}
mcp: {servers: {s: {command: c, env: {KEY: hunter2-hunter2}}}}
channels: {telegram: {bot_token: hunter2-hunter2, nested: [{password: hunter2-hunter2, api_key: hunter2-hunter2}], name: visible}}
`, "ANTHROPIC_API_KEY=hunter2-hunter2")
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", cfg.Brain.APIKey)
		fmt.Fprintf(&out, verb+"\n", cfg.Channels)
		fmt.Fprintf(&out, verb+"\n", cfg.Providers)
		fmt.Fprintf(&out, verb+"\n", cfg.Gateway)
		fmt.Fprintf(&out, verb+"\n", cfg)
		fmt.Fprintf(&out, verb+"\n", *cfg)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("m", "token", cfg.Gateway.Auth.Token, "gateway", cfg.Gateway, "providers", cfg.Providers, "cfg", cfg)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "token", cfg.Gateway.Auth.Token, "all", cfg.Channels, "cfg", cfg)
	if err := json.NewEncoder(&out).Encode(cfg); err != nil {
		t.Fatal(err)
	}
	if err := wirejson.MarshalWrite(&out, cfg.Gateway); err != nil {
		t.Fatal(err)
	}
	for _, e := range cfg.List() {
		fmt.Fprintln(&out, e.Key, Format(e.Value))
	}
	if s := out.String(); strings.Contains(s, "hunter2") || strings.Contains(s, fmt.Sprintf("%x", hidden)) {
		t.Errorf("a secret shows:\n%s", s)
	}
	if !strings.Contains(out.String(), "visible") || !strings.Contains(out.String(), "[secret]") {
		t.Errorf("too much is hidden:\n%s", out.String())
	}
	if got := cfg.Channels["telegram"].(map[string]any)["bot_token"].(Secret).Reveal(); got != hidden {
		t.Errorf("Reveal gives %q", got)
	}
}

func TestToken(t *testing.T) {
	tests := []struct {
		name, auth, env, want string
	}{
		{"good", "{enabled: true, token: 3f6c1d2a9b}", "", ""},
		{"from the environment", "{enabled: true}", "OPENCLAW_AUTH_TOKEN=3f6c1d2a9b", ""},
		{"by reference", "{enabled: true, token: '${T}'}", "T=3f6c1d2a9b", ""},
		{"with a default", "{enabled: true, token: '${T:-3f6c1d2a9b}'}", "", ""},
		{"environment over unset reference", "{enabled: true, token: '${T}'}", "OPENCLAW_AUTH_TOKEN=3f6c1d2a9b", ""},
		{"missing", "{enabled: true}", "", "config.yml:1:18: gateway.auth.token: is empty"},
		{"empty", "{enabled: true, token: ''}", "", "config.yml:1:33: gateway.auth.token: is empty"},
		{"spaces", "{enabled: true, token: '           '}", "", "is empty"},
		{"null", "{enabled: true, token: ~}", "", "is empty"},
		{"short", "{enabled: true, token: abc1234}", "", "is shorter than 8"},
		{"unset", "{enabled: true, token: '${T}'}", "", "config.yml:1:40: gateway.auth.token: T is not set"},
		{"set to nothing", "{enabled: true, token: '${T}'}", "T=", "T is not set"},
		{"unset, disabled", "{token: '${T}'}", "", ""},
		{"literal reference", "{enabled: true, token: '$${TOKEN}'}", "", "reference that nobody resolved"},
		{"reference in the environment", "{enabled: true}", "OPENCLAW_AUTH_TOKEN=${TOKEN}", "reference that nobody resolved"},
		{"placeholder", "{enabled: true, token: your-auth-token}", "", "is a placeholder"},
		{"placeholder", "{enabled: true, token: CHANGE_ME_please}", "", "is a placeholder"},
		{"placeholder", "{enabled: true, token: xxxxxxxxxxxx}", "", "is a placeholder"},
		{"placeholder", "{enabled: true, token: <your token>}", "", "is a placeholder"},
		{"placeholder", "{enabled: true, token: \"1234567890\"}", "", "is a placeholder"},
		{"no header can carry it", "{enabled: true, token: 'abc def ghi'}", "", "a space"},
		{"number", "{enabled: true, token: 48151623421}", "", "must be a text, not a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.want, func(t *testing.T) {
			text := "gateway: {auth: " + tt.auth + "}"
			_, _, err := Load(write(t, text, tt.env))
			got := strings.Join(lines(t, err), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if strings.Contains(got, "3f6c") || strings.Contains(got, "4815") || strings.Contains(got, "abc") {
				t.Errorf("shows the token: %s", got)
			}
		})
	}
}

func TestOpenHosts(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true, "LocalHost": true, "::ffff:127.0.0.1": true,
		"0.0.0.0": false, "::": false, "192.168.1.5": false, "my.host": false, "::ffff:10.0.0.1": false, "fe80::1%eth0": false,
	}
	for host, loopback := range tests {
		text := "gateway: {host: '" + host + "'}"
		if _, _, err := Load(write(t, text)); (err == nil) != loopback {
			t.Errorf("%s without auth: %v", host, err)
		}
		text = "gateway: {host: '" + host + "', auth: {enabled: true, token: 3f6c1d2a9b}}"
		if _, _, err := Load(write(t, text)); err != nil {
			t.Errorf("%s with auth: %v", host, err)
		}
	}
	for _, host := range []string{"", "1.2.3", "a b", "[::1]", "host:80", "-x", "x..y"} {
		if _, _, err := Load(write(t, "gateway: {host: '"+host+"', auth: {enabled: true, token: 3f6c1d2a9b}}")); err == nil {
			t.Errorf("%q is accepted", host)
		}
	}
}

func TestAPIKey(t *testing.T) {
	both := []string{"ANTHROPIC_API_KEY=a-key", "OPENAI_API_KEY=o-key", "K=k-key"}
	tests := []struct {
		name, text string
		environ    []string
		want       string // the key, or the problem
	}{
		{"silent", "", both, "a-key"},
		{"silent, nothing set", "", nil, ""},
		{"silent, another provider", "brain: {provider: openai}", both, "o-key"},
		{"the default spelled out", "brain: {api_key: '${ANTHROPIC_API_KEY}'}", both, "a-key"},
		{"the default spelled out, nothing set", "brain: {api_key: '${ANTHROPIC_API_KEY}'}", nil, ""},
		{"the default never goes elsewhere", "brain: {provider: openai, api_key: '${ANTHROPIC_API_KEY}'}", both, "o-key"},
		{"nor to a local server", "brain: {provider: local, base_url: 'http://127.0.0.1:1/v1', api_key: '${ANTHROPIC_API_KEY}'}", both, ""},
		{"but to a proxy for it", "brain: {provider: p, api_key: '${ANTHROPIC_API_KEY}'}\nproviders: {p: {api: anthropic, base_url: 'http://p'}}", both, "a-key"},
		{"another variable", "brain: {provider: openai, api_key: '${K}'}", both, "k-key"},
		{"literal", "brain: {provider: openai, api_key: abc}", both, "abc"},
		{"overridden", "brain: {api_key: '${NONE}'}", append(both, "OPENCLAW_BRAIN_API_KEY=x"), "x"},
		{"needed", "brain:\n  provider: anthropic\n  api_key: ${ANTHROPIC_API_KEY}\n", nil, "config.yml:3:12: brain.api_key: ANTHROPIC_API_KEY is not set"},
		{"needed elsewhere", "brain: {provider: openai, api_key: '${NONE}'}", both, "config.yml:1:36: brain.api_key: NONE is not set"},
		{"not needed", "brain: {provider: offline, api_key: '${NONE}'}", both, ""},
		{"needed by a named provider", "brain: {provider: p, api_key: '${NONE}'}\nproviders: {p: {api: openai}}", both, "NONE is not set"},
		{"not by one with its own", "brain: {provider: p, api_key: '${NONE}'}\nproviders: {p: {api: openai, api_key: x}}", both, ""},
		{"a provider's own", "providers: {p: {api: openai, api_key: '${NONE}', headers: {X: '${NO2}'}}}", both, "providers.p.api_key: NONE is not set"},
		{"a channel's", "channels: {t: {token: '${NONE}'}}", both, "channels.t.token: NONE is not set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, _, err := Load(write(t, tt.text, tt.environ...))
			if err != nil {
				if got := strings.Join(lines(t, err), "\n"); tt.want == "" || !strings.Contains(got, tt.want) {
					t.Fatalf("got %s, want %q", got, tt.want)
				}
				return
			}
			if got := cfg.Brain.APIKey.Reveal(); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEndpoint(t *testing.T) {
	const file = `
brain: {provider: %s, base_url: 'http://b/v1'}
providers:
  mine: {api: openai, base_url: 'http://m/v1', api_key: m-key, timeout: 9s, headers: {X-A: v}}
  anthropic: {base_url: 'http://proxy'}
`
	environ := []string{"ANTHROPIC_API_KEY=a-key", "OPENAI_API_KEY=o-key", "GOOGLE_API_KEY=g-key"}
	show := func(e Endpoint) string {
		return fmt.Sprint(e.API, " ", e.BaseURL, " ", e.APIKey.Reveal(), " ", e.Model, " ", e.Timeout, " ", len(e.Headers))
	}
	tests := []struct{ brain, name, want string }{
		{"auto", "anthropic", "anthropic http://b/v1 a-key claude-opus-4-6 0s 0"},
		{"auto", "openai", "openai http://b/v1 o-key  0s 0"},
		{"auto", "google", "google http://b/v1 g-key  0s 0"},
		{"auto", "offline", "offline    0s 0"},
		{"mine", "mine", "openai http://b/v1 m-key  9s 1"},
		{"mine", "anthropic", "anthropic http://proxy a-key  0s 0"},
		{"mine", "openai", "openai  o-key  0s 0"},
		{"openai, model: gpt-9", "openai", "openai http://b/v1 o-key gpt-9 0s 0"},
		{"openai, model: claude-opus-4-6", "openai", "openai http://b/v1 o-key claude-opus-4-6 0s 0"},
		{"auto, model: claude-opus-4-6", "openai", "openai http://b/v1 o-key  0s 0"},
		{"local", "local", "openai http://b/v1   0s 0"},
		{"auto", "auto", "none"},
		{"auto", "nothing", "none"},
	}
	for _, tt := range tests {
		cfg, _ := load(t, fmt.Sprintf(file, tt.brain), environ...)
		got := "none"
		if e, ok := cfg.Endpoint(tt.name); ok {
			got = show(e)
		}
		if got != tt.want {
			t.Errorf("provider: %s, Endpoint(%s):\n got %s\nwant %s", tt.brain, tt.name, got, tt.want)
		}
	}
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"A": "a", "B_2": "${A}", "EMPTY": ""}
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	tests := []struct {
		in, out string
		unset   []string
	}{
		{"plain $A $ $$ } {", "plain $A $ $$ } {", nil},
		{"${A}", "a", nil},
		{"<${A}${A}>", "<aa>", nil},
		{"${B_2}", "${A}", nil}, // what a variable contains is left alone
		{"$${A}", "${A}", nil},
		{"$$${A}", "$${A}", nil},
		{"$${A", "${A", nil},
		{"${NONE}x", "x", []string{"NONE"}},
		{"${EMPTY}${NONE}", "", []string{"EMPTY", "NONE"}},
		{"${NONE:-}", "", nil},
		{"${NONE:-d e:f}", "d e:f", nil},
		{"${EMPTY:-d}", "d", nil},
		{"${A:-d}", "a", nil},
		{"${NONE:-${A}/b}c", "a/bc", nil},
		{"${A:-${NONE}}", "a", nil},
		{"${NONE:-${NONE2}}", "", []string{"NONE2"}},
		{"${NONE:-$${x}y", "${xy", nil},
	}
	for _, tt := range tests {
		e, err := expand(tt.in, lookup)
		if err != nil || e.text != tt.out || !slices.Equal(e.unset, tt.unset) {
			t.Errorf("%q: got %q %q %v, want %q %q", tt.in, e.text, e.unset, err, tt.out, tt.unset)
		}
	}
	for _, in := range []string{"${", "${A", "${}", "${ A}", "${A-b}", "${A:-", "${A:-${B}", "${1}", "${A:=x}", "${Ä}"} {
		if e, err := expand(in, lookup); err == nil {
			t.Errorf("%q gives %q", in, e.text)
		}
	}
}

// References work wherever a value stands; the value has the type of the key
// and is never read as YAML again.
func TestReferencesInValues(t *testing.T) {
	cfg, warnings := load(t, `
brain: {model: "${MODEL}", max_tokens: "${N}", temperature: "${NONE:-1.5}"}
gateway: {port: "${N}", drain_timeout: "${T}", allowed_hosts: ["${H}", b.example], auth: {enabled: "${ON}", token: '${TOKEN}'}}
hands: {workspace: "${DIR}/x", shell: {env_allow: ["${NONE}"]}}
logging: {level: "${NONE}"}
channels: {c: {name: "${MODEL}"}}
`, "MODEL=a: [b] # c", "N=42", "T=1m", "H=h.example", "ON=true", "TOKEN=#not-a-comment", "DIR=~/.openclaw/d")
	got := []any{
		cfg.Brain.Model, cfg.Brain.MaxTokens, cfg.Brain.Temperature, cfg.Gateway.Port, cfg.Gateway.DrainTimeout.String(),
		cfg.Gateway.AllowedHosts, cfg.Gateway.Auth.Enabled, cfg.Gateway.Auth.Token.Reveal(),
		cfg.Hands.Workspace == cfg.Home+"/d/x", cfg.Logging.Level, cfg.Channels["c"],
	}
	want := []any{
		"a: [b] # c", 42, 1.5, 42, "1m", []string{"h.example", "b.example"}, true, "#not-a-comment",
		true, "info", map[string]any{"name": "a: [b] # c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantWarnings := []string{
		"config.yml:4:52: hands.shell.env_allow[0]: NONE is not set; it counts as empty here",
		"config.yml:5:18: logging.level: NONE is not set; it counts as empty here",
	}
	if diff := cmp.Diff(wantWarnings, warningLines(warnings)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, _, err := Load(write(t, "gateway: {port: '${SECRET_PORT}'}", "SECRET_PORT=private"))
	if got := lines(t, err); len(got) != 1 || strings.Contains(got[0], "private") || !strings.Contains(got[0], "${SECRET_PORT}") {
		t.Errorf("got %q", got)
	}
}
