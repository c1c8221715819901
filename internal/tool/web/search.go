package web

import (
	"cmp"
	"context"
	_ "embed" // for the description
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// Search says whom web_search asks; an empty Provider: nobody, and the tool is
// not there.
type Search struct {
	Provider string // brave, tavily or searxng
	APIKey   string // for brave and tavily
	BaseURL  string // the engine's address; needed for searxng, "" is the provider's own
}

//go:embed web_search.md
var searchText string

const searchParameters = `{"type":"object","properties":{` +
	`"query":{"type":"string"},` +
	`"count":{"type":"integer","description":"results, up to 20; 5 if left out"}},` +
	`"required":["query"]}`

const (
	defaultCount = 5
	maxCount     = 20
	maxQuery     = 400 // what Brave accepts
	maxResults   = 1 << 20
	maxSnippet   = 500
)

// hit is one result.
type hit struct{ title, url, snippet string }

// engine is one provider's API.
type engine interface {
	// request asks for count results; the key goes into a header, never into
	// the address, which errors show.
	request(ctx context.Context, query string, count int) (*http.Request, error)
	// hits reads the answer.
	hits(body []byte) ([]hit, error)
}

// search implements openclaw.Tool as web_search.
type search struct {
	opts   Options
	engine engine
	client *http.Client
}

func newSearch(opts Options) (*search, error) {
	s := opts.Search
	if s.BaseURL != "" {
		if u, err := url.Parse(s.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("hands.web.search.base_url must be an address such as https://search.example.org")
		}
	}
	s.BaseURL = strings.TrimSuffix(s.BaseURL, "/")
	t := &search{opts: opts, client: &http.Client{
		// The address is the owner's choice, so it may be a private one; where
		// it sends on to is not, and the key must not go there.
		Transport:     opts.transport(nil),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	needed := func(key, value string) error {
		if value != "" {
			return nil
		}
		return fmt.Errorf("hands.web.search.provider %s needs %s", s.Provider, key)
	}
	var err error
	switch s.Provider {
	case "brave":
		t.engine = brave{base: cmp.Or(s.BaseURL, "https://api.search.brave.com/res/v1"), key: s.APIKey}
		err = needed("hands.web.search.api_key or BRAVE_API_KEY", s.APIKey)
	case "tavily":
		t.engine = tavily{base: cmp.Or(s.BaseURL, "https://api.tavily.com"), key: s.APIKey}
		err = needed("hands.web.search.api_key or TAVILY_API_KEY", s.APIKey)
	case "searxng":
		t.engine = searxng{base: s.BaseURL, key: s.APIKey}
		err = needed("hands.web.search.base_url", s.BaseURL)
	default:
		err = fmt.Errorf("hands.web.search.provider must be brave, tavily or searxng, not %q", s.Provider)
	}
	return t, err
}

// Spec implements openclaw.Tool.
func (t *search) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{
		Name: "web_search", Description: strings.TrimSpace(searchText),
		Parameters: json.RawMessage(searchParameters), Repeatable: true,
	}
}

// Run implements openclaw.Tool.
func (t *search) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Query string   `json:"query"`
		Count *float64 `json:"count"`
	}
	if err := parseArgs(call, &args, `{"query": "words to look for"}`); err != nil {
		return nil, err
	}
	query := strings.TrimSpace(args.Query)
	switch {
	case query == "":
		return nil, refuse(`the argument "query" is missing; send {"query": "words to look for"}`)
	case len(query) > maxQuery:
		return nil, refuse("the query is longer than %d bytes; use a few words", maxQuery)
	}
	count := defaultCount
	if args.Count != nil {
		count = int(max(1, min(*args.Count, maxCount)))
	}
	hits, err := t.ask(ctx, query, count)
	if err != nil {
		return nil, err
	}
	return &openclaw.Result{CallID: call.ID, Output: list(hits[:min(len(hits), count)])}, nil
}

// ask blocks until the engine has answered.
func (t *search) ask(ctx context.Context, query string, count int) ([]hit, error) {
	limited, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	req, err := t.engine.request(limited, query, count)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", t.opts.UserAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := t.client.Do(req)
	var body []byte
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxResults))
	}
	if err != nil {
		return nil, t.explain(ctx, limited, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, t.refused(resp)
	}
	hits, err := t.engine.hits(body)
	if err != nil {
		return nil, &openclaw.Error{Code: openclaw.CodeInternal, Err: err,
			Message: "the search engine's answer is not what " + t.opts.Search.Provider + " sends; the owner must look at hands.web.search"}
	}
	return hits, nil
}

func (t *search) explain(outer, limited context.Context, err error) error {
	switch {
	case outer.Err() != nil:
		return outer.Err()
	case limited.Err() != nil:
		return &openclaw.Error{Code: openclaw.CodeInternal, Err: err,
			Message: "the search engine took longer than " + seconds(t.opts.Timeout) + "; try again"}
	}
	return &openclaw.Error{Code: openclaw.CodeInternal, Err: err,
		Message: "the search engine cannot be reached; try again later, or tell the owner to look at hands.web.search"}
}

func (t *search) refused(resp *http.Response) error {
	message := "the search engine answered " + resp.Status + "; try again later"
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		message = "the search engine refused the key or the form of the request; tell the owner to look at hands.web.search (SearXNG must allow the format json)"
	case http.StatusTooManyRequests, 432, 433: // the last two are Tavily's
		message = "the search engine's limit is reached; do not search again now, go on without"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		message = "the search engine did not understand the query; use a few plain words"
	}
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: errors.New(resp.Status)}
}

// list prints results for the model.
func list(hits []hit) string {
	if len(hits) == 0 {
		return "nothing found; try other words"
	}
	var b strings.Builder
	for i, h := range hits {
		fmt.Fprintf(&b, "%d. %s\n   %s\n", i+1, cmp.Or(plain(h.title, maxTitle), "(no title)"), clip(plain(h.url, maxHref), maxHref))
		if s := plain(h.snippet, maxSnippet); s != "" {
			fmt.Fprintf(&b, "   %s\n", s)
		}
	}
	return b.String()
}

// plain returns a text of an engine without markup, on one line.
func plain(s string, most int) string {
	s = clip(s, 4*maxHref)
	var b strings.Builder
	for s != "" {
		before, rest, tag := strings.Cut(s, "<")
		b.WriteString(before)
		s = rest
		if name, after, ok := strings.Cut(rest, ">"); tag && ok && isTag(name) {
			s = after
		} else if tag {
			b.WriteByte('<')
		}
	}
	return clip(strings.Join(strings.Fields(html.UnescapeString(b.String())), " "), most)
}

// isTag says whether the engines mark hits with it.
func isTag(name string) bool {
	switch strings.Trim(strings.ToLower(name), "/ ") {
	case "b", "strong", "em", "i", "mark", "span", "br", "p":
		return true
	}
	return false
}

// get makes the request of an engine that is asked by GET.
func get(ctx context.Context, address string, values url.Values) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, address+"?"+values.Encode(), nil)
}
