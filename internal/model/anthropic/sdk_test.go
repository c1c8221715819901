package anthropic

import (
	"testing"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

// On what the real API sends, this package and the SDK's own accumulator must
// come to the same answer.
func TestAgreesWithTheSDK(t *testing.T) {
	for _, name := range []string{"text", "tools", "thinking", "cache", "refusal", "stop_sequence", "pause_turn", "window_exceeded"} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, sse(recording(t, name)))
			events, err := run(t, s.adapter(t, Options{}), hello)
			if err != nil {
				t.Fatal(err)
			}
			client := sdk.NewClient(option.WithoutEnvironmentDefaults(), option.WithBaseURL(s.URL), option.WithAPIKey("sk"), option.WithHTTPClient(s.Client()))
			stream := client.Messages.NewStreaming(t.Context(), sdk.MessageNewParams{Model: hello.Model, MaxTokens: 1})
			var message sdk.Message
			for stream.Next() {
				if err := message.Accumulate(stream.Current()); err != nil {
					t.Fatal(err)
				}
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if err := stream.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sdkView(message), ourView(events)); diff != "" {
				t.Errorf("(-SDK +ours):\n%s", diff)
			}
		})
	}
}

// view is what both can be asked for.
type view struct {
	Parts  []string
	Input  int64
	Output int64
	Read   int64
	Write  int64
}

func sdkView(m sdk.Message) (v view) {
	for _, b := range m.Content {
		v.Parts = append(v.Parts, b.Type+"|"+b.Text+b.Thinking+"|"+b.Signature+b.Data+"|"+b.ID+"|"+b.Name+"|"+string(b.Input))
	}
	u := m.Usage
	v.Output, v.Read, v.Write = u.OutputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens
	v.Input = u.InputTokens + v.Read + v.Write
	return v
}

func ourView(events []openclaw.ModelEvent) (v view) {
	for _, ev := range events {
		if ev.Stop != "" {
			v.Input, v.Output = int64(ev.Usage.Input), int64(ev.Usage.Output)
			v.Read, v.Write = int64(ev.Usage.CacheRead), int64(ev.Usage.CacheWrite)
		}
		if ev.Part == nil {
			continue
		}
		switch p := ev.Part; p.Kind {
		case openclaw.PartText:
			v.Parts = append(v.Parts, "text|"+p.Text+"||||")
		case openclaw.PartToolCall:
			v.Parts = append(v.Parts, "tool_use|||"+p.Call.ID+"|"+p.Call.Tool+"|"+string(p.Call.Args))
		case openclaw.PartThinking:
			block, _ := thinkingBlock(p)
			if r := block.OfRedactedThinking; r != nil {
				v.Parts = append(v.Parts, "redacted_thinking||"+r.Data+"|||")
			} else {
				v.Parts = append(v.Parts, "thinking|"+p.Text+"|"+block.OfThinking.Signature+"|||")
			}
		}
	}
	return v
}
