package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// watch collects output and calls seen once the output contains text.
type watch struct {
	text string
	seen func()
	once sync.Once
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if w.seen != nil && strings.Contains(w.buf.String(), w.text) {
		w.once.Do(w.seen)
	}
	return len(p), nil
}

func newRunner(t testing.TB) *sandbox.Runner {
	t.Helper()
	r, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func shellJob(script string, out io.Writer) sandbox.Job {
	return sandbox.Job{
		Argv:   []string{"/bin/sh", "-c", script},
		Dir:    "/",
		Env:    []string{"PATH=" + os.Getenv("PATH")},
		Stdout: out,
		Stderr: out,
	}
}

func TestRunReportsHowTheCommandEnded(t *testing.T) {
	tests := []struct {
		name, script, output string
		exit                 sandbox.Exit
	}{
		{"success", "echo hello", "hello\n", sandbox.Exit{}},
		{"own code", "exit 7", "", sandbox.Exit{Code: 7}},
		{"signal", "kill -SEGV $$", "", sandbox.Exit{Code: -1, Signal: syscall.SIGSEGV}},
		{"order of both streams", "echo 1; echo 2 >&2; echo 3", "1\n2\n3\n", sandbox.Exit{}},
		{"nothing to read", "cat; echo $?", "0\n", sandbox.Exit{}},
		{"environment", "env | grep -v -e ^PWD= -e ^PATH= -e ^_= -e ^SHLVL= -e ^OLDPWD=", "", sandbox.Exit{Code: 1}},
		{"directory", "pwd", "/\n", sandbox.Exit{}},
	}
	r := newRunner(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			exit, err := r.Run(t.Context(), shellJob(tt.script, &out))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.exit, exit); diff != "" {
				t.Errorf("exit (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.output, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunKeepsBytesAsTheyAre(t *testing.T) {
	odd := "\xff\xfe \n ' \" \\ é"
	var out bytes.Buffer
	job := shellJob(`printf %s "$ODD|$1"`, &out)
	job.Argv = append(job.Argv, "sh", odd)
	job.Env = append(job.Env, "ODD="+odd)
	if _, err := newRunner(t).Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]byte(odd+"|"+odd), out.Bytes()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunSeparatesStreams(t *testing.T) {
	var stdout, stderr bytes.Buffer
	job := shellJob("tr a-z A-Z; echo problem >&2", nil)
	job.Stdin, job.Stdout, job.Stderr = strings.NewReader("text"), &stdout, &stderr
	if _, err := newRunner(t).Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "TEXT" || stderr.String() != "problem\n" {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
}

func TestRunDoesNotWaitForInputNobodyReads(t *testing.T) {
	job := shellJob("exit 3", nil)
	job.Stdin = bytes.NewReader(make([]byte, 8<<20))
	exit, err := newRunner(t).Run(t.Context(), job)
	if err != nil || exit.Code != 3 {
		t.Errorf("got %+v, %v", exit, err)
	}
}

func TestRunHandsFilesOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := newRunner(t).Run(t.Context(), shellJob("test -f /dev/stdout && echo a regular file", f)); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "a regular file\n" {
		t.Errorf("got %q", got)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestRunReturnsTheErrorOfAWriter(t *testing.T) {
	exit, err := newRunner(t).Run(t.Context(), shellJob("while echo x; do :; done", brokenWriter{}))
	if !errors.Is(err, errBroken) {
		t.Errorf("got error %v", err)
	}
	if exit == (sandbox.Exit{}) {
		t.Error("the command was not told that nobody reads its output")
	}
}

func TestRunRefuses(t *testing.T) {
	valid := shellJob("true", nil)
	tests := []struct {
		name string
		edit func(*sandbox.Job)
		want string
	}{
		{"no program", func(j *sandbox.Job) { j.Argv = nil }, "absolute path"},
		{"relative program", func(j *sandbox.Job) { j.Argv = []string{"sh"} }, "absolute path"},
		{"relative directory", func(j *sandbox.Job) { j.Dir = "x" }, "absolute path"},
		{"NUL", func(j *sandbox.Job) { j.Argv = []string{"/bin/sh", "-c", "a\x00b"} }, "NUL"},
		{"missing program", func(j *sandbox.Job) { j.Argv = []string{"/nonexistent/sh"} }, "does not exist"},
		{"missing directory", func(j *sandbox.Job) { j.Dir = "/nonexistent" }, "does not exist"},
		{"not executable", func(j *sandbox.Job) { j.Argv = []string{"/etc/passwd"} }, "no permission"},
		{"too long", func(j *sandbox.Job) { j.Argv = append(j.Argv, strings.Repeat("x", 3<<20)) }, "too long"},
	}
	r := newRunner(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			job := valid
			tt.edit(&job)
			_, err := r.Run(t.Context(), job)
			var e *openclaw.Error
			if !errors.As(err, &e) || !strings.Contains(e.Message, tt.want) {
				t.Errorf("got %v, want a message with %q", err, tt.want)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []sandbox.Options{{Grace: -1}, {Grace: time.Second}, {WaitDelay: -1}} {
		if _, err := sandbox.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestStopIsSoftFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &watch{text: "ready", seen: cancel}
	job := shellJob(`trap 'echo saved; exit 9' TERM; echo ready; while :; do sleep 0.01; done`, out)
	exit, err := newRunner(t).Run(ctx, job)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if exit.Code != 9 || !strings.Contains(out.buf.String(), "saved") {
		t.Errorf("exit %+v, output %q", exit, &out.buf)
	}
}

func TestRunOfAnEndedContextStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "made")
	if _, err := newRunner(t).Run(ctx, shellJob("touch "+path, nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the command ran")
	}
}
