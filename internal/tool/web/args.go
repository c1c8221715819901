package web

import (
	"errors"
	"fmt"
	"strings"

	wire "github.com/go-json-experiment/json"
	"github.com/openclaw/openclaw-go"
)

// parseArgs reads a call's arguments into v, a pointer to a struct. Unknown
// ones are ignored. example is a JSON object that would be right.
func parseArgs(call *openclaw.Call, v any, example string) error {
	err := wire.Unmarshal(call.Args, v)
	if err == nil {
		return nil
	}
	e := &openclaw.Error{
		Code:    openclaw.CodeInvalidMessage,
		Message: "the arguments must be a JSON object such as " + example,
		Err:     err,
	}
	var wrong *wire.SemanticError
	if errors.As(err, &wrong) && wrong.JSONPointer != "" {
		name := strings.TrimPrefix(string(wrong.JSONPointer), "/")
		e.Message = fmt.Sprintf("the argument %q has the wrong type; send an object such as %s", name, example)
	}
	return e
}
