package protocol

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encoded is a payload that is JSON text already: Encode copies it as it is.
type Encoded []byte

// lenient is how payloads are written. It never changes.
var lenient = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true), json.Deterministic(true))

// frames are where frames are put together.
var frames = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepFrame is the largest buffer worth keeping.
const keepFrame = 64 << 10

// Encode returns the text of a frame. A payload that has no JSON form is a
// mistake in the program, not in its input: Encode panics. Text that is not
// valid UTF-8 is mended with U+FFFD; raw JSON that an older log holds is passed
// on as it is.
func Encode(t Type, id string, payload any, at time.Time) []byte {
	b := frames.Get().(*bytes.Buffer)
	b.Reset()
	b.WriteString(`{"type":`)
	quote(b, string(t))
	if id != "" {
		b.WriteString(`,"id":`)
		quote(b, id)
	}
	b.WriteString(`,"payload":`)
	encodePayload(b, t, payload)
	b.WriteString(`,"timestamp":"`)
	b.Write(appendTime(b.AvailableBuffer(), at))
	b.WriteString(`"}`)
	frame := bytes.Clone(b.Bytes())
	if b.Cap() <= keepFrame {
		frames.Put(b)
	}
	return frame
}

// EncodePayload returns the payload as JSON text, for a frame that is sent
// more than once; it panics as Encode does.
func EncodePayload(t Type, payload any) Encoded {
	var b bytes.Buffer
	encodePayload(&b, t, payload)
	return b.Bytes()
}

func encodePayload(b *bytes.Buffer, t Type, payload any) {
	switch p := payload.(type) {
	case nil:
		b.WriteString("{}")
		return
	case Encoded:
		b.Write(p)
		return
	}
	if err := json.MarshalWrite(b, payload, lenient); err != nil {
		panic(fmt.Sprintf("protocol: %s payload %T: %v", t, payload, err))
	}
}

// quote writes s as a JSON string.
func quote(b *bytes.Buffer, s string) {
	quoted, err := jsontext.AppendQuote(b.AvailableBuffer(), s)
	if err != nil { // s is not valid UTF-8
		quoted, _ = jsontext.AppendQuote(b.AvailableBuffer(), strings.ToValidUTF8(s, "\ufffd"))
	}
	b.Write(quoted)
}

// Message is a frame from the gateway as a client reads it.
type Message struct {
	Type      Type           `json:"type"`
	ID        string         `json:"id,omitzero"`
	Payload   jsontext.Value `json:"payload"`
	Timestamp string         `json:"timestamp"`
}

// DecodeMessage reads a frame from the gateway.
func DecodeMessage(data []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(data, &m); err != nil {
		return Message{}, fmt.Errorf("frame from the gateway: %w", err)
	}
	return m, nil
}

// Into reads the payload into one of the payload types of this package.
func (m Message) Into(payload any) error {
	if err := json.Unmarshal(m.Payload, payload); err != nil {
		return fmt.Errorf("payload of %s: %w", m.Type, err)
	}
	return nil
}
