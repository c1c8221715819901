package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Keys of earlier versions keep working.
func TestOlderForms(t *testing.T) {
	cfg, warnings := load(t, `
brain:
  provider: local
  local:
    endpoint: http://localhost:11434
  fallback: {provider: openai, model: gpt-9, api_key: k}
gateway: {log_level: debug}
hands: {shell: {timeout: 30000}}
heartbeat: {interval: 900, model: small}
`, "ANTHROPIC_API_KEY=secret")
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	got := []any{
		cfg.Brain.BaseURL, cfg.Brain.Local, cfg.Brain.APIKey, len(cfg.Brain.Fallback), cfg.Brain.Fallback[0].Model,
		cfg.Logging.Level, cfg.Gateway.LogLevel, cfg.Hands.Shell.Timeout.String(), cfg.Heartbeat.Interval.String(),
		cfg.Brain.HeartbeatOverride.Model, cfg.Heartbeat.Model, cfg.Origin("logging.level").Line,
	}
	want := []any{
		"http://localhost:11434/v1", Local{}, Secret(""), 1, "gpt-9", "debug", "", "30s", "15m", "small", "", 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if e, ok := cfg.Endpoint("local"); !ok || e.API != "openai" || e.BaseURL != "http://localhost:11434/v1" || e.APIKey != "" {
		t.Errorf("Endpoint(local) = %+v", e)
	}
}

func TestOlderFormsBesidePresentOnes(t *testing.T) {
	cfg, warnings := load(t, "gateway: {log_level: debug}\nlogging: {level: warn}\n")
	if cfg.Logging.Level != "warn" {
		t.Errorf("level %s", cfg.Logging.Level)
	}
	want := []string{"config.yml:1:11: gateway.log_level: is an older name of logging.level, which is also set and counts"}
	if diff := cmp.Diff(want, warningLines(warnings)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, _, err := Load(write(t, "gateway: {log_level: loud}\nbrain: {provider: local}\n"))
	got := lines(t, err)
	if len(got) != 2 || !strings.Contains(got[0], "gateway.log_level: must be one of debug") || !strings.Contains(got[1], "local needs an endpoint") {
		t.Errorf("got %q", got)
	}
}

func TestInert(t *testing.T) {
	cfg, _ := load(t, `
brain: {provider: ollama, model: m, heartbeat_override: {model: x}}
providers:
  a: {api: ollama}
  b: {api: openai, models: {m.1: {context_window: 5, cost: {input: 1}}}}
gateway: {port: 1, tls: {cert: c, key: k}}
telemetry: {metrics: false}
cron: []
budget: {daily_limit_usd: 1}
heartbeat: {interval: 60, model: y}
`, "OPENCLAW_MEMORY_AUTO_SAVE=false")
	got := warningLines(cfg.Inert())
	want := []string{
		`config.yml:6:20: gateway.tls: has no effect yet`,
		`config.yml:7:13: telemetry.metrics: has no effect yet`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if silent, _ := load(t, ""); silent.Inert() != nil {
		t.Errorf("an empty file: %v", silent.Inert())
	}
}

func TestDurationsAndSizes(t *testing.T) {
	durations := map[string]time.Duration{
		"0": 0, "30s": 30 * time.Second, "1500": 1500 * time.Millisecond, "0.5": 500 * time.Microsecond,
		"1h30m": 90 * time.Minute, "90d": 90 * 24 * time.Hour, "250ms": 250 * time.Millisecond,
	}
	for text, want := range durations {
		got, err := parseDuration(text, time.Millisecond)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
		if again, err := parseDuration(got.String(), 0); err != nil || again != got {
			t.Errorf("%s prints as %s: %v", text, got, err)
		}
	}
	for _, text := range []string{"", "s", "1x", "soon", "1e300", "NaN", "Inf", "300y", "999999999d", "30 s"} {
		if got, err := parseDuration(text, time.Second); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	sizes := map[string]Size{
		"0": 0, "5": 5, "64KiB": 64 << 10, "1MiB": 1 << 20, "10 MB": 10e6, "1.5GiB": 3 << 29, "7B": 7, "2TiB": 2 << 40, "3kB": 3000,
	}
	for text, want := range sizes {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
		if again, err := parseSize(got.String()); err != nil || again != got {
			t.Errorf("%s prints as %s: %v", text, got, err)
		}
	}
	for _, text := range []string{"", "KiB", "1.5", "1XB", "99999999TiB", "9999999999999999999", "NaNKiB", "1e3"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestDotEnv(t *testing.T) {
	opts := write(t, "brain: {provider: anthropic, model: \"${M}\"}\n", "REAL=real", "OPENCLAW_LOG_LEVEL=warn")
	home := filepath.Join(strings.TrimPrefix(opts.Environ[0], "HOME="), ".openclaw")
	text := "\ufeff# keys\r\nexport ANTHROPIC_API_KEY='sk $x'\r\nM=\"a\\\"b\\n\" # c\nREAL=other\nOPENCLAW_PORT=99 # c\nOPENCLAW_LOG_LEVEL=debug\n" +
		"OPENCLAW_PROT=1\nnonsense-secret\n1X=2\nEMPTY=\nM2 = spaced value  \nM=last\nOPENCLAW_HOME=/x\n"
	if err := os.WriteFile(filepath.Join(home, ".env"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, warnings, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	real, _ := cfg.lookup("REAL")
	m2, _ := cfg.lookup("M2")
	got := []any{cfg.Brain.APIKey.Reveal(), cfg.Brain.Model, cfg.Gateway.Port, cfg.Logging.Level, real, m2, cfg.Home == home}
	want := []any{"sk $x", "last", 99, "warn", "real", "spaced value", true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantWarnings := []string{
		".env: holds secrets and can be read by others; run: chmod 600 " + filepath.Join(home, ".env"),
		".env:8:1: is not NAME=value and is ignored",
		".env:9:1: is not NAME=value and is ignored",
		".env:13:1: OPENCLAW_HOME: has no effect here, in the directory it would name",
		".env:7:1: OPENCLAW_PROT: sets nothing: there is no such key (did you mean OPENCLAW_PORT?)",
	}
	if diff := cmp.Diff(wantWarnings, warningLines(warnings)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDotEnvValues(t *testing.T) {
	tests := map[string]string{
		`A=b`: "b", `A="b c"`: "b c", `A='b "c"' # d`: `b "c"`, `A=b#c`: "b#c", `A=b #c`: "b", `A=#`: "", `A="a\tb\$\\"`: "a\tb$\\",
		`A="\x"`: `\x`, "export\tA=b": "b", `A==`: "=", `A=`: "",
	}
	for line, want := range tests {
		got, broken := parseDotEnv(line)
		if len(got) != 1 || got[0].value != want || got[0].name != "A" || broken != nil {
			t.Errorf("%s: %v %v, want %q", line, got, broken, want)
		}
	}
	for _, line := range []string{"A", "=b", `A="b`, `A='b' c`, "A B=c", "export=1 2\nA-B=c", "A=\x00"} {
		if _, broken := parseDotEnv(line); len(broken) == 0 {
			t.Errorf("%q is accepted", line)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"port", "host", "max_connections", "allowed_hosts", "tls", "auth"}
	tests := map[string]string{
		"prot": "port", "Port": "port", "hosts": "host", "maxConnections": "max_connections", "allowed-host": "allowed_hosts",
		"tsl": "tls", "ath": "auth", "x": "", "": "", "completely": "", strings.Repeat("port", 100): "",
	}
	for text, want := range tests {
		if got := nearest(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestKeySyntax(t *testing.T) {
	tests := map[string][]string{
		"a": {"a"}, "a.b_c": {"a", "b_c"}, "cron[0].name": {"cron", "0", "name"}, "cron.0.name": {"cron", "0", "name"},
		`providers."a.b".models."gpt-4.1"`: {"providers", "a.b", "models", "gpt-4.1"}, "a[1][2]": {"a", "1", "2"},
		`a."".b`: {"a", "", "b"}, `providers.gpt-4`: {"providers", "gpt-4"},
	}
	for key, want := range tests {
		got, err := splitKey(key)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q %v", key, got, err)
		}
	}
	for _, key := range []string{"", ".", "a.", ".a", "a..b", "a[", "a[x]", "a]", `a."b`, `a"b"`, "a[0]b", "[0]"} {
		if got, err := splitKey(key); err == nil {
			t.Errorf("%q: %q", key, got)
		}
	}
}

func TestGetAndList(t *testing.T) {
	cfg, _ := load(t, "gateway: {port: 5}\ncron: [{name: n, schedule: '@daily', message: m}]\nproviders: {a.b: {api: openai, api_key: x}}\nchannels: {t: {list: [1, {b: true}]}}\n")
	tests := map[string]string{
		"gateway.port": "5", "gateway.drain_timeout": "30s", "gateway.limits.message": "1MiB", "brain.fallback": "[]",
		"cron[0].missed": "run_once", `providers."a.b".api_key`: "[secret]", "brain.api_key": "", "gateway.auth": `{"enabled":false,"token":""}`,
		"channels.t.list[1].b": "true", "channels.t": `{"list":[1,{"b":true}]}`, "webhooks.outgoing": "[]", "mcp.servers": "{}",
	}
	for key, want := range tests {
		got, err := cfg.Get(key)
		if err != nil || Format(got) != want {
			t.Errorf("%s: %v %v, want %s", key, Format(got), err, want)
		}
	}
	problems := map[string]string{
		"gateway.prt": `gateway.prt: is not a key of gateway (did you mean "gateway.port"?)`, "cron[5].name": "cron[5].name: is not set",
		"providers.x": "providers.x: is not set", "gateway.port.x": "gateway.port.x: does not exist: gateway.port has no keys",
		"cron.first": "cron.first: is in a list: name its element by a number, the first is 0", "": ": " + errKeySyntax.Error(),
	}
	for key, want := range problems {
		if _, err := cfg.Get(key); err == nil || err.Error() != strings.TrimPrefix(want, ": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, e := range cfg.List() {
		if got, err := cfg.Get(e.Key); err != nil || Format(got) != Format(e.Value) {
			t.Errorf("List and Get disagree on %s: %v %v", e.Key, e.Value, got)
		}
		if set := e.Key == "gateway.port" || e.Key == "cron" || e.Key == "providers" || e.Key == "channels"; set != e.Origin.IsFile() {
			t.Errorf("%s comes from %v", e.Key, e.Origin)
		}
	}
}

func TestDiff(t *testing.T) {
	a, _ := load(t, "gateway: {port: 1}\nproviders: {p: {api: openai, api_key: one}}\n")
	b, _ := load(t, "gateway: {port: 2, host: '::1', drain_timeout: 30s}\nproviders: {p: {api: openai, api_key: two}}\n", "OPENAI_API_KEY=x")
	// Two homes differ in all their paths; only what the files say counts here.
	var got []string
	for _, key := range Diff(a, b) {
		if b.IsSet(key) || !strings.Contains(key, "path") && key != "hands.workspace" && key != "gateway.pid_file" {
			got = append(got, key)
		}
	}
	want := []string{"providers", "gateway.host", "gateway.port", "providers.openai.api_key"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gateway.host", "gateway.port"}, NeedRestart(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gateway.host", "gateway.port", "gateway.pid_file", "store.path"}, NeedRestart(Diff(a, b))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
