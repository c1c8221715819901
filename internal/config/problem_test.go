package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"several at once", "gateway:\n  prot: 1\n  port: abc\nbrian: {}\n", []string{
			`config.yml:2:3: gateway.prot: is not a key of gateway (did you mean "gateway.port"?)`,
			`config.yml:3:9: gateway.port: must be a whole number, not "abc"`,
			`config.yml:4:1: brian: is not a key of the configuration (did you mean "brain"?)`,
		}},
		{"right key, wrong section", "port: 1\nmodel: x\nzzz: 1\n", []string{
			`config.yml:1:1: port: is not a key of the configuration (did you mean "gateway.port"?)`,
			`config.yml:2:1: model: is not a key of the configuration (did you mean "brain.model"?)`,
			`config.yml:3:1: zzz: is not a key of the configuration`,
		}},
		{"other spelling", "brain: {maxTokens: 1}\n", []string{
			`config.yml:1:9: brain.maxTokens: is not a key of brain (did you mean "brain.max_tokens"?)`,
		}},
		{"twice", "gateway:\n  port: 1\n  host: ::1\n  port: 2\n", []string{
			`config.yml:4:3: gateway.port: is here a second time, after line 2; remove one of them`,
		}},
		{"types", "brain: {model: 5, temperature: warm, max_tokens: '9', thinking: [off]}\ngateway: 3\ncron: {}\nhands: {shell: {enabled: yes, max_output: [1]}}\nproviders: []\nmemory: {path: true}\n", []string{
			`config.yml:1:16: brain.model: must be a text, not a number; put it in quotes`,
			`config.yml:1:32: brain.temperature: must be a number, not "warm"`,
			`config.yml:1:50: brain.max_tokens: must be a whole number, not a text; remove the quotes`,
			`config.yml:1:65: brain.thinking: must be one value, not a list`,
			`config.yml:2:10: gateway: must be a map (lines of key: value), not a number`,
			`config.yml:3:7: cron: must be a list ([a, b], or lines that begin with -), not a map`,
			`config.yml:4:26: hands.shell.enabled: must be true or false, not "yes" (did you mean "true"?)`,
			`config.yml:4:43: hands.shell.max_output: must be one value, not a list`,
			`config.yml:5:12: providers: must be a map (lines of key: value), not a list`,
			`config.yml:6:16: memory.path: must be a text, not true or false; put it in quotes`,
		}},
		{"bounds", "gateway: {port: 65536, max_connections: 0, drain_timeout: -1s, limits: {message: 5, depth: 1e3}}\nbrain: {temperature: .inf, max_tokens: 99999999999999999999}\nsession: {compact_at: 1.5}\nheartbeat: {interval: 0}\n", []string{
			`config.yml:1:17: gateway.port: must be a whole number from 0 to 65535, not "65536"`,
			`config.yml:1:41: gateway.max_connections: must be a whole number from 1 to 1000000, not "0"`,
			`config.yml:1:59: gateway.drain_timeout: must be a duration of at least 0s, not "-1s"`,
			`config.yml:1:82: gateway.limits.message: must be a size from 1KiB to 1GiB, not "5"`,
			`config.yml:1:92: gateway.limits.depth: must be a whole number from 1 to 10000, not "1e3"`,
			`config.yml:2:22: brain.temperature: must be a number, not ".inf"`,
			`config.yml:2:40: brain.max_tokens: must be a whole number from 1 to 10000000, not "99999999999999999999"`,
			`config.yml:3:23: session.compact_at: must be a number from 0.1 to 1, not "1.5"`,
			`config.yml:4:23: heartbeat.interval: must be a duration of at least 1s, not "0"`,
		}},
		{"texts with a form", `gateway: {allowed_origins: [https://a.example/x, nonsense], allowed_hosts: [http://a], trusted_proxies: [10.0.0.0/33]}
brain: {base_url: localhost:8080, thinking: hgih}
heartbeat: {quiet_hours: {start: "7:00", end: 24:00, timezone: Europe/Berlim}}
hands: {workspace: ~root/x, shell: {timeout: soon}}
`, []string{
			`config.yml:1:29: gateway.allowed_origins[0]: must be an origin: scheme, name and port only (did you mean "https://a.example"?)`,
			`config.yml:1:50: gateway.allowed_origins[1]: must be an origin such as https://example.org, not "nonsense"`,
			`config.yml:1:77: gateway.allowed_hosts[0]: must be an IP address or a name, without a port, not "http://a"`,
			`config.yml:1:106: gateway.trusted_proxies[0]: must be a network such as 10.0.0.0/8, or an IP address, not "10.0.0.0/33"`,
			`config.yml:2:19: brain.base_url: must be an address such as http://127.0.0.1:8080/v1, not "localhost:8080"`,
			`config.yml:2:45: brain.thinking: must be one of off, low, medium, high, not "hgih" (did you mean "high"?)`,
			`config.yml:3:34: heartbeat.quiet_hours.start: must be a time of day such as 22:00, not "7:00"`,
			`config.yml:3:47: heartbeat.quiet_hours.end: must be a time of day such as 22:00, not "24:00"`,
			`config.yml:3:64: heartbeat.quiet_hours.timezone: must be a time zone such as UTC or Europe/Berlin, not "Europe/Berlim"`,
			`config.yml:4:20: hands.workspace: must be a file name such as ~/work or /srv/work; the home directories of other users are not known`,
			`config.yml:4:46: hands.shell.timeout: must be a duration, such as 500ms, 30s, 5m or 1h30m; it is "soon"`,
		}},
		{"a bare number without a unit", "gateway: {drain_timeout: 30}", []string{
			`config.yml:1:26: gateway.drain_timeout: needs a unit: write 30s or 30m; it is "30"`,
		}},
		{"open door", "gateway: {host: 0.0.0.0}", []string{
			`config.yml:1:11: gateway.host: would let everybody in who can reach "0.0.0.0"; set gateway.auth.enabled to true and gateway.auth.token, or gateway.host to 127.0.0.1`,
		}},
		{"pairs", "gateway: {tls: {cert: a.pem}}\nheartbeat: {quiet_hours: {end: '07:00'}}\ncron: [{name: a, schedule: '* * * * 9', message: m, skill: s}, {name: a}]\nmcp: {servers: {x: {}}}\n", []string{
			`config.yml:1:17: gateway.tls.cert: is of no use without gateway.tls.key; set both or neither`,
			`config.yml:2:27: heartbeat.quiet_hours.end: is of no use without heartbeat.quiet_hours.start; set both or neither`,
			`config.yml:3:8: cron[0]: needs either message or skill`,
			`config.yml:3:18: cron[0].schedule: cannot be used: "* * * * 9" is no schedule; write five fields (minute hour day month weekday) such as 30 9 * * 1-5, @every 90m or @at 2027-01-31T09:00`,
			`config.yml:3:64: cron[1]: needs schedule`,
			`config.yml:3:64: cron[1]: needs either message or skill`,
			`config.yml:3:65: cron[1].name: is the name of an earlier entry; every job needs its own`,
			`config.yml:4:17: mcp.servers.x: needs either command or url`,
		}},
		{"providers", "brain: {provider: mien}\nproviders:\n  mine: {api: anthropc}\n  a/b: {api: openai}\n  auto: {}\n  openai: {api: google}\n  bare: {}\n", []string{
			`config.yml:1:9: brain.provider: must be one of auto, anthropic, openai, google, ollama, offline, local, a/b, bare, mine, or a name under providers, not "mien" (did you mean "mine"?)`,
			`config.yml:3:15: providers.mine.api: must be one of anthropic, openai, google, ollama, not "anthropc" (did you mean "anthropic"?)`,
			`config.yml:4:3: providers.a/b: must have a name without spaces and without /, which separates provider and model`,
			`config.yml:5:3: providers.auto: cannot have this name, which means something else as brain.provider`,
			`config.yml:6:12: providers.openai.api: must be openai for a provider of that name; choose another name (did you mean "openai"?)`,
			`config.yml:7:3: providers.bare: needs api: anthropic, openai, google or ollama`,
		}},
		{"syntax", "gateway:\n  host: [a\nbrain: {}\n", []string{
			`config.yml:3:6: is no valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins in line 2)`,
		}},
		{"tab", "gateway:\n\thost: a\n", []string{
			"config.yml:2:1: is no valid YAML: found character that cannot start any token; indent with spaces, not tabs, and put texts that begin with @ or ` in quotes",
		}},
		{"two documents", "brain: {}\n---\nbrain: {}\n", []string{
			`config.yml:2:1: begins a second YAML document; a configuration is one document: remove the --- line`,
		}},
		{"not UTF-8", "# ü\nbrain: {model: a\xff}\n", []string{
			`config.yml:2:17: contains a byte that is not UTF-8 text; save the file as UTF-8`,
		}},
		{"no map", "- a\n", []string{`config.yml:1:1: must be a map (lines of key: value), not a list`}},
		{"merge key, tag, odd key", "brain: &b {model: x}\ngateway:\n  <<: *b\n  host: !secret x\n  ? [a]\n  : 1\n", []string{
			`config.yml:3:3: gateway: uses <<, which is not supported; write the keys out`,
			`config.yml:4:9: gateway.host: has the tag "!secret", which means nothing here; remove it`,
			`config.yml:5:5: gateway: has a key that is no plain text`,
		}},
		{"broken reference", "brain: {model: \"${A\", base_url: '${}', api_key: '${1}'}\n", []string{
			`config.yml:1:16: brain.model: ` + errUnclosed.Error(),
			`config.yml:1:33: brain.base_url: ` + errName.Error(),
			`config.yml:1:49: brain.api_key: ` + errName.Error(),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, _, err := Load(write(t, tt.text))
			if cfg != nil {
				t.Error("a broken file gave a configuration")
			}
			if diff := cmp.Diff(tt.want, lines(t, err)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestHarmlessFiles(t *testing.T) {
	for _, text := range []string{
		"", "\n\n", "# only a comment\n", "---\n", "{}", "~", "\ufeff# BOM\n", "---\n# c\n...\n",
		"brain:\n", "brain:\n  model:\n", "channels:\n", "gateway: {auth: {token: }}\r\n", "cron: []\nproviders: {}\n",
	} {
		cfg, warnings := load(t, text)
		if len(warnings) > 0 || cfg.Gateway.Port != 18789 || cfg.Brain.Model != "claude-opus-4-6" || cfg.IsSet("brain.model") {
			t.Errorf("%q: %v %v", text, cfg, warnings)
		}
	}
}

// A configuration that is made to exhaust memory, stack or time is an error
// like others.
func TestHostileFiles(t *testing.T) {
	bomb := &strings.Builder{}
	bomb.WriteString("channels:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		list := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", ")
		fmt.Fprintf(bomb, "  a%d: &a%d [%s]\n", i, i, list)
	}
	tests := []struct{ name, text, want string }{
		{"alias bomb", bomb.String(), "too large"},
		{"alias of itself", "channels: {a: &a [*a]}", "nested too deeply"},
		{"deep", "channels: " + strings.Repeat("[", 9000), "YAML"},
		{"deep but closed", "channels: {a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}", "nested too deeply"},
		{"huge", "# " + strings.Repeat("x", maxFileSize), "longer than 1 MiB"},
		{"NUL", "brain: {model: \x00}", "not UTF-8 text"},
		{"unknown alias", "brain: *x", "unknown anchor"},
		{"huge by reference", "brain: {model: \"" + strings.Repeat("${BIG}", 200) + "\"}", "longer than 1 MiB"},
		{"references in references", "brain: {model: \"" + strings.Repeat("${A:-", 50) + strings.Repeat("}", 50) + "\"}", "nests references"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Load(write(t, tt.text, "BIG="+strings.Repeat("x", 10_000)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if len(err.Error()) > 20_000 {
				t.Errorf("a report of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	opts := write(t, "")
	path := filepath.Join(strings.TrimPrefix(opts.Environ[0], "HOME="), ".openclaw/config.yml")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(opts); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("got %v", err)
	}
}
