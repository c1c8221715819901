package protocol

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Frame is a message as it stands on the wire, in either direction.
type Frame struct {
	Type      Type   `json:"type"`
	ID        string `json:"id,omitzero"`
	Payload   any    `json:"payload"`
	Timestamp string `json:"timestamp"`
}

// lenient is how frames are written. It never changes.
var lenient = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true), json.Deterministic(true))

// Encode returns the text of a frame. A payload that has no JSON form is a
// mistake in the program, not in its input: Encode panics. Text that is not
// valid UTF-8 is mended with U+FFFD; raw JSON that an older log holds is passed
// on as it is.
func Encode(t Type, id string, payload any, at time.Time) []byte {
	if payload == nil {
		payload = struct{}{}
	}
	data, err := json.Marshal(Frame{Type: t, ID: id, Payload: payload, Timestamp: FormatTime(at)}, lenient)
	if err != nil {
		panic(fmt.Sprintf("protocol: %s payload %T: %v", t, payload, err))
	}
	return data
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
