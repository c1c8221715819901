package aimock

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go/internal/model/vector"
)

// TestVectors: there is a vector for each text, in their order, and the same for
// the same text. Of Ollama's API aimock answers /api/embed in the form of the
// older /api/embeddings, so that there is nothing to compare with.
func TestVectors(t *testing.T) {
	client, err := vector.New(vector.Options{API: vector.OpenAI, Name: "aimock", Model: "text-embedding-3-small", BaseURL: serve(t) + "/v1", APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.Embed(t.Context(), []string{"a cat", "a dog", "a cat"})
	if err != nil || len(got) != 3 {
		t.Fatalf("%d vectors, %v", len(got), err)
	}
	if len(got[0]) < 2 || cmp.Equal(got[0], got[1]) || !cmp.Equal(got[0], got[2]) {
		t.Errorf("vectors of %d numbers: %.3v… %.3v… %.3v…", len(got[0]), got[0][:1], got[1][:1], got[2][:1])
	}
}
