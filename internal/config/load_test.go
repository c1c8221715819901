package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// write makes a home with a configuration file and returns the options that
// load it. Without entries, environ is empty but for HOME.
func write(t testing.TB, text string, environ ...string) Options {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".openclaw")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Environ: append([]string{"HOME=" + home}, environ...)}
}

func load(t testing.TB, text string, environ ...string) (*Config, []Warning) {
	t.Helper()
	cfg, warnings, err := Load(write(t, text, environ...))
	if err != nil {
		t.Fatalf("Load: %v\n%s", err, text)
	}
	return cfg, warnings
}

// lines shows problems or warnings without the directory of the file.
func lines(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("error of type %T: %v", err, err)
	}
	out := make([]string, len(ps))
	for i, p := range ps {
		if p.IsFile() {
			p.File = filepath.Base(p.File)
		}
		out[i] = p.String()
	}
	return out
}

func warningLines(ws []Warning) []string {
	var out []string
	for _, w := range ws {
		if filepath.IsAbs(w.File) {
			w.File = filepath.Base(w.File)
		}
		out = append(out, w.String())
	}
	return out
}

var onlyExported = cmp.Options{
	cmpopts.IgnoreUnexported(Config{}),
	cmp.Comparer(func(a, b Secret) bool { return a == b }),
}

// The file that the documentation shows spells every default out.
func TestDocumentedFileIsTheDefaults(t *testing.T) {
	text, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, environ := range [][]string{nil, {"ANTHROPIC_API_KEY=sk-ant-1"}} {
		opts := write(t, string(text), environ...)
		written, warnings, err := Load(opts)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("Load: %v, warnings %v", err, warnings)
		}
		if err := os.Remove(written.Path); err != nil {
			t.Fatal(err)
		}
		silent, warnings, err := Load(opts)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("Load without a file: %v, warnings %v", err, warnings)
		}
		if diff := cmp.Diff(silent, written, onlyExported); diff != "" {
			t.Errorf("-default +documented:\n%s", diff)
		}
		if got := Diff(silent, written); got != nil {
			t.Errorf("Diff names %q", got)
		}
	}
}

