package web

import (
	"context"
	_ "embed" // for the description
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

//go:embed web_fetch.md
var fetchText string

const fetchParameters = `{"type":"object","properties":{` +
	`"url":{"type":"string"},` +
	`"offset":{"type":"integer","description":"where to go on in a long page"}},` +
	`"required":["url"]}`

// slots is how many pages are read and converted at once, all conversations
// together: each may hold several times MaxBody.
const slots = 4

// fetch implements openclaw.Tool as web_fetch.
type fetch struct {
	opts    Options
	domains domains
	client  *http.Client
	cache   cache
	slots   chan struct{}
}

func newFetch(opts Options, d domains) *fetch {
	f := &fetch{opts: opts, domains: d, slots: make(chan struct{}, slots)}
	f.client = &http.Client{
		Transport: opts.transport(newGuard(opts.AllowPrivate, opts.OwnPort).control),
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			req.Header.Del("Referer")
			if len(via) > maxRedirects {
				return refuse("the page redirects more than %d times", maxRedirects)
			}
			return d.checkURL(req.URL)
		},
	}
	return f
}

// Spec implements openclaw.Tool.
func (f *fetch) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{
		Name: "web_fetch", Description: strings.TrimSpace(fetchText),
		Parameters: json.RawMessage(fetchParameters), Repeatable: true,
	}
}

// Run implements openclaw.Tool. An answer with a status of 400 and more is a
// Result with openclaw.ExitFailed.
func (f *fetch) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		URL    string  `json:"url"`
		Offset float64 `json:"offset"` // models write 20.0, too
	}
	if err := parseArgs(call, &args, `{"url": "https://example.org/page"}`); err != nil {
		return nil, err
	}
	if args.URL == "" {
		return nil, refuse(`the argument "url" is missing; send {"url": "https://…"}`)
	}
	if args.Offset < 0 {
		return nil, refuse(`the argument "offset" must not be negative`)
	}
	u, err := parseURL(args.URL)
	if err != nil {
		return nil, err
	}
	if err := f.domains.checkURL(u); err != nil {
		return nil, err
	}
	p, err := f.page(ctx, u)
	if err != nil {
		return nil, err
	}
	return p.result(call.ID, int(min(args.Offset, float64(len(p.text)))), f.opts.MaxPage), nil
}

// page returns a page from the cache or from the web.
func (f *fetch) page(ctx context.Context, u *url.URL) (*page, error) {
	key := u.String()
	if p := f.cache.get(key); p != nil {
		return p, nil
	}
	limited, cancel := context.WithTimeout(ctx, f.opts.Timeout)
	defer cancel()
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-limited.Done():
		return nil, f.explain(ctx, limited, u, limited.Err())
	}
	a, err := f.get(limited, u)
	if err != nil {
		return nil, f.explain(ctx, limited, u, err)
	}
	p, err := a.page()
	if err != nil {
		return nil, err
	}
	if a.status < http.StatusMultipleChoices {
		f.cache.put(key, p)
	}
	return p, nil
}

// seconds prints a time limit for people.
func seconds(d time.Duration) string { return d.Round(time.Millisecond).String() }
