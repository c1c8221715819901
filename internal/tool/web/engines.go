package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// brave is Brave Search's web API.
type brave struct{ base, key string }

func (e brave) request(ctx context.Context, query string, count int) (*http.Request, error) {
	req, err := get(ctx, e.base+"/web/search", url.Values{"q": {query}, "count": {strconv.Itoa(count)}, "text_decorations": {"false"}})
	if err == nil {
		req.Header.Set("X-Subscription-Token", e.key)
	}
	return req, err
}

func (e brave) hits(body []byte) ([]hit, error) {
	var in struct {
		Web struct {
			Results []struct {
				Title       string `json:"title"`
				URL         string `json:"url"`
				Description string `json:"description"`
			} `json:"results"`
		} `json:"web"`
	}
	err := json.Unmarshal(body, &in)
	var hits []hit
	for _, r := range in.Web.Results {
		hits = append(hits, hit{r.Title, r.URL, r.Description})
	}
	return hits, err
}

// tavily is Tavily's search API.
type tavily struct{ base, key string }

func (e tavily) request(ctx context.Context, query string, count int) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{"query": query, "max_results": count, "search_depth": "basic"})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/search", bytes.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	return req, err
}

func (e tavily) hits(body []byte) ([]hit, error) { return resultsOf(body) }

// searxng is the JSON form of a SearXNG instance.
type searxng struct{ base, key string }

func (e searxng) request(ctx context.Context, query string, _ int) (*http.Request, error) {
	req, err := get(ctx, e.base+"/search", url.Values{"q": {query}, "format": {"json"}})
	if err == nil && e.key != "" { // of a proxy in front of it
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	return req, err
}

func (e searxng) hits(body []byte) ([]hit, error) { return resultsOf(body) }

// resultsOf reads the form that Tavily and SearXNG share.
func resultsOf(body []byte) ([]hit, error) {
	var in struct {
		Results []struct {
			Title   string `json:"title"`
			URL     string `json:"url"`
			Content string `json:"content"`
		} `json:"results"`
	}
	err := json.Unmarshal(body, &in)
	var hits []hit
	for _, r := range in.Results {
		hits = append(hits, hit{r.Title, r.URL, r.Content})
	}
	return hits, err
}
