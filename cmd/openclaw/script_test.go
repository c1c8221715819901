package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"openclaw": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScript runs the command lines of testdata/script, each script with a
// home directory and a port of its own.
func TestScript(t *testing.T) {
	stranger := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			if err := os.MkdirAll(home, 0o700); err != nil {
				return err
			}
			port, err := freePort()
			if err != nil {
				return err
			}
			env.Setenv("HOME", home)
			env.Setenv("OPENCLAW_PORT", port)
			env.Setenv("PORT", port)
			env.Setenv("STRANGER", "ws"+strings.TrimPrefix(stranger.URL, "http"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise
			env.Defer(func() { killGateway(filepath.Join(home, ".openclaw", "gateway.pid")) })
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      exits,
			"json":       jsonStdout,
			"eventually": eventually,
		},
	})
}

// freePort returns a TCP port that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// killGateway ends a gateway that a failed script left in the background.
func killGateway(pidFile string) {
	if pid, running, err := pidOf(pidFile); err == nil && running && pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
	}
}

// exits CODE PROGRAM ARGS... runs a program that must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// json [KEY VALUE] checks that standard output is one JSON document, and that
// it has a value, as text, at a key such as error.code or sessions.0.turns.
func jsonStdout(ts *testscript.TestScript, neg bool, args []string) {
	var document any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &document); err != nil {
		ts.Fatalf("standard output is not one JSON document: %v", err)
	}
	if len(args) == 0 {
		return
	}
	at := document
	for _, part := range strings.Split(args[0], ".") {
		switch node := at.(type) {
		case map[string]any:
			at = node[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(node) {
				ts.Fatalf("%s: there is no element %s", args[0], part)
			}
			at = node[i]
		default:
			ts.Fatalf("%s: there is no %s", args[0], part)
		}
	}
	if got := fmt.Sprint(at); (got == args[1]) == neg {
		ts.Fatalf("%s is %q", args[0], got)
	}
}

// eventually FILE [TEXT] waits until a file is there and contains the text.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: eventually FILE [TEXT]")
	}
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	deadline := time.Now().Add(time.Minute)
	for range again.C {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || strings.Contains(string(data), args[1])) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: not there after a minute: %q", args[0], args[1:])
		}
	}
}
