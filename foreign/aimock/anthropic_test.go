package aimock

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/model/anthropic"
	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

func TestAnthropic(t *testing.T) {
	url := serve(t)
	model, err := anthropic.New(anthropic.Options{BaseURL: url, APIKey: "sk-mock-0123456789"})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("text", func(t *testing.T) {
		a := modeltest.Collect(t, model.Stream(t.Context(), ask("greet me")))
		if a.Err != nil || a.Text() != "Hello from a mock nobody here wrote: äöü 🎈." || len(a.Deltas) < 5 {
			t.Errorf("got\n%s", a)
		}
	})
	t.Run("tool turn", func(t *testing.T) { toolTurn(t, model) })
	t.Run("refusals", func(t *testing.T) { refusals(t, model) })
	t.Run("cut stream", func(t *testing.T) {
		a := modeltest.Collect(t, model.Stream(t.Context(), ask("break off")))
		if a.Kind() != "cut_stream" || len(a.Deltas) == 0 {
			t.Errorf("got\n%s", a)
		}
	})
	t.Run("run out of room", func(t *testing.T) {
		if a := modeltest.Collect(t, model.Stream(t.Context(), ask("run out of room"))); a.Stop != openclaw.StopLength {
			t.Errorf("got\n%s", a)
		}
	})
	t.Run("no first byte", func(t *testing.T) {
		hasty, err := anthropic.New(anthropic.Options{BaseURL: url, APIKey: "sk-mock-0123456789", Timeout: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		a := modeltest.Collect(t, hasty.Stream(t.Context(), ask("never begin")))
		if a.Kind() != "timeout" {
			t.Errorf("got\n%s", a)
		}
	})
}
