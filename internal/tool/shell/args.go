package shell

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	wire "github.com/go-json-experiment/json"
	"github.com/openclaw/openclaw-go"
)

// arguments are what the model passes.
type arguments struct {
	Command string
	Workdir string
	Timeout time.Duration // 0: not given
	Needs   []string
	Reason  string

	Background, PTY bool
}

func badArgs(message string) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: message}
}

// parseArgs reads a call's arguments. Unknown ones are ignored. The errors are
// written for the model.
func parseArgs(data json.RawMessage) (arguments, error) {
	var in struct {
		Command   *string  `json:"command"`
		Workdir   string   `json:"workdir"`
		TimeoutMS *float64 `json:"timeout_ms"` // models write 5000.0, too
		Needs     []string `json:"needs"`
		Reason    string   `json:"reason"`

		Background bool `json:"background"`
		PTY        bool `json:"pty"`

		Invalid any `json:"invalid_arguments"`
	}
	if err := wire.Unmarshal(data, &in); err != nil {
		return arguments{}, explain(err, `{"command": "ls"}`)
	}
	switch {
	case in.Invalid != nil:
		return arguments{}, badArgs(`the arguments were not a JSON object; send one such as {"command": "ls"}`)
	case in.Command == nil:
		return arguments{}, badArgs(`the argument "command" is missing; send {"command": "…"}`)
	case strings.TrimSpace(*in.Command) == "":
		return arguments{}, badArgs(`the argument "command" is blank; write the command line to run`)
	case strings.IndexByte(*in.Command, 0) >= 0 || strings.IndexByte(in.Workdir, 0) >= 0:
		return arguments{}, badArgs("the arguments must not contain a NUL character; use printf '\\0' to make one")
	case len(*in.Command) > maxCommand:
		return arguments{}, badArgs(fmt.Sprintf("the command is %d bytes long, the limit is %d; write it to a file and run that", len(*in.Command), maxCommand))
	case in.TimeoutMS != nil && *in.TimeoutMS <= 0:
		return arguments{}, badArgs(`the argument "timeout_ms" must be above 0; leave it out for the default`)
	}
	args := arguments{Command: *in.Command, Workdir: in.Workdir, Needs: in.Needs, Reason: in.Reason, Background: in.Background, PTY: in.PTY}
	if in.TimeoutMS != nil {
		ms := min(*in.TimeoutMS, float64(24*time.Hour/time.Millisecond)) // a float may exceed a Duration
		args.Timeout = max(time.Duration(ms*float64(time.Millisecond)), time.Nanosecond)
	}
	return args, nil
}

// explain turns a decoding error into advice. example is a call that is right.
func explain(err error, example string) error {
	e := &openclaw.Error{
		Code:    openclaw.CodeInvalidMessage,
		Message: "the arguments are not valid JSON; send an object such as " + example,
		Err:     err,
	}
	var wrong *wire.SemanticError
	if errors.As(err, &wrong) {
		want := "a string"
		switch wrong.JSONPointer {
		case "":
			e.Message = "the arguments must be a JSON object such as " + example
			return e
		case "/timeout_ms", "/wait_ms":
			want = "a number"
		case "/background", "/pty", "/end":
			want = "true or false"
		case "/needs":
			want = `a list such as ["network"]`
		}
		e.Message = fmt.Sprintf("the argument %q must be %s", strings.TrimPrefix(string(wrong.JSONPointer), "/"), want)
	}
	return e
}
