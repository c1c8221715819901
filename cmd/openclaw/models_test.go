package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/config"
)

// configured loads a configuration from environment variables alone.
func configured(t *testing.T, environ ...string) *config.Config {
	t.Helper()
	home := t.TempDir()
	c, _, err := config.Load(config.Options{Home: home, Environ: append([]string{"HOME=" + home}, environ...)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fakeOllama lists models and counts how often it was asked.
func fakeOllama(t *testing.T, tags string) (url string, asked *int) {
	asked = new(int)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		if r.URL.Path != "/api/tags" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(tags))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

// TestAutoFindsOllama: provider: auto takes an Ollama that answers and has a
// model, and only where no key was found.
func TestAutoFindsOllama(t *testing.T) {
	const two = `{"models":[{"name":"qwen3:8b"},{"name":"gemma3:4b"}]}`
	tests := []struct {
		name, tags      string
		environ         []string
		provider, model string
		asks            bool
	}{
		{"it answers", two, nil, "ollama", "qwen3:8b", true},
		{"it has nothing", `{"models":[]}`, nil, "offline", "offline", true},
		{"it is something else", `<html>`, nil, "offline", "offline", true},
		{"a key was found", two, []string{"GEMINI_API_KEY=AIza-0123456789"}, "google", googleModel, false},
		{"a model is named", two, []string{"OPENCLAW_MODEL=gemma3:4b"}, "ollama", "gemma3:4b", true},
		{"it is chosen", two, []string{"OPENCLAW_PROVIDER=ollama"}, "ollama", "qwen3:8b", true},
		{"it is chosen with a model", two, []string{"OPENCLAW_PROVIDER=ollama", "OPENCLAW_MODEL=gemma3:4b"}, "ollama", "gemma3:4b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, asked := fakeOllama(t, tt.tags)
			set, err := configuredModels(configured(t, append(tt.environ, "OPENCLAW_BRAIN_BASE_URL="+url)...))
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Default(); got.Provider != tt.provider || got.Name != tt.model || *asked > 0 != tt.asks {
				t.Errorf("chose %s/%s after asking %d times, want %s/%s", got.Provider, got.Name, *asked, tt.provider, tt.model)
			}
			if tt.name == "it answers" {
				set.Refresh(t.Context())
				if list := set.List(); len(list) != 3 || list[0].ID != "qwen3:8b" || !list[0].Default {
					t.Errorf("it lists %+v", list)
				}
			}
		})
	}
}

// TestProbeCostsNothing: an address where nothing answers costs no noticeable
// time, neither one that refuses nor one that is silent.
func TestProbeCostsNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, in the kernel, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	silent := "http://" + listener.Addr().String()
	for _, at := range []string{"http://127.0.0.1:1", silent} {
		start := time.Now()
		set, err := configuredModels(configured(t, "OPENCLAW_BRAIN_BASE_URL="+at))
		if err != nil || set.Default().Provider != offlineModel {
			t.Errorf("%s: chose %v, %v", at, set, err)
		}
		if took := time.Since(start); took > 2*time.Second { // a bound for a loaded machine; usually 1 and 40 ms
			t.Errorf("%s: it took %s", at, took)
		}
	}
	// One that was chosen by name is waited for no longer, and used when it is there.
	set, err := configuredModels(configured(t, "OPENCLAW_PROVIDER=ollama", "OPENCLAW_BRAIN_BASE_URL="+silent))
	if err != nil || set.Default().Name != "newest" {
		t.Errorf("chose %+v, %v", set, err)
	}
}

// TestNamedProviders: any number of endpoints, each with its API.
func TestNamedProviders(t *testing.T) {
	c := configured(t, "OPENCLAW_PROVIDER=offline")
	c.Providers = map[string]config.Provider{
		"groq":   {API: "openai", BaseURL: "http://127.0.0.1:1/v1", APIKey: "k", Models: map[string]config.Model{"llama": {ContextWindow: 9, MaxTokens: 3}}},
		"claude": {API: "anthropic"}, "gem": {API: "google"}, "box": {API: "ollama", BaseURL: "http://127.0.0.1:1"},
	}
	set, err := configuredModels(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"groq/llama", "box/qwen3", "claude/", "gem/", "offline/x"} {
		got, err := set.Resolve(name)
		if err != nil || !strings.HasPrefix(name, got.Provider+"/") || got.Model == nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	groq, err := set.Resolve("groq/llama")
	if err != nil {
		t.Fatal(err)
	}
	if infos := groq.Model.Models(); len(infos) != 1 || infos[0].ContextWindow != 9 || infos[0].MaxTokens != 3 {
		t.Errorf("the configured models are %+v", infos)
	}
}
