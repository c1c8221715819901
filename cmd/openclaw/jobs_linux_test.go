package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/session"
)

// use calls a tool as a turn of a conversation would, and returns what the
// model reads.
func (s *served) use(session, tool string, args map[string]any) string {
	s.t.Helper()
	data, err := json.Marshal(args)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, t := range s.parts.current.Load().tools {
		if t.Spec().Name == tool {
			res, err := t.Run(s.t.Context(), &openclaw.Call{ID: "c", Tool: tool, Session: session, Args: data})
			if err != nil {
				return "error: " + err.Error()
			}
			return res.Output
		}
	}
	s.t.Fatal("there is no tool " + tool)
	return ""
}

// background starts a command in the background and returns its job.
func (s *served) background(session, command string) string {
	s.t.Helper()
	out := s.use(session, "shell", map[string]any{"command": command, "background": true})
	id := regexp.MustCompile(`job-\w+`).FindString(out)
	if id == "" {
		s.t.Fatalf("no job in %q", out)
	}
	return id
}

// running lists the processes that have the text on their command line.
func running(text string) (found []string) {
	lists, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range lists {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(text)) && !strings.HasPrefix(file, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			found = append(found, fmt.Sprintf("%s %q", file, line))
		}
	}
	return found
}

// A command that asks for a terminal has one, and answers what is typed there.
func TestJobsOnATerminal(t *testing.T) {
	before, fds := goleak.IgnoreCurrent(), openDescriptors()
	t.Run("", func(t *testing.T) {
		s := serveApp(t)
		got := s.use("a", "shell", map[string]any{"pty": true, "command": `tty; test -t 1 && echo yes; stty size; printf '\033[31mred\033[0m\n1%%\r2%%\n'`})
		if !regexp.MustCompile(`^/dev/pts/[0-9]+\nyes\n40 120\nred\n2%\n$`).MatchString(got) {
			t.Errorf("got %q", got)
		}
		if got := s.use("a", "shell", map[string]any{"command": `tty; test -t 1 || echo no`}); got != "not a tty\nno\n" {
			t.Errorf("without: %q", got)
		}
		out := s.use("a", "shell", map[string]any{"pty": true, "background": true,
			"command": `read -p 'Go on? ' x; echo got $x; trap 'echo interrupted' INT; echo ready; sleep 60; python3 -c 'print("python got", input("name? "))' && cat && echo over`})
		id := regexp.MustCompile(`job-\w+`).FindString(out)
		for _, step := range []struct {
			action, input string
			end           bool
			want          string
		}{
			{"poll", "", false, "Go on? "},
			{"write", "yes\n", false, "yes\ngot yes\nready\n"},
			{"write", "\x03", false, "^Cinterrupted\nname? "},
			{"write", "me\n", false, "me\npython got me\n"},
			{"write", "x", true, "xxover\n"},
		} {
			got, want := "", strings.ReplaceAll(step.want, "\n", "")                                                            // a line of the tool's own begins a new one
			for end := time.Now().Add(20 * time.Second); len(got) < len(want) && time.Now().Before(end); step.action = "poll" { // it may be slow
				part := s.use("a", "process", map[string]any{"action": step.action, "job": id, "input": step.input, "end": step.end})
				got += strings.ReplaceAll(part[:strings.LastIndexByte(part, '[')], "\n", "")
			}
			if got != want {
				t.Errorf("%s %q: %q, want %q", step.action, step.input, got, want)
			}
		}
		s.use("a", "shell", map[string]any{"pty": true, "background": true, "command": `trap '' HUP; sleep 60`}) // close ends it
		s.close()
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if now := openDescriptors(); now > fds {
		t.Errorf("%d descriptors, then %d", fds, now)
	}
}

// await waits until so many processes have the text on their command line.
func await(t *testing.T, text string, want int) {
	t.Helper()
	n := -1
	for end := time.Now().Add(10 * time.Second); n != want && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		n = len(running(text))
	}
	if n != want {
		t.Errorf("%d processes, want %d", n, want)
	}
}

// Jobs run in the sandbox, belong to their conversation and end with it, or
// with the gateway, with all that they started.
func TestJobs(t *testing.T) {
	before, fds := goleak.IgnoreCurrent(), openDescriptors()
	mark := fmt.Sprintf("97%07d", os.Getpid())
	t.Run("", func(t *testing.T) {
		s := serveApp(t)
		script := strings.ReplaceAll(`(setsid sleep M & setsid -f sleep M); cat "$HOME/.openclaw/openclaw.db" >/dev/null 2>&1 || echo confined; read x; echo got $x; sleep M`, "M", mark)
		id := s.background("a", script)
		if got := s.use("a", "process", map[string]any{"action": "write", "job": id, "input": "it\n", "wait_ms": 20000}); !strings.HasPrefix(got, "confined\ngot it\n["+id+" runs") {
			t.Errorf("a job printed %q", got)
		}
		if got := s.use("b", "process", map[string]any{"action": "kill", "job": id}); !strings.Contains(got, "has no job") {
			t.Errorf("another conversation kills it: %q", got)
		}
		s.background("b", script)
		await(t, mark, 7)
		done, deleted := make(answered, 1), make(chan error, 1)
		s.hub.Submit(session.Request{Session: "a", ID: "1", Observer: done, Started: openclaw.TurnStarted{Text: "hello"}})
		<-done
		s.hub.Delete("a", func(err error) { deleted <- err })
		if err := <-deleted; err != nil {
			t.Error(err)
		}
		await(t, mark, 3)
		if got := s.use("a", "process", map[string]any{"action": "list"}); got != "[this conversation has no jobs]\n" {
			t.Errorf("after the conversation was deleted: %q", got)
		}
		if got := s.use("b", "process", map[string]any{"action": "list"}); !strings.Contains(got, " runs, for ") {
			t.Errorf("another conversation's jobs: %q", got)
		}
		s.close()
		if left := running(mark); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(time.Second); openDescriptors() > fds && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if now := openDescriptors(); now > fds {
		t.Errorf("%d descriptors, then %d", fds, now)
	}
}
