package config

import (
	"strings"
	"testing"
)

func TestSearchKey(t *testing.T) {
	tests := []struct{ file, env, want string }{
		{"provider: brave, api_key: own", "BRAVE_API_KEY=env", "own"},
		{"provider: brave", "BRAVE_API_KEY=env", "env"},
		{"provider: tavily, api_key: '${UNSET}'", "TAVILY_API_KEY=env", "env"},
		{"provider: searxng, base_url: 'http://127.0.0.1:8888', api_key: '${UNSET}'", "BRAVE_API_KEY=env", ""},
		{"provider: ''", "BRAVE_API_KEY=env", ""},
	}
	for _, tt := range tests {
		cfg, warnings := load(t, "hands: {web: {search: {"+tt.file+"}}}\n", tt.env)
		if got := cfg.Hands.Web.Search.APIKey.Reveal(); got != tt.want || len(warnings) > 0 {
			t.Errorf("%s: %q, want %q; %v", tt.file, got, tt.want, warnings)
		}
	}
}

func TestSearchProblems(t *testing.T) {
	tests := map[string]string{
		"provider: brave":                       "config.yml:1:24: hands.web.search.provider: brave needs hands.web.search.api_key",
		"provider: searxng":                     "config.yml:1:24: hands.web.search.provider: searxng needs hands.web.search.base_url, the address of an instance",
		"provider: tavily, api_key: '${UNSET}'": "config.yml:1:51: hands.web.search.api_key: UNSET is not set; set it in the environment or in ",
		"provider: goggle":                      `config.yml:1:34: hands.web.search.provider: must be one of brave, tavily, searxng, not "goggle"`,
	}
	for file, want := range tests {
		_, _, err := Load(write(t, "hands: {web: {search: {"+file+"}}}\n"))
		if got := lines(t, err); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	for file, want := range map[string]string{
		"memory: {embeddings: {provider: openai, model: m}}":                                                                    "",
		"memory: {embeddings: {provider: ollama, model: m}}":                                                                    "",
		"memory: {embeddings: {model: m}}":                                                                                      "memory.embeddings.model: needs memory.embeddings.provider",
		"memory: {embeddings: {provider: openai}}":                                                                              "memory.embeddings.provider: needs memory.embeddings.model",
		"memory: {embeddings: {provider: anthropic, model: m}}":                                                                 "memory.embeddings.provider: has the API anthropic",
		"memory: {embeddings: {provider: nobody, model: m}}":                                                                    "memory.embeddings.provider: is neither openai nor ollama",
		"memory: {embeddings: {provider: local, model: m}}":                                                                     "memory.embeddings.provider: has no base_url",
		"providers: {mine: {api: openai, base_url: 'http://127.0.0.1:1/v1'}}\nmemory: {embeddings: {provider: mine, model: m}}": "",
	} {
		_, _, err := Load(write(t, file))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}
