package protocol

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// Request is a message from a client, its payload not yet decoded.
type Request struct {
	Type Type
	// ID is the client's correlation ID, "" if it gave none that is valid.
	ID string
	// Object says that the text was a JSON object, so that a reply may carry
	// an ID.
	Object bool
	// Payload is the payload as the client wrote it, or {} if it wrote none.
	Payload jsontext.Value
}

// speaks is the end of each message to a client of another dialect.
const speaks = `this endpoint speaks the OpenClaw gateway protocol: send one JSON object a frame, such as {"type":"chat","id":"1","payload":{"text":"hello"}}`

// Decode reads one frame. depth bounds how deeply the JSON may nest (0: 64).
// data must be valid UTF-8. Duplicate member names are refused, at every
// level, since two readers could take different ones; so are unpaired
// surrogates. The Request is as complete as data allows even beside an error,
// so that the error can be sent with the right ID.
func Decode(data []byte, depth int) (Request, *openclaw.Error) {
	if depth == 0 {
		depth = 64
	}
	var env struct {
		Type    jsontext.Value `json:"type"`
		ID      jsontext.Value `json:"id"`
		Payload jsontext.Value `json:"payload"`
	}
	if deeper(data, depth) {
		return salvage(data), invalid(fmt.Sprintf("JSON nests deeper than %d levels; flatten the message", depth))
	}
	if err := json.Unmarshal(data, &env); err != nil {
		return salvage(data), malformed(data, err)
	}
	req := Request{Object: env.Type != nil || firstByte(data) == '{', Payload: env.Payload}
	if !req.Object {
		return req, invalid("expected a JSON object; " + speaks)
	}
	var problem *openclaw.Error
	if req.ID, problem = decodeID(env.ID); problem != nil {
		return req, problem
	}
	if req.Type, problem = decodeType(env.Type); problem != nil {
		return req, problem
	}
	switch req.Payload.Kind() {
	case '{':
	case jsontext.KindInvalid, 'n':
		req.Payload = jsontext.Value("{}")
	default:
		return req, invalid("payload must be an object")
	}
	return req, nil
}

func decodeID(v jsontext.Value) (string, *openclaw.Error) {
	switch v.Kind() {
	case jsontext.KindInvalid, 'n':
		return "", nil
	case '"':
	default:
		return "", invalid("id must be a string; " + speaks)
	}
	var buf [MaxID]byte
	id, err := jsontext.AppendUnquote(buf[:0], v)
	if err != nil {
		return "", invalid("id must be a string")
	}
	if utf8.RuneCount(id) > MaxID {
		return "", invalid(fmt.Sprintf("id is longer than %d characters; send a shorter one", MaxID))
	}
	return string(id), nil
}

func decodeType(v jsontext.Value) (Type, *openclaw.Error) {
	if v.Kind() != '"' {
		return "", invalid("type must be a string; " + speaks)
	}
	var buf [64]byte
	t, err := jsontext.AppendUnquote(buf[:0], v)
	if err != nil || len(t) == 0 {
		return "", invalid("type must be a string that is not empty; " + speaks)
	}
	return Type(t), nil
}

// UnknownType is the answer to a message of a type the gateway does not know.
func UnknownType(t Type) *openclaw.Error {
	const most = 64
	name := string(t)
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most]) + "…"
	}
	return &openclaw.Error{
		Code:    openclaw.CodeUnknownType,
		Message: fmt.Sprintf("unknown message type %q; %s", name, speaks),
	}
}

// salvage finds out what a reply to broken text needs: whether it is an object
// and which ID it has.
func salvage(data []byte) Request {
	var env struct {
		ID jsontext.Value `json:"id"`
	}
	if firstByte(data) != '{' {
		return Request{}
	}
	if err := json.Unmarshal(data, &env, jsontext.AllowDuplicateNames(true)); err != nil {
		return Request{}
	}
	id, _ := decodeID(env.ID)
	return Request{Object: true, ID: id}
}

func malformed(data []byte, err error) *openclaw.Error {
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic):
		return invalid("expected a JSON object; " + speaks)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return invalid("a member name occurs twice in one object; send each name once")
	case len(strings.TrimSpace(string(data))) == 0:
		return invalid("the frame is empty; " + speaks)
	}
	return invalid("the frame is not valid JSON; " + speaks)
}

func invalid(message string) *openclaw.Error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: message}
}

func firstByte(data []byte) byte {
	for _, c := range data {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// deeper says whether the arrays and objects in data nest more than most
// levels deep. It looks at brackets outside of strings only, so that a hostile
// nesting is found before a parser recurses into it.
func deeper(data []byte, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// DecodePayload reads a request's payload into a payload struct. Unknown
// members are ignored; a member of the wrong type is an INVALID_MESSAGE that
// names it.
func DecodePayload[P any](req Request) (P, *openclaw.Error) {
	var p P
	err := json.Unmarshal(req.Payload, &p)
	if err == nil {
		return p, nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return p, invalid(fmt.Sprintf("payload%s must be %s",
			strings.ReplaceAll(string(semantic.JSONPointer), "/", "."), wanted(semantic)))
	}
	return p, invalid("payload is not valid JSON")
}

func wanted(err *json.SemanticError) string {
	if err.GoType == nil {
		return "of another type"
	}
	switch kind := err.GoType.Kind().String(); {
	case kind == "string":
		return "a string"
	case kind == "bool":
		return "true or false"
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "a whole number"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "struct", kind == "map":
		return "an object"
	case kind == "slice" && err.GoType.Elem().Kind().String() != "uint8":
		return "an array"
	}
	return "of another type"
}
