package sandbox_test

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// onTerminal runs a script with a terminal of its own and returns what it
// prints there.
func onTerminal(t *testing.T, box *sandbox.Box, typed, script string) string {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keyboard, &pty.Winsize{Rows: 7, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(keyboard, typed); err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&screen, keyboard)
	}()
	job := shellJob(strings.ReplaceAll(script, "TTY", tty.Name()), nil)
	job.Stdin, job.Stdout, job.Stderr, job.Terminal = tty, tty, tty, true
	if _, err := box.Run(t.Context(), job); err != nil {
		t.Error(err)
	}
	tty.Close()
	<-read
	keyboard.Close()
	return strings.ReplaceAll(screen.String(), "\r\n", "\n")
}

// A command that gets a terminal has that one, by every name, and no other.
func TestTerminal(t *testing.T) {
	const script = `test -t 0 && test -t 1 && test -t 2 && echo terminals
		test "$(tty)" = TTY && echo its own
		stty size; echo controlling >/dev/tty
		stty -F TTY -echo && echo opened by name
		read x; echo read $x`
	const want = "terminals\nits own\n7 77\ncontrolling\nopened by name\nread typed\n"
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			got := onTerminal(t, box, "typed\n", script)
			if _, got, _ = strings.Cut(got, "typed\n"); got != want { // the echo comes first
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// In namespaces, a command can make terminals for others.
func TestTerminalsOfItsOwn(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	for layer, r := range layers(t) {
		if layer == sandbox.LayerLandlock {
			continue
		}
		t.Run(string(layer), func(t *testing.T) {
			box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			exit, err := box.Run(t.Context(), shellJob(`ls /dev/pts; python3 -c 'import pty; pty.spawn(["sh", "-c", "tty; test -t 1 && echo terminal"])'`, &out))
			if err != nil || exit.Code != 0 || strings.ReplaceAll(out.String(), "\r", "") != "ptmx\n/dev/pts/0\nterminal\n" {
				t.Errorf("%+v, %v: %q", exit, err, &out)
			}
		})
	}
}
