// Package openclaw holds the words of the product: what a message, an event,
// an error, a model and a tool are.
//
// Every other package speaks in these types, so this one imports the standard
// library only and contains no behaviour beyond encoding itself. It owns no
// state and starts no goroutine.
package openclaw

import "encoding/json"

// Role says who speaks in a Message.
type Role string

// The three roles of a conversation. Instructions that hold for a whole
// conversation are not messages; they are Request.System.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool" // carries the results of the calls just before it
)

// Message is one contribution to a conversation, as a model reads it.
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
}

// PartKind says which fields of a Part are set.
type PartKind string

// The kinds of Part.
const (
	PartText       PartKind = "text"        // Text
	PartThinking   PartKind = "thinking"    // Text (may be empty), Opaque
	PartToolCall   PartKind = "tool_call"   // Call
	PartToolResult PartKind = "tool_result" // Result
	PartImage      PartKind = "image"       // Image; in a user's message only
)

// Part is one piece of a Message.
type Part struct {
	Kind   PartKind `json:"kind"`
	Text   string   `json:"text,omitzero"`
	Call   *Call    `json:"call,omitzero"`
	Result *Result  `json:"result,omitzero"`
	Image  *Image   `json:"image,omitzero"`

	// Opaque is data that the model API wants back unchanged with this part,
	// such as the signature of a thinking block. Only the adapter named by
	// Provider reads it; every other adapter leaves it out (and leaves out a
	// thinking part altogether).
	Opaque   json.RawMessage `json:"opaque,omitzero"`
	Provider string          `json:"provider,omitzero"`
}

// Image is a picture that a model is shown. An adapter whose API has no
// pictures says so in its place.
type Image struct {
	MediaType string `json:"media_type"` // image/png, image/jpeg, image/gif or image/webp
	Data      []byte `json:"data"`       // the encoded picture; base64 in JSON
}

// Text returns a message of one text part.
func Text(role Role, text string) Message {
	return Message{Role: role, Parts: []Part{{Kind: PartText, Text: text}}}
}
