package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// The exit codes of the command line.
const (
	exitFailed        = 1
	exitConfiguration = 2
	exitNotRunning    = 3
	exitAuth          = 4
	exitNetwork       = 5
	exitSignal        = 128 // plus the number of the signal
)

// failure is an error with the exit code it leads to.
type failure struct {
	exit int
	err  error // nil: everything there is to say has been printed
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.exit)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// notRunning is the failure of a command that needs a gateway.
func notRunning(text string) error {
	return &failure{exit: exitNotRunning, err: &plainError{text, client.ErrNotRunning}}
}

// plainError has a text of its own and the identity of a cause.
type plainError struct {
	text  string
	cause error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.cause }

// connectionError gives an error of talking to the gateway its exit code. What
// the gateway itself has said, and the end of ctx, stay what they are.
func connectionError(err error) error {
	var said *openclaw.Error
	var done *failure
	switch {
	case err == nil, errors.As(err, &said), errors.As(err, &done), errors.Is(err, client.ErrNotRunning),
		errors.Is(err, context.Canceled):
		return err
	}
	return &failure{exit: exitNetwork, err: err}
}

// exitCode returns the exit code that err leads to.
func exitCode(err error) int {
	var done *failure
	var problems config.Problems
	var network *net.OpError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &done):
		return done.exit
	case errors.As(err, &problems):
		return exitConfiguration
	case errors.Is(err, client.ErrNotRunning):
		return exitNotRunning
	case errors.Is(err, context.Canceled):
		return exitSignal + int(syscall.SIGINT)
	}
	switch openclaw.CodeOf(err) {
	case openclaw.CodeAuthRequired, openclaw.CodeAuthInvalid:
		return exitAuth
	case openclaw.CodeModelNotFound:
		return exitConfiguration
	}
	if errors.As(err, &network) {
		return exitNetwork
	}
	return exitFailed
}

// report tells the user of err, one line for each thing that is wrong, and
// returns the exit code.
func (c *cli) report(err error) int {
	code := exitCode(err)
	var done *failure
	if err == nil || errors.As(err, &done) && done.err == nil {
		return code
	}
	for _, line := range errorLines(err) {
		fmt.Fprintf(c.stderr, "openclaw: %s\n", line)
	}
	if c.flags.json {
		_ = c.printJSON(map[string]any{"error": jsonError(err, code)}) // stderr has said it
	}
	return code
}

// errorLines returns what is wrong, safe to show on a terminal.
func errorLines(err error) []string {
	var problems config.Problems
	if !errors.As(err, &problems) {
		return []string{oneLine(err.Error())}
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = oneLine(p.String())
	}
	return lines
}

// jsonError is the form an error has with --json.
func jsonError(err error, code int) map[string]any {
	var said *openclaw.Error
	body := map[string]any{"message": strings.Join(errorLines(err), "\n"), "exit_code": code}
	if errors.As(err, &said) {
		e := protocol.NewError(said)
		body["code"], body["retryable"] = e.Code, e.Retryable
		if e.RetryAfterMS > 0 {
			body["retry_after_ms"] = e.RetryAfterMS
		}
		if len(e.Details) > 0 {
			body["details"] = e.Details
		}
	}
	return body
}

// interrupted is the end of a command that a signal stopped.
func interrupted(s os.Signal) error {
	code := exitSignal
	if number, ok := s.(syscall.Signal); ok {
		code += int(number)
	}
	return &failure{exit: code}
}

func asksForJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
}
