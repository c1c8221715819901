package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/distil"
	"github.com/openclaw/openclaw-go/internal/session"
)

// noting answers the Chat Completions API: a question about facts with one, and
// all else with "ok". It keeps the last request.
func noting(t *testing.T, asked *atomic.Int64, last *atomic.Value) string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last.Store(string(body))
		text := "ok"
		if strings.Contains(string(body), "# Facts") {
			asked.Add(1)
			text = `- [1] The user's cat is called Miu.`
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":%q}}]}\n\n", text)
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"+
			"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100,\"total_tokens\":1100}}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(api.Close)
	return api.URL + "/v1"
}

// told submits a message and waits for the end of its turn.
func (s *served) told(name, text string, options openclaw.TurnOptions) {
	s.t.Helper()
	done := make(turnEnd, 1)
	s.hub.Submit(session.Request{Session: name, ID: name + text, Observer: done, Started: openclaw.TurnStarted{
		Source: openclaw.SourceClient, User: "ann", Text: text, Options: options,
	}})
	if o := <-done; o.Err != nil {
		s.t.Fatal(o.Err)
	}
}

// later distils as if it were some time later.
func (s *served) later(d time.Duration) {
	s.t.Helper()
	distiller, err := distil.New(distil.Config{
		Store: s.store, Means: s.parts.distilling, Busy: func() bool { return s.hub.Stats().Active > 0 }, Logger: s.logger,
		Now: func() time.Time { return time.Now().Add(d) },
	})
	if err == nil {
		err = distiller.Look(context.Background())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// What is said in a conversation is a fact of the memory when it has become
// quiet, with who said it, and comes back in another one. What it cost is in
// the ledger.
func TestAutoSave(t *testing.T) {
	var asked atomic.Int64
	var last atomic.Value
	s := serveApp(t, "OPENCLAW_PROVIDER=openai", "OPENCLAW_BRAIN_MODEL=m", "OPENCLAW_BRAIN_API_KEY=k", "OPENCLAW_BRAIN_BASE_URL="+noting(t, &asked, &last))
	path := filepath.Join(s.parts.config().Memory.Path, "MEMORY.md")
	s.told("secret", "My cat is called Miu, but keep that to yourself", openclaw.TurnOptions{NoMemory: true})
	s.later(time.Hour)
	if _, err := os.Stat(path); err == nil || asked.Load() != 0 {
		t.Errorf("a turn without memory left %v, asked %d times", err, asked.Load())
	}
	s.told("main", "My cat is called Miu, by the way", openclaw.TurnOptions{})
	s.later(0)
	if asked.Load() != 0 {
		t.Error("asked before it was quiet")
	}
	for range 2 {
		s.later(time.Hour)
	}
	data, err := os.ReadFile(path)
	if err != nil || asked.Load() != 1 || !strings.Contains(string(data), " The user's cat is called Miu. <!-- from ann, session main, ") {
		t.Errorf("asked %d times; MEMORY.md: %s, %v", asked.Load(), data, err)
	}
	s.told("other", "what is the name of my cat?", openclaw.TurnOptions{})
	if body := last.Load().(string); !strings.Contains(body, "Recalled from the long-term memory") || !strings.Contains(body, "cat is called Miu") || strings.Contains(body, "auto_save") {
		t.Errorf("the model read %s", body)
	}
	s.told("third", "what is the name of my cat?", openclaw.TurnOptions{NoMemory: true})
	if body := last.Load().(string); strings.Contains(body, "Miu") || strings.Contains(body, "memory_s") {
		t.Errorf("without memory the model read %s", body)
	}
	s.told("fourth", "hello", openclaw.TurnOptions{})
	if body := last.Load().(string); strings.Contains(body, "Recalled") {
		t.Errorf("a greeting recalls %s", body)
	}
	used, err := s.store.Usage(t.Context(), openclaw.UsageQuery{By: openclaw.UsageBySession})
	for _, line := range used {
		if line.Key == "main" && line.Usage.Input != 2000 {
			t.Errorf("the ledger has %+v", line)
		}
	}
	if err != nil || len(used) < 3 {
		t.Errorf("the ledger has %+v, %v", used, err)
	}
}

// TestAutoSaveOff: neither the offline model nor a configuration without it
// distils.
func TestAutoSaveOff(t *testing.T) {
	for name, environ := range map[string][]string{
		"offline":        nil,
		"auto_save":      {"OPENCLAW_PROVIDER=openai", "OPENCLAW_BRAIN_MODEL=m", "OPENCLAW_BRAIN_API_KEY=k", "OPENCLAW_MEMORY_AUTO_SAVE=false"},
		"memory.enabled": {"OPENCLAW_PROVIDER=openai", "OPENCLAW_BRAIN_MODEL=m", "OPENCLAW_BRAIN_API_KEY=k", "OPENCLAW_MEMORY_ENABLED=false"},
	} {
		if _, able := serveApp(t, environ...).parts.distilling(); able {
			t.Errorf("%s: it distils", name)
		}
	}
}

// A changed configuration keeps the store of a directory that stays, and what a
// turn still uses.
func TestMemoryOutlivesReload(t *testing.T) {
	s := serveApp(t)
	first := s.parts.current.Load().memory
	for _, environ := range []string{"OPENCLAW_SESSION_MAX_QUEUE=7", "OPENCLAW_MEMORY_PATH=" + t.TempDir()} {
		s.reload(s.load(environ), nil)
	}
	if s.parts.current.Load().memory == first {
		t.Error("the memory is where it was")
	}
	if _, err := first.Save(t.Context(), "kept open", ""); err != nil {
		t.Errorf("the old one is closed: %v", err)
	}
	s.reload(s.load("OPENCLAW_SESSION_MAX_QUEUE=8"), nil)
	if s.parts.current.Load().memory != first {
		t.Error("the memory of a directory was opened twice")
	}
}

// Memories are found by what they mean, with the vectors of a provider of the
// configuration, and by their words when that has gone away.
func TestEmbeddings(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Model string
			Input []string
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &asked); err != nil || r.URL.Path != "/v1/embeddings" || r.Header.Get("Authorization") != "Bearer k2" || asked.Model != "small" {
			t.Errorf("asked %s %s: %v", r.URL.Path, body, err)
		}
		var data []map[string]any
		for i, text := range asked.Input {
			v := []float64{0.1, 1}
			if strings.Contains(text, "feline") || strings.Contains(text, "kitty") {
				v = []float64{1, 0.1}
			}
			data = append(data, map[string]any{"index": i, "embedding": v})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(api.Close)
	s := serveFile(t, fmt.Sprintf("providers: {own: {api: openai, base_url: %q, api_key: k2}}\nmemory: {embeddings: {provider: own, model: small}}\n", api.URL+"/v1"))
	store := s.parts.current.Load().memory
	for _, fact := range []string{"Miu is a feline", "The bins go out on Monday"} {
		if _, err := store.Save(t.Context(), fact, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := store.Search(t.Context(), "kitty", 5)
	if err != nil || len(found) != 1 || found[0].Text != "Miu is a feline" {
		t.Errorf("found %v, %v", found, err)
	}
	s.told("main", "remember what of my kitty", openclaw.TurnOptions{})
	api.Close()
	found, err = store.Search(t.Context(), "bin", 5)
	if err != nil || len(found) != 1 || strings.Count(s.log.String(), "searched by words") != 1 {
		t.Errorf("without the provider: %v, %v; %s", found, err, s.log)
	}
}
