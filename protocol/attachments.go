package protocol

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// Bounds on the pictures of one request; that on a message bounds their sum.
const (
	MaxImages     = 16
	MaxImageBytes = 5 << 20 // of one picture, decoded
)

// attachment is one element of context.attachments as far as it is known here.
type attachment struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
}

// takeImages divides context.attachments into the pictures that came with
// their data, and the rest, which stays part of the context; nil for none.
func takeImages(raw jsontext.Value) (images []openclaw.Image, rest jsontext.Value, problem *openclaw.Error) {
	var list []jsontext.Value
	if raw.Kind() != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, raw, nil // a client's own use of the word
	}
	var others []jsontext.Value
	for i, v := range list {
		var a attachment
		if v.Kind() != '{' || json.Unmarshal(v, &a) != nil || a.Type != "image" || a.Data == "" {
			others = append(others, v)
			continue
		}
		image, wrong := a.image()
		if wrong != "" {
			return nil, nil, invalid(fmt.Sprintf("payload.context.attachments[%d]: %s", i, wrong))
		}
		images = append(images, image)
	}
	if len(images) > MaxImages {
		return nil, nil, invalid(fmt.Sprintf("payload.context.attachments: at most %d pictures with a message", MaxImages))
	}
	switch {
	case len(images) == 0:
		return nil, raw, nil
	case len(others) == 0:
		return images, nil, nil
	}
	rest, err := json.Marshal(others)
	if err != nil {
		return nil, nil, invalid("payload.context.attachments must be JSON")
	}
	return images, rest, nil
}

// image decodes the picture. What it is says the data itself: clients are
// often wrong about it, and APIs refuse a picture that is not what it is said
// to be.
func (a attachment) image() (image openclaw.Image, wrong string) {
	data := a.Data
	if strings.HasPrefix(data, "data:") {
		_, data, _ = strings.Cut(data, ",")
	}
	if base64.StdEncoding.DecodedLen(len(data)) > MaxImageBytes+2 {
		return image, fmt.Sprintf("a picture may have %d MiB at the most; make it smaller", MaxImageBytes>>20)
	}
	decoded, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return image, "data must be base64"
	}
	kind := mediaType(decoded)
	if kind == "" {
		return image, "data must be a PNG, JPEG, GIF or WebP picture"
	}
	return openclaw.Image{MediaType: kind, Data: decoded}, ""
}

// mediaType knows the pictures that all APIs take by how they begin.
func mediaType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "image/gif"
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}
