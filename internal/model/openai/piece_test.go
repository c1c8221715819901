package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-go/internal/model/modeltest"
)

// TestHalvesOfCharacters: a character cut in two by the server is whole again
// in the answer, and a half that stays alone is no broken text.
func TestHalvesOfCharacters(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string // JSON strings
		want   string
	}{
		{"two halves", []string{`"a\ud83c"`, `"\udf88b"`}, "a🎈b"},
		{"upper case", []string{`"\uD83C"`, `"\uDF88"`}, "🎈"},
		{"whole", []string{`"\ud83c\udf88"`}, "🎈"},
		{"empty between", []string{`"\ud83c"`, `""`, `"\udf88"`}, "🎈"},
		{"first half alone", []string{`"a\ud83c"`}, "a\uFFFD"},
		{"first half, then text", []string{`"\ud83c"`, `"b"`}, "\uFFFDb"},
		{"second half alone", []string{`"\udf88b"`}, "\uFFFDb"},
		{"two first halves", []string{`"\ud83c"`, `"\ud83c"`, `"\udf88"`}, "\uFFFD🎈"},
		{"wrong way round", []string{`"\udf88"`, `"\ud83c"`}, "\uFFFD\uFFFD"},
		{"no escape at all", []string{`"C:\\ud83c"`, `"\\udf88"`}, `C:\ud83c\udf88`},
		{"halves in the middle", []string{`"a\ud83cb\udf88c"`}, "a\uFFFDb\uFFFDc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			for _, p := range tt.pieces {
				fmt.Fprintf(&b, "data: {\"choices\":[{\"delta\":{\"content\":%s,\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":%s}}]}}]}\n\n", p, p)
			}
			b.WriteString("data: [DONE]\n\n")
			stream := strings.Replace(b.String(), "data: [DONE]", `data: {"choices":[{"finish_reason":"stop"}]}`, 1)
			a := modeltest.Collect(t, streaming(t, strings.NewReader(stream)).Stream(t.Context(), modeltest.Ask()))
			if a.Text() != tt.want {
				t.Errorf("the text is %q, want %q", a.Text(), tt.want)
			}
			args := string(a.Calls()[0].Args)
			if quoted := strings.ReplaceAll(tt.want, `\`, `\\`); args != `{"invalid_arguments":"`+quoted+`"}` {
				t.Errorf("the arguments are %s, want %q in them", args, quoted)
			}
		})
	}
}
