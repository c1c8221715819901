package files

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	wire "github.com/go-json-experiment/json"
	"github.com/openclaw/openclaw-go"
)

// badArgs is an error that tells the model what to do instead.
func badArgs(format string, a ...any) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf(format, a...)}
}

func notFound(format string, a ...any) error {
	return &openclaw.Error{Code: openclaw.CodeNotFound, Message: fmt.Sprintf(format, a...)}
}

// systemError explains an error of the system about the file called name.
func systemError(name string, err error) error {
	var known *openclaw.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return notFound("%s does not exist", name)
	case errors.Is(err, fs.ErrPermission):
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "the system gives no permission for " + name, Err: err}
	}
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: name + " cannot be used", Err: err}
}

// parseArgs reads a call's arguments into v, a pointer to a struct. Unknown
// ones are ignored. example is a JSON object that would be right.
func parseArgs(call *openclaw.Call, v any, example string) error {
	var marker struct {
		Invalid any `json:"invalid_arguments"`
	}
	err := wire.Unmarshal(call.Args, &marker)
	if err == nil && marker.Invalid == nil {
		err = wire.Unmarshal(call.Args, v)
	}
	if err == nil && marker.Invalid == nil {
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
