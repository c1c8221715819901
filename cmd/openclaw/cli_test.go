package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/internal/config"
)

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestNearest(t *testing.T) {
	names := []string{"chat", "config", "gateway", "heartbeat", "session", "status"}
	for word, want := range map[string]string{
		"chta": "chat", "caht": "chat", "Chat": "chat", "sesion": "session", "stat": "status", "gatway": "gateway",
		"heart": "heartbeat", "": "", "x": "", "frobnicate": "", "cfg": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 0},
		{"anything", errors.New("x"), 1},
		{"a file", &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, 1},
		{"configuration", fmt.Errorf("wrapped: %w", config.Problems{{Message: "x"}}), 2},
		{"model", &openclaw.Error{Code: openclaw.CodeModelNotFound}, 2},
		{"start", startError(&openclaw.Error{Code: openclaw.CodeInvalidMessage}), 2},
		{"not running", connectionError(fmt.Errorf("%w (refused)", client.ErrNotRunning)), 3},
		{"said in other words", notRunning("x"), 3},
		{"no token", connectionError(&openclaw.Error{Code: openclaw.CodeAuthRequired}), 4},
		{"wrong token", &openclaw.Error{Code: openclaw.CodeAuthInvalid}, 4},
		{"network", connectionError(errors.New("no gateway there")), 5},
		{"listening", startError(&openclaw.Error{Code: openclaw.CodeGatewayBusy, Err: refused}), 5},
		{"gateway's own error", connectionError(&openclaw.Error{Code: openclaw.CodeSessionBusy}), 1},
		{"Ctrl-C", interrupted(syscall.SIGINT), 130},
		{"cancelled", connectionError(context.Canceled), 130},
		{"SIGTERM, and more went wrong", errors.Join(interrupted(syscall.SIGTERM), errors.New("x")), 143},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestPrintJSON(t *testing.T) {
	var out bytes.Buffer
	c := &cli{stdout: &out}
	if err := c.printJSON(jsontext.Value(`{"name":"a` + "\u009b2J\u202e" + `<b>"}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\n  \"name\": \"a\\u009b2J\\u202e<b>\"\n}\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func load(t *testing.T, environ ...string) *config.Config {
	t.Helper()
	cfg, _, err := config.Load(config.Options{Environ: append([]string{"HOME=" + t.TempDir()}, environ...)})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestToken(t *testing.T) {
	on := []string{"OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_GATEWAY_AUTH_TOKEN=from-the-file"}
	tests := []struct {
		name    string
		c       cli
		environ []string
		want    string
	}{
		{"none", cli{}, nil, ""},
		{"configured", cli{}, on, "from-the-file"},
		{"configured, but off", cli{}, on[1:], ""},
		{"this machine by address", cli{flags: globalFlags{url: "ws://127.0.0.1:1"}}, on, "from-the-file"},
		{"this machine by name", cli{flags: globalFlags{url: "ws://localhost:1/ws"}}, on, "from-the-file"},
		{"another machine", cli{flags: globalFlags{url: "ws://192.0.2.1:1"}}, on, ""},
		{"a name that looks local", cli{flags: globalFlags{url: "ws://127.0.0.1.evil.example"}}, on, ""},
		{"flag", cli{flags: globalFlags{token: "flag", url: "ws://192.0.2.1:1"}}, on, "flag"},
		{"environment", cli{environ: []string{"OPENCLAW_AUTH_TOKEN=env"}, flags: globalFlags{url: "ws://192.0.2.1:1"}}, on, "env"},
	}
	for _, tt := range tests {
		if got := tt.c.token(load(t, tt.environ...)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestGatewayURL(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "ws://127.0.0.1:18789", "0.0.0.0": "ws://127.0.0.1:18789", "::": "ws://[::1]:18789",
		"::1": "ws://[::1]:18789", "localhost": "ws://localhost:18789", "192.0.2.7": "ws://192.0.2.7:18789",
	} {
		cfg := &config.Config{Gateway: config.Gateway{Host: host}}
		if got := gatewayURL(cfg, 18789); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for address, want := range map[string]string{
		"ws://user:secret@127.0.0.1:1/ws?token=secret#secret": "ws://127.0.0.1:1/ws",
		"ws://h\x1b[2J:1": "that address",
	} {
		if got := redact(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestPIDFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "gateway.pid")
	if _, running, err := pidOf(path); running || err != nil {
		t.Fatalf("without a file: running %v, %v", running, err)
	}
	held, err := claimPIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if pid, running, err := pidOf(path); pid != os.Getpid() || !running || err != nil {
		t.Errorf("pid %d, running %v, %v", pid, running, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := claimPIDFile(path); openclaw.CodeOf(err) != openclaw.CodeGatewayBusy || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second claim: %v", err)
	}
	if err := held.release(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is left behind")
	}
	// What a process left that was killed does not count, whatever it says.
	for _, stale := range []string{"1", "no number", ""} {
		if err := os.WriteFile(path, []byte(stale), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, running, err := pidOf(path); running || err != nil {
			t.Errorf("stale %q: running %v, %v", stale, running, err)
		}
		again, err := claimPIDFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.release(); err != nil {
			t.Error(err)
		}
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	long := strings.Repeat("x", 100<<10)
	tests := []struct {
		text string
		n    int
		want []string
	}{
		{"", 3, nil},
		{"one\ntwo\nthree\n", 2, []string{"two", "three"}},
		{"one\ntwo", 5, []string{"one", "two"}},
		{"one\n" + long + "\n" + long + "\n", 2, []string{long, long}},
		{"one\ntwo\n", 0, nil},
	}
	for _, tt := range tests {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := tail(path, tt.n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%d of %q: %s", tt.n, cut(tt.text, 20), diff)
		}
	}
}

func TestTailedFollowsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n")
	followed := &tailed{path: path}
	defer followed.close()
	if err := followed.open(io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	var got []string
	more := func() {
		t.Helper()
		lines, err := followed.more()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, lines...)
	}
	write("one\ntw")
	more()
	write("o\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	more()
	write("three\n")
	more()
	if diff := cmp.Diff([]string{"one", "two", "three"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadable(t *testing.T) {
	tests := []struct{ line, want string }{
		{`{"level":"WARN","msg":"turn failed","session":"main","n":3,"g":{"a":[1]}}`, `WARN turn failed session=main n=3 g={"a":[1]}`},
		{`{"time":"not a time","level":"INFO","msg":"a\nb` + `\u001b[2J"}`, "not a time INFO a b"},
		{"panic: oh", "panic: oh"},
		{`{"level":"INFO","msg":`, `{"level":"INFO","msg":`},
		{"[1]", "[1]"},
	}
	for _, tt := range tests {
		if got := strings.TrimSpace(readable(tt.line)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestAgo(t *testing.T) {
	for at, want := range map[string]string{
		"2026-11-22T11:59:50.000Z": "10 s ago", "2026-11-22T11:30:00Z": "30 min ago", "2026-11-22T02:00:00Z": "10 h ago",
		"2026-11-12T12:00:00Z": "10 days ago", "2026-11-22T12:00:30Z": "in 30 s", "x\x1b[2J": "x",
	} {
		if got := ago(at, testTime); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
}

func TestConcerns(t *testing.T) {
	tests := []struct {
		name     string
		environ  []string
		provider string
		want     []string // words of each, in order
	}{
		{"a model and nothing else", nil, "anthropic", nil},
		{"offline", nil, offlineModel, []string{"offline"}},
		{"open to a page", []string{"OPENCLAW_GATEWAY_ALLOWED_ORIGINS=https://page.example"}, "anthropic", []string{"gateway.auth is off"}},
		{"open to a page, with a token", []string{
			"OPENCLAW_GATEWAY_ALLOWED_ORIGINS=https://page.example", "OPENCLAW_GATEWAY_AUTH_ENABLED=true", "OPENCLAW_AUTH_TOKEN=correct-horse",
		}, "anthropic", nil},
		{"less durable", []string{"OPENCLAW_STORE_SYNC=normal"}, "anthropic", []string{"power cut"}},
	}
	for _, tt := range tests {
		got := concerns(load(t, tt.environ...), tt.provider)
		ok := len(got) == len(tt.want)
		for i := range tt.want {
			ok = ok && strings.Contains(got[i], tt.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