func TestDefaults(t *testing.T) {
	cfg, _ := load(t, "")
	home := filepath.Dir(cfg.Path)
	got := map[string]any{
		"home":     cfg.Home == home,
		"port":     cfg.Gateway.Port,
		"host":     cfg.Gateway.Host,
		"temp":     cfg.Brain.Temperature,
		"shell":    time.Duration(cfg.Hands.Shell.Timeout),
		"interval": time.Duration(cfg.Heartbeat.Interval),
		"message":  int64(cfg.Gateway.Limits.Message),
		"queue":    int64(cfg.Gateway.Limits.WriteQueueBytes),
		"env":      strings.Join(cfg.Hands.Shell.EnvAllow, " "),
		"blocked":  cfg.Hands.Filesystem.BlockedPaths[3] == filepath.Join(home, "config.yml"),
		"ssh":      cfg.Hands.Filesystem.BlockedPaths[0] == filepath.Join(filepath.Dir(home), ".ssh"),
		"store":    cfg.Store.Path == filepath.Join(home, "openclaw.db"),
		"auth":     cfg.Gateway.Auth.Enabled,
		"key":      cfg.Brain.APIKey.Reveal(),
		"drain":    time.Duration(cfg.Gateway.DrainTimeout),
	}
	want := map[string]any{
		"home": true, "port": 18789, "host": "127.0.0.1", "temp": 0.7,
		"shell": 30 * time.Second, "interval": 30 * time.Minute,
		"message": int64(1 << 20), "queue": int64(4 << 20),
		"env":     "PATH HOME LANG LC_* TZ TERM USER SHELL TMPDIR",
		"blocked": true, "ssh": true, "store": true, "auth": false, "key": "",
		"drain": 30 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Every tag must say something the code understands, since Load trusts them.
func TestTags(t *testing.T) {
	dirs := directories{user: "/u", home: "/u/.openclaw"}
	seen := map[string]string{}
	for _, k := range Keys() {
		parts, err := splitKey(k.Name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := findField(parts)
		if err != nil {
			t.Fatal(err)
		}
		if k.Doc == "" {
			t.Errorf("%s has no doc", k.Name)
		}
		if f.def != "" {
			if wrong := f.set(reflect.New(f.typ).Elem(), f.def, dirs); wrong != nil {
				t.Errorf("default of %s: %s", k.Name, wrong.message)
			}
		}
		for _, bound := range []string{f.min, f.max} {
			free := f
			free.min, free.max = "", ""
			if bound != "" {
				if wrong := free.set(reflect.New(f.typ).Elem(), bound, dirs); wrong != nil {
					t.Errorf("bound of %s: %s", k.Name, wrong.message)
				}
			}
		}
		if k.Env != "" && seen[k.Env] != "" {
			t.Errorf("%s and %s share %s", k.Name, seen[k.Env], k.Env)
		}
		seen[k.Env] = k.Name
	}
	for name, key := range shortNames() {
		if seen[name] != "" || seen[envName(key)] != key {
			t.Errorf("short name %s of %s", name, key)
		}
	}
}

func TestPrecedence(t *testing.T) {
	const file = "gateway: {port: 2, max_connections: 2, drain_timeout: 2s}\nlogging: {level: warn}\n"
	opts := write(t, file,
		"OPENCLAW_GATEWAY_PORT=3", "OPENCLAW_PORT=9", "OPENCLAW_GATEWAY_MAX_CONNECTIONS=3",
		"OPENCLAW_LOG_LEVEL=error", "OPENCLAW_GATEWAY_AUTH_TOKEN=a-real-token",
		"OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_GATEWAY_ALLOWED_HOSTS=a.example, b.example",
		"OPENCLAW_GATEWAY_LIMITS_IN_FLIGHT=", "OPENCLAW_HANDS_SHELL_TIMEOUT=1500")
	opts.Overrides = map[string]string{"gateway.port": "4"}
	cfg, warnings, err := Load(opts)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	got := []any{
		cfg.Gateway.Port, cfg.Gateway.MaxConnections, cfg.Gateway.DrainTimeout.String(), cfg.Logging.Level,
		cfg.Gateway.Auth.Token.Reveal(), cfg.Gateway.Auth.Enabled, cfg.Gateway.AllowedHosts,
		cfg.Gateway.Limits.InFlight, cfg.Hands.Shell.Timeout.String(),
		cfg.Origin("gateway.port").String(), cfg.Origin("gateway.max_connections").String(),
		cfg.Origin("gateway.drain_timeout").Line, cfg.IsSet("gateway.host"),
	}
	want := []any{
		4, 3, "2s", "error", "a-real-token", true, []string{"a.example", "b.example"}, 64, "1.5s",
		"command line", "OPENCLAW_GATEWAY_MAX_CONNECTIONS", 1, false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEnvironmentProblems(t *testing.T) {
	opts := write(t, "", "OPENCLAW_GATEWAY_PROT=1", "OPENCLAW_PORT=70000", "OPENCLAW_WHATEVER_THIS_IS=1",
		"OPENCLAW_CRON=x", "OPENCLAW_URL=ws://x", "OPENCLAW_GATEWAY_LOG_LEVEL=info", "OPENCLAW_PROVIDER=antropic")
	opts.KnownEnv = []string{"OPENCLAW_URL"}
	opts.Overrides = map[string]string{"gateway.hst": "x", "cron": "x", "a..b": ""}
	_, warnings, err := Load(opts)
	wantProblems := []string{
		"command line: a..b: " + errKeySyntax.Error(),
		`OPENCLAW_PROVIDER: brain.provider: must be one of auto, anthropic, openai, google, ollama, offline, local, or a name under providers, not "antropic" (did you mean "anthropic"?)`,
		"command line: cron: can only be set in the configuration file",
		`command line: gateway.hst: is not a key of gateway (did you mean "gateway.host"?)`,
		`OPENCLAW_PORT: gateway.port: must be a whole number from 0 to 65535, not "70000"`,
	}
	if diff := cmp.Diff(wantProblems, lines(t, err)); diff != "" {
		t.Errorf("problems -want +got:\n%s", diff)
	}
	wantWarnings := []string{
		"OPENCLAW_CRON: sets nothing: there is no such key",
		"OPENCLAW_GATEWAY_LOG_LEVEL: sets nothing: there is no such key",
		"OPENCLAW_GATEWAY_PROT: sets nothing: there is no such key (did you mean OPENCLAW_GATEWAY_PORT?)",
		"OPENCLAW_WHATEVER_THIS_IS: sets nothing: there is no such key",
	}
	if diff := cmp.Diff(wantWarnings, warningLines(warnings)); diff != "" {
		t.Errorf("warnings -want +got:\n%s", diff)
	}
}

func TestHomeMoves(t *testing.T) {
	moved := t.TempDir()
	const file = "hands: {workspace: ~/.openclaw/work, filesystem: {writable_paths: [~/src, /srv/../data, rel], blocked_paths: [~/.openclawx]}}\n"
	if err := os.WriteFile(filepath.Join(moved, "config.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load(Options{Environ: []string{"HOME=/home/u", "OPENCLAW_HOME=" + moved}})
	if err != nil {
		t.Fatal(err)
	}
	got := append([]string{cfg.Home, cfg.Path, cfg.Store.Path, cfg.Hands.Workspace}, cfg.Hands.Filesystem.WritablePaths...)
	got = append(got, cfg.Hands.Filesystem.BlockedPaths...)
	want := []string{
		moved, moved + "/config.yml", moved + "/openclaw.db", moved + "/work",
		"/home/u/src", "/data", moved + "/rel", "/home/u/.openclawx",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A blocked path that blocks nothing is an error.
func TestBlockedPaths(t *testing.T) {
	for text, want := range map[string]string{
		"~/a*": "wildcards", "~/x?": "wildcards", "relative": `did you mean "~/relative"`, "~other/x": "other users", "~/x": "", "/srv/[x]": "",
	} {
		home := t.TempDir()
		file := filepath.Join(home, "config.yml")
		if err := os.WriteFile(file, []byte("hands:\n  filesystem:\n    blocked_paths: [~/.ssh, "+strconv.Quote(text)+"]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load(Options{Path: file, Environ: []string{"HOME=" + home}})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":3:29: hands.filesystem.blocked_paths[1]: ")):
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// What the parts of the program refuse is reported where it was set.
func TestCheck(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "config.yml")
	if err := os.WriteFile(file, []byte("permissions:\n  always_deny: [a, b]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(Options{Path: file, Environ: []string{"HOME=" + home}, Check: func(c *Config) (list []Problem) {
		for _, key := range []string{"permissions.always_deny[1]", "permissions.always_deny[0].x", "hands.workspace"} {
			list = append(list, Problem{Key: key, Message: "no"})
		}
		return list
	}})
	want := "hands.workspace: no\n" + file + ":2:17: permissions.always_deny[0].x: no\n" + file + ":2:20: permissions.always_deny[1]: no"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestWhichFile(t *testing.T) {
	dir := t.TempDir()
	named := filepath.Join(dir, "named.yml")
	if err := os.WriteFile(named, []byte("gateway: {port: 7}"), 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling.yml")
	if err := os.Symlink(filepath.Join(dir, "nothing"), dangling); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		path    string
		environ []string
		port    int
		err     string
	}{
		{"nothing there", "", []string{"HOME=" + dir}, 18789, ""},
		{"option", named, []string{"HOME=" + dir, "OPENCLAW_CONFIG_PATH=/nowhere"}, 7, ""},
		{"environment", "", []string{"HOME=" + dir, "OPENCLAW_CONFIG_PATH=" + named}, 7, ""},
		{"environment with tilde", "", []string{"HOME=" + dir, "OPENCLAW_CONFIG_PATH=~/named.yml"}, 7, ""},
		{"named but missing", dir + "/x.yml", []string{"HOME=" + dir}, 0, "does not exist"},
		{"dangling link", dangling, []string{"HOME=" + dir}, 0, "does not exist"},
		{"directory", dir, []string{"HOME=" + dir}, 0, "is no regular file"},
		{"no home", "", nil, 0, "set HOME"},
		{"relative home", "", []string{"HOME=" + dir, "OPENCLAW_HOME=x"}, 0, "must be an absolute path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, _, err := Load(Options{Path: tt.path, Environ: tt.environ})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || cfg.Gateway.Port != tt.port {
				t.Fatalf("got %v, %v", cfg, err)
			}
		})
	}
}
