package protocol_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

const png = "\x89PNG\r\n\x1a\n and so on"

func encoded(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

// TestAttachments: pictures are taken out of the context, whatever they are
// said to be, and everything else of it stays as the client sent it.
func TestAttachments(t *testing.T) {
	picture := `{"type":"image","media_type":"image/jpeg","data":"` + encoded(png) + `"}`
	image := openclaw.Image{MediaType: "image/png", Data: []byte(png)}
	tests := []struct {
		name, context string
		images        []openclaw.Image
		rest          string
	}{
		{"one", `{"attachments":[` + picture + `]}`, []openclaw.Image{image}, ""},
		{"data URL", `{"attachments":[{"type":"image","data":"data:image/png;base64,` + encoded(png) + `"}],"page":1}`, []openclaw.Image{image}, `{"page":1}`},
		{"among others", `{"page":1,"attachments":["x",` + picture + `,{"type":"file","path":"a"},{"type":"image","path":"a.png"}]}`, []openclaw.Image{image},
			`{"attachments":["x",{"type":"file","path":"a"},{"type":"image","path":"a.png"}],"page":1}`},
		{"none", `{"attachments":[]}`, nil, `{"attachments":[]}`},
		{"another use of the word", `{"attachments":{"n":3}}`, nil, `{"attachments":{"n":3}}`},
		{"kinds", `{"attachments":[{"type":"image","data":"` + encoded("\xff\xd8\xffx") + `"},{"type":"image","data":"` + encoded("GIF89ax") + `"},{"type":"image","data":"` + encoded("RIFF1234WEBPx") + `"}]}`,
			[]openclaw.Image{{MediaType: "image/jpeg", Data: []byte("\xff\xd8\xffx")}, {MediaType: "image/gif", Data: []byte("GIF89ax")}, {MediaType: "image/webp", Data: []byte("RIFF1234WEBPx")}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chat := protocol.Chat{Text: "hi", Context: []byte(tt.context)}
			turn, problem := chat.Turn()
			if problem != nil {
				t.Fatal(problem)
			}
			if diff := cmp.Diff(tt.images, turn.Images); diff != "" || string(turn.Context) != tt.rest {
				t.Errorf("context %s, images (-want +got):\n%s", turn.Context, diff)
			}
		})
	}
	for name, tt := range map[string]struct{ context, says string }{
		"no base64":  {`{"attachments":[1,{"type":"image","data":"!!"}]}`, "attachments[1]: data must be base64"},
		"no picture": {`{"attachments":[{"type":"image","data":"` + encoded("%PDF-1.7") + `"}]}`, "PNG, JPEG, GIF or WebP"},
		"too large":  {`{"attachments":[{"type":"image","data":"` + encoded(png+strings.Repeat("x", protocol.MaxImageBytes)) + `"}]}`, "5 MiB"},
		"too many":   {`{"attachments":[` + strings.Repeat(picture+",", protocol.MaxImages) + picture + `]}`, "at most 16"},
	} {
		chat := protocol.Chat{Text: "hi", Context: []byte(tt.context)}
		if _, problem := chat.Turn(); problem == nil || problem.Code != openclaw.CodeInvalidMessage || !strings.Contains(problem.Message, tt.says) || len(problem.Message) > 200 {
			t.Errorf("%s: got %v, want %q", name, problem, tt.says)
		}
	}
}
