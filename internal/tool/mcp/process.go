package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// openProcess starts the server's program.
func (s *server) openProcess() (*link, error) {
	env := environ(s.host.opts.Environ, s.spec.Env)
	path, err := findProgram(s.spec.Command, env)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.host.opts.Dir, 0o700); err != nil {
		return nil, err
	}
	stdin, requests, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, stdout := io.Pipe()
	last := &tail{}
	life, cut := context.WithCancel(context.Background()) // it outlives s.life by the farewell
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := s.host.opts.Exec(life, Command{
			Argv: append([]string{path}, s.spec.Args...), Dir: s.host.opts.Dir, Env: env,
			Stdin: stdin, Stdout: &messages{to: stdout, noise: last}, Stderr: last,
		})
		if err == nil {
			err = errors.New("the program ended")
		}
		_ = stdout.CloseWithError(err) // never fails
		_ = stdin.Close()              // nobody writes to a program that is gone
		_ = requests.Close()
	}()
	return &link{
		transport: &sdk.IOTransport{Reader: answers, Writer: &impatient{requests}, MaxLineLength: maxMessage},
		cut:       cut,
		join:      func() { _ = requests.Close(); _ = answers.Close(); <-done },
		last:      last.line,
	}, nil
}

// findProgram returns the absolute path of a command, looked for in env's
// PATH.
func findProgram(command string, env []string) (string, error) {
	var dirs, home string
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			dirs = v
		} else if v, ok := strings.CutPrefix(kv, "HOME="); ok {
			home = v
		}
	}
	if rest, ok := strings.CutPrefix(command, "~/"); ok && home != "" {
		command = filepath.Join(home, rest)
	}
	if filepath.IsAbs(command) {
		return command, nil
	}
	if strings.ContainsRune(command, filepath.Separator) {
		return "", errors.New("command " + command + " must be an absolute path, or a name to look for in PATH")
	}
	for _, dir := range filepath.SplitList(dirs) {
		path := filepath.Join(dir, command)
		if info, err := os.Stat(path); filepath.IsAbs(dir) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", errors.New("there is no program " + command + " in PATH; install it or write its whole path")
}

// impatient writes to a program that may not read.
type impatient struct{ *os.File }

// Write implements io.Writer.
func (w *impatient) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	return w.File.Write(p)
}

// messages passes on the lines of a program's output that can be messages.
// Many programs greet their user on standard output; that is noise here.
type messages struct {
	to    io.Writer
	noise io.Writer
	rest  []byte // of a line that is not complete
}

// Write implements io.Writer. A line that does not end is an error, which ends
// the program.
func (m *messages) Write(p []byte) (int, error) {
	written := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			m.rest = append(m.rest, p...)
			if len(m.rest) > maxMessage {
				return 0, errors.New("it sent a message that is too long")
			}
			return written, nil
		}
		line := append(m.rest, p[:i+1]...)
		p = p[i+1:]
		m.rest = m.rest[:0]
		if cap(m.rest) > 64<<10 {
			m.rest = nil
		}
		to := m.to
		if !canBeMessage(line) {
			to = m.noise
		}
		if _, err := to.Write(line); err != nil {
			return 0, err
		}
	}
}

// canBeMessage tells messages from what programs print for their user, in square
// brackets, too: "[info] ready". What looks like a message and is broken is one:
// whoever waits for it should hear of that.
func canBeMessage(line []byte) bool {
	start := bytes.TrimLeft(line, " \t\r")
	return start[0] == '{' || start[0] == '[' && json.Valid(line)
}

// tail keeps the end of what a program writes. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const maxTail = 2 << 10

// Write implements io.Writer; it never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[max(0, len(p)-maxTail):]...)
	if extra := len(t.kept) - maxTail; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(p), nil
}

// line returns the last line that says something, without control characters.
func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.kept)), "\n")
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(lines[len(lines)-1], ""))
	return clip(strings.TrimSpace(text), 300)
}
