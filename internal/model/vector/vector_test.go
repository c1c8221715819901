package vector

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve answers with status and body, and returns what it was asked.
func serve(t *testing.T, status int, body string) (base string, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		*asked = fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Authorization"), " ", string(data))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestEmbed(t *testing.T) {
	for _, c := range []struct{ api, path, body, asked string }{
		{OpenAI, "/v1", `{"object":"list","data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":3}}`, "POST /v1/embeddings Bearer k "},
		{OpenAI, "/v1/chat/completions", `{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[3,4]}]}`, "POST /v1/embeddings Bearer k "},
		{Ollama, "/v1", `{"model":"m","embeddings":[[1,2],[3,4]]}`, "POST /api/embed Bearer k "},
		{Ollama, "", `{"embeddings":[[1,2],[3,4]]}`, "POST /api/embed Bearer k "},
	} {
		base, asked := serve(t, 200, c.body)
		client, err := New(Options{API: c.api, Name: "own", Model: "m", BaseURL: base + c.path, APIKey: "k"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Embed(t.Context(), []string{"a", "b"})
		if diff := cmp.Diff([][]float32{{1, 2}, {3, 4}}, got); diff != "" || err != nil || client.Name() != "own/m" {
			t.Errorf("%s%s: %v (-want +got):\n%s", c.api, c.path, err, diff)
		}
		if want := c.asked + `{"model":"m","input":["a","b"]}`; *asked != want {
			t.Errorf("asked %s, want %s", *asked, want)
		}
	}
}

func TestFailures(t *testing.T) {
	for body, status := range map[string]int{
		`{"error":{"message":"no such model"}}`: 404, `{"data":[{"index":0,"embedding":[1]}]}`: 200, `{"data":[]}`: 200, `no`: 200,
		`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`: 200, `{"embeddings":[[1],[2]]}`: 200, ``: 500,
	} {
		base, _ := serve(t, status, body)
		client, err := New(Options{API: OpenAI, Name: "own", Model: "m", BaseURL: base, APIKey: "secret-key"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Embed(t.Context(), []string{"a", "b"}); err == nil || strings.Contains(err.Error(), "secret-key") {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, o := range []Options{{API: "anthropic", Name: "a", Model: "m"}, {API: OpenAI, Name: "a"}, {API: OpenAI, Name: "a", Model: "m", BaseURL: "nowhere"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}
