package oracle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
	"github.com/openclaw/openclaw-go/internal/model/openai"
)

// responded is what both sides make of a stream of the Responses API.
type responded struct {
	Text, Deltas string
	Summary      string
	Encrypted    []string
	Calls        []heardCall
	Status       string // completed, max_output_tokens or content_filter
	Usage        [3]int // read, cached, written
	Failed       bool
}

// responsesApart lists the recordings in which the SDK and the adapter differ
// on purpose.
var responsesApart = map[string]string{
	"bad_arguments": "the adapter gives the second of two equal ids another",
	"only_the_end":  "the adapter counts what came without deltas as one",
	"unknown":       "the last event of this recording lists no items, which the SDK goes by",
	"whole_items":   "likewise",
}

func TestResponses(t *testing.T) {
	files, err := filepath.Glob("../internal/model/openai/testdata/responses/*.sse")
	if err != nil || len(files) < len(responsesApart) {
		t.Fatal("the recordings are missing", err)
	}
	compared := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		t.Run(name, func(t *testing.T) {
			stream, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			url := modeltest.Play(t, stream).URL + "/v1"
			want, got := responsesBySDK(t, url), responsesByAdapter(t, url)
			same := cmp.Equal(want, got) || want.Failed && got.Failed
			if responsesApart[name] != "" {
				if same {
					t.Errorf("the SDK and the adapter agree by now; delete the exception (%s)", responsesApart[name])
				}
				return
			}
			compared++
			if !same {
				t.Errorf("(-SDK +adapter):\n%s", cmp.Diff(want, got))
			}
		})
	}
	if compared < 12 {
		t.Errorf("only %d recordings were compared", compared)
	}
}

func responsesBySDK(t *testing.T, url string) (h responded) {
	t.Helper()
	client := sdk.NewClient(option.WithBaseURL(url), option.WithAPIKey("sk-test"), option.WithMaxRetries(0))
	stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{
		Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: sdk.String("Hello.")},
	})
	defer stream.Close()
	var last *responses.Response
	for stream.Next() {
		switch ev := stream.Current(); ev.Type {
		case "response.output_text.delta", "response.refusal.delta":
			h.Deltas += ev.Delta
		case "error", "response.failed":
			h.Failed = true
		case "response.completed", "response.incomplete":
			last = &ev.Response
		}
	}
	if stream.Err() != nil || last == nil {
		h.Failed = true
		return h
	}
	h.Status = string(last.Status)
	if last.IncompleteDetails.Reason != "" {
		h.Status = last.IncompleteDetails.Reason
	}
	h.Usage = [3]int{int(last.Usage.InputTokens), int(last.Usage.InputTokensDetails.CachedTokens), int(last.Usage.OutputTokens)}
	for _, item := range last.Output {
		switch item.Type {
		case "message":
			for _, c := range item.Content {
				h.Text += c.Text + c.Refusal
			}
		case "function_call":
			call := item.AsFunctionCall()
			h.Calls = append(h.Calls, heardCall{call.CallID, call.Name, strings.TrimSuffix(call.Arguments, "{}")})
		case "reasoning":
			h.Encrypted = append(h.Encrypted, item.EncryptedContent)
			for _, s := range item.Summary {
				h.Summary += s.Text
			}
		}
	}
	return h
}

func responsesByAdapter(t *testing.T, url string) (h responded) {
	t.Helper()
	m, err := openai.New(openai.Options{Name: "test", BaseURL: url + "/responses"})
	if err != nil {
		t.Fatal(err)
	}
	a := modeltest.Collect(t, m.Stream(t.Context(), modeltest.Ask()))
	if h.Failed = a.Err != nil; h.Failed {
		return h
	}
	h = responded{Text: a.Text(), Deltas: strings.Join(a.Deltas, ""), Status: "completed"}
	h.Usage = [3]int{a.Usage.Input, a.Usage.CacheRead, a.Usage.Output}
	switch {
	case a.Stop == openclaw.StopLength:
		h.Status = "max_output_tokens"
	case a.Stop == openclaw.StopFilter && !strings.HasPrefix(h.Text, "I'm sorry"): // a refusal in words is complete
		h.Status = "content_filter"
	}
	for _, p := range a.Parts {
		if p.Kind != openclaw.PartThinking {
			continue
		}
		h.Summary += strings.ReplaceAll(p.Text, "files.\n\n**", "files.**") // the adapter divides the parts of a summary
		var kept struct {
			Encrypted string `json:"encrypted_content"`
		}
		if err := json.Unmarshal(p.Opaque, &kept); err != nil {
			t.Fatal(err)
		}
		h.Encrypted = append(h.Encrypted, kept.Encrypted)
	}
	for _, c := range a.Calls() {
		h.Calls = append(h.Calls, heardCall{c.ID, c.Tool, written(t, c.Args)})
	}
	return h
}
