package mcp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// openRemote prepares the connection to a server on the network.
func (s *server) openRemote() *link {
	life, cut := context.WithCancel(context.Background()) // it outlives s.life by the farewell
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		TLSHandshakeTimeout:    s.host.opts.StartTimeout,
		ResponseHeaderTimeout:  max(s.host.opts.StartTimeout, s.host.opts.CallTimeout),
		MaxResponseHeaderBytes: 64 << 10,
	}
	client := &http.Client{
		Transport: &sender{next: transport, headers: s.spec.Headers, life: life},
		// The headers are for the owner's server alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &link{
		transport: &sdk.StreamableClientTransport{Endpoint: s.spec.URL, HTTPClient: client, MaxEventSize: maxMessage},
		cut:       cut,
		join:      transport.CloseIdleConnections,
	}
}

// sender adds the configured headers to requests, ends them with the
// connection, and bounds their answers.
type sender struct {
	next    http.RoundTripper
	headers map[string]string
	life    context.Context
}

// RoundTrip implements http.RoundTripper.
func (s *sender) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(s.life, cancel)
	release := func() { stop(); cancel() }
	req = req.Clone(ctx)
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	resp, err := s.next.RoundTrip(req)
	if err != nil {
		release()
		return nil, err
	}
	limit := int64(maxMessage)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		limit = -1 // a stream has no end; each of its events is bounded
	}
	resp.Body = &body{ReadCloser: resp.Body, left: limit, release: release}
	return resp, nil
}

// body is an answer's body of bounded length.
type body struct {
	io.ReadCloser
	left    int64 // below 0: no bound
	release func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return b.ReadCloser.Read(p)
	}
	if b.left == 0 {
		return 0, errors.New("the answer is too long")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}
