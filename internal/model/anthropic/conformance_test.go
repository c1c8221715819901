package anthropic

import (
	"net/http"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

func TestConformance(t *testing.T) {
	modeltest.Run(t, modeltest.Suite{
		New: func(t *testing.T, url string, client *http.Client) openclaw.Model {
			a, err := New(Options{BaseURL: url, APIKey: "sk-ant-test-key", Client: client})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		Text:  []byte(recording(t, "text")),
		Tools: []byte(recording(t, "tools")),
	})
}
