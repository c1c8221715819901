package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// prompt weighs what a model is sent for a bare "hello": the whole request, as
// JSON of the Chat Completions API, tools included.
func prompt(ctx context.Context, binary, dir string) (rows []row, err error) {
	bodies := make(chan []byte, 16)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && strings.HasSuffix(r.URL.Path, "/chat/completions") {
			select {
			case bodies <- body:
			default:
			}
		}
		http.Error(w, `{"error":{"message":"weighed","type":"invalid_request_error"}}`, http.StatusBadRequest)
	}))
	defer api.Close()
	home, err := newHome(dir)
	if err != nil {
		return nil, err
	}
	p, err := startGateway(ctx, binary, home, "OPENCLAW_PROVIDER=openai", "OPENAI_API_KEY=sk-measured-0123456789abcdef",
		"OPENCLAW_BRAIN_MODEL=any", "OPENCLAW_BRAIN_BASE_URL="+api.URL+"/v1")
	if err != nil {
		return nil, err
	}
	defer func() { err = p.stop(err) }()
	if _, _, err := ping(ctx, p, chat("main"), 0); err != nil {
		return nil, err
	}
	select {
	case body := <-bodies:
		return []row{{`prompt of a bare "hello", default tools`, fmt.Sprintf("%.1f KB", float64(len(body))/1000), ""}}, nil
	default:
		return nil, fmt.Errorf("the gateway asked no model at %s", api.URL)
	}
}
