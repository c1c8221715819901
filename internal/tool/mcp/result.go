package mcp

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/openclaw/openclaw-go"
)

const minOutput = 256

// render makes text of a result. What is no text is named.
func render(id string, res *sdk.CallToolResult, most int) *openclaw.Result {
	var parts []string
	for _, c := range res.Content {
		if text := contentText(c); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 && res.StructuredContent != nil {
		if data, err := json.Marshal(res.StructuredContent); err == nil {
			parts = append(parts, string(data))
		}
	}
	if res.NeedsInput() {
		parts = append(parts, "[the server asks for input, which cannot be given here]")
	}
	text := strings.ToValidUTF8(strings.Join(parts, "\n"), "\uFFFD")
	r := &openclaw.Result{CallID: id, Output: text}
	if len(text) > most {
		r.Output = clip(text, most) + fmt.Sprintf("\n[cut: %d of %d bytes; ask for less at once]", most, len(text))
		r.Truncated, r.OutputBytes = true, int64(len(text))
	}
	if res.IsError || res.NeedsInput() {
		r.ExitCode = openclaw.ExitFailed
	}
	return r
}

func contentText(c sdk.Content) string {
	switch c := c.(type) {
	case *sdk.TextContent:
		return c.Text
	case *sdk.ImageContent:
		return fmt.Sprintf("[image, %s, %d bytes, not shown]", clip(c.MIMEType, 100), len(c.Data))
	case *sdk.AudioContent:
		return fmt.Sprintf("[audio, %s, %d bytes, not played]", clip(c.MIMEType, 100), len(c.Data))
	case *sdk.ResourceLink:
		return fmt.Sprintf("[resource %s: %s]", clip(c.Name, 200), clip(c.URI, 1000))
	case *sdk.EmbeddedResource:
		switch r := c.Resource; {
		case r == nil:
			return ""
		case r.Text != "" || len(r.Blob) == 0:
			return fmt.Sprintf("[resource %s]\n%s", clip(r.URI, 1000), r.Text)
		default:
			return fmt.Sprintf("[resource %s, %s, %d bytes, not shown]", clip(r.URI, 1000), clip(r.MIMEType, 100), len(r.Blob))
		}
	}
	return ""
}

// clip returns at most n bytes of s, with its last character whole.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
