package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestOneMessageAsks answers, at a terminal, what the agent asks for in a chat
// of a single message.
func TestOneMessageAsks(t *testing.T) {
	for answer, want := range map[string]string{"y": "hello", "n": ""} {
		t.Run(answer, func(t *testing.T) {
			home := t.TempDir()
			port, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("HOME", home)
			t.Setenv("OPENCLAW_PROVIDER", "offline")
			t.Setenv("OPENCLAW_GATEWAY_PORT", port)
			terminal, tty, err := pty.Open()
			if err != nil {
				t.Skip("no terminals here:", err)
			}
			defer terminal.Close()
			file := filepath.Join(home, "outside.txt")
			done := make(chan int, 1)
			go func() {
				done <- run(t.Context(), []string{"chat", "save the following to " + file + ":\nhello"}, tty, tty, tty)
				_ = tty.Close() // which ends the reading below
			}()
			seen := answerAt(terminal, "allow it?", answer+"\r")
			if code := <-done; code != 0 {
				t.Errorf("exit code %d", code)
			}
			if got, _ := os.ReadFile(file); strings.TrimSpace(string(got)) != want {
				t.Errorf("the file holds %q, want %q; the terminal showed:\n%s", got, want, seen)
			}
		})
	}
}

// answerAt types answer once the terminal shows the question, and returns all
// that it showed until it was closed.
func answerAt(terminal *os.File, question, answer string) string {
	var seen strings.Builder
	in, answered := bufio.NewReader(terminal), false
	for {
		b, err := in.ReadByte()
		if err != nil {
			return seen.String()
		}
		seen.WriteByte(b)
		if !answered && strings.HasSuffix(seen.String(), question) {
			answered = true
			_, _ = terminal.WriteString(answer)
		}
	}
}
