package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/openclaw/openclaw-go/internal/config"
)

// serveFile is serveApp with a configuration file.
func serveFile(t *testing.T, text string) *served {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return serveHome(t, home)
}

// serveHome serves what an earlier gateway left in home.
func serveHome(t *testing.T, home string) *served {
	t.Helper()
	s := &served{t: t, home: home, log: &bytes.Buffer{}}
	path := filepath.Join(home, "config.yml")
	c, _, err := config.Load(config.Options{Path: path, Home: s.home, Environ: []string{"HOME=" + s.home}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), c, nil, slog.New(slog.NewJSONHandler(s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	t.Cleanup(s.close)
	return s
}

// An API that refuses the key is replaced by the next of brain.fallback, with a
// key of its own, and the configuration stays as it was.
func TestFallback(t *testing.T) {
	var keys atomic.Value
	keys.Store("")
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys.Store(keys.Load().(string) + r.Header.Get("X-Api-Key") + " ")
		status, kind := http.StatusUnauthorized, "authentication_error"
		if r.Header.Get("X-Api-Key") == "second-key" {
			status, kind = http.StatusNotFound, "not_found_error"
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"type":"error","error":{"type":"` + kind + `","message":"no"}}`))
	}))
	defer api.Close()
	file := "brain:\n  provider: anthropic\n  model: claude-x\n  api_key: first-key\n  base_url: " + api.URL +
		"\n  fallback: [{provider: anthropic, model: claude-x, api_key: second-key}, {provider: offline}]\n"
	s := serveFile(t, file)
	c := s.dial(s.listen("tcp", "127.0.0.1:0"), "/", nil)
	answer := ask(t, c, `{"type":"chat","id":"1","payload":{"text":"hello"}}`)
	if !strings.Contains(answer, `"model":"offline"`) {
		t.Errorf("answered %s", answer)
	}
	history := ask(t, c, `{"type":"session_history","id":"2","payload":{"session":"main"}}`)
	for _, want := range []string{
		`"from":"anthropic/claude-x","to":"anthropic/claude-x","reason":"auth"`,
		`"from":"anthropic/claude-x","to":"offline/offline","reason":"bad_request"`,
	} {
		if !strings.Contains(history, want) {
			t.Errorf("no %s in %s", want, history)
		}
	}
	if got := keys.Load(); got != "first-key second-key " {
		t.Errorf("asked with %q", got)
	}
	if now, err := os.ReadFile(filepath.Join(s.home, "config.yml")); err != nil || string(now) != file {
		t.Errorf("the configuration is %q (%v)", now, err)
	}
	if status := ask(t, c, `{"type":"status","id":"3"}`); !strings.Contains(status, `"model":"claude-x","provider":"anthropic"`) {
		t.Errorf("status %s", status)
	}
}
