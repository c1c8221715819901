// Package vector asks a provider for the vectors of texts (embeddings), by
// which texts of the same meaning are found: with OpenAI's API, which most
// servers speak, or with Ollama's own.
//
// A Client owns its HTTP client and keeps nothing between two calls. It does not
// compare vectors, and does not know what the texts are.
package vector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/endpoint"
)

// The APIs.
const (
	OpenAI = "openai"
	Ollama = "ollama"
)

// maxAnswer is in bytes: 64 vectors of 4,096 numbers as text, and room.
const maxAnswer = 16 << 20

// Options describe one model.
type Options struct {
	API     string            // OpenAI or Ollama, required
	Name    string            // of the provider, for messages; required
	Model   string            // required
	BaseURL string            // "" is the API's own
	APIKey  string            // "" sends none
	Headers map[string]string // sent with each request
	Timeout time.Duration     // for an answer; 0: 30 s
	Client  *http.Client      // nil: one with http.DefaultTransport
}

// Client makes vectors with one model. It is safe for concurrent use and needs
// no closing.
type Client struct {
	end   *endpoint.Endpoint
	api   string
	model string
}

// New checks the options. It does not touch the network.
func New(o Options) (*Client, error) {
	base := map[string]string{OpenAI: "https://api.openai.com/v1", Ollama: "http://127.0.0.1:11434"}[o.API]
	switch {
	case base == "":
		return nil, fmt.Errorf("vector: %q has an API without embeddings; choose a provider with the API openai or ollama", o.Name)
	case o.Model == "":
		return nil, fmt.Errorf("vector: there is no model of %q", o.Name)
	case o.BaseURL != "":
		base = server(o.API, o.BaseURL)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	end, err := endpoint.New(endpoint.Options{
		Adapter: "vector", Name: o.Name, BaseURL: base, APIKey: o.APIKey, KeyHeader: "Authorization",
		KeySetting: "providers." + o.Name + ".api_key", BaseHint: ", which usually ends in /v1",
		Accept: "application/json", Headers: o.Headers, Timeout: o.Timeout, Client: o.Client,
	})
	if err != nil {
		return nil, err
	}
	return &Client{end: end, api: o.API, model: o.Model}, nil
}

// server takes the address of one method of an API for the address of the API.
func server(api, base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base // endpoint.New says what is wrong with it
	}
	ends := []string{"/chat/completions", "/responses", "/embeddings"}
	if api == Ollama {
		ends = []string{"/v1", "/api/chat", "/api/embed", "/api"}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	for _, end := range ends {
		if rest, ok := strings.CutSuffix(u.Path, end); ok {
			u.Path = rest
			break
		}
	}
	return u.String()
}

// Name is provider/model: vectors of different names cannot be compared.
func (c *Client) Name() string { return c.end.Name() + "/" + c.model }

// request is the same for both APIs.
type request struct {
	Model string   `json:"model"`
	Input []string `json:"input"`
}

// answer is that of either API.
type answer struct {
	Data []struct { // OpenAI's
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	} `json:"data"`
	Embeddings [][]float32 `json:"embeddings"` // Ollama's
}

// Embed returns the vector of each text. It blocks until the provider has
// answered; the error is an *openclaw.Error or ctx's own.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	path := "/embeddings"
	if c.api == Ollama {
		path = "/api/embed"
	}
	payload, err := json.Marshal(request{c.model, texts})
	if err != nil {
		return nil, err
	}
	x := c.end.Begin(ctx)
	defer x.End()
	resp, err := x.Post(c.end.At(path, ""), payload)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		text, err := x.Refusal(resp)
		if err != nil {
			return nil, err
		}
		return nil, c.end.Refused(resp, text, c.model)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, x.Broken(err)
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, c.strange(err)
	}
	vectors := a.Embeddings
	if c.api == OpenAI {
		vectors = make([][]float32, len(texts))
		for _, d := range a.Data {
			if d.Index >= 0 && d.Index < len(vectors) {
				vectors[d.Index] = d.Embedding
			}
		}
	}
	return vectors, c.check(vectors, len(texts))
}

// check wants n vectors of one length.
func (c *Client) check(vectors [][]float32, n int) error {
	if len(vectors) != n {
		return c.strange(fmt.Errorf("%d vectors for %d texts", len(vectors), n))
	}
	for _, v := range vectors {
		if len(v) == 0 || len(v) != len(vectors[0]) {
			return c.strange(fmt.Errorf("a vector of %d numbers beside one of %d", len(v), len(vectors[0])))
		}
	}
	return nil
}

func (c *Client) strange(err error) error {
	f := c.end.Failure(openclaw.FailureBadRequest, 0, "answered with something that is no list of vectors; check base_url and the model")
	f.Err = err
	return f
}
