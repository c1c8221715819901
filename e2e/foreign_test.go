package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreignChecks are what each program in foreign/clients checks, by the names
// it reports.
var foreignChecks = []string{
	"root path", "ws path", "token in the URL", "token as a header", "wrong token", "no token", "web page",
	"messages of the page", "overlapping chats", "odd envelopes", "other dialects", "large message", "binary message",
	"ping", "compression",
}

// TestForeignClients lets WebSocket clients nobody here wrote talk to the
// gateway.
func TestForeignClients(t *testing.T) {
	t.Parallel()
	clients := filepath.Join("..", "foreign", "clients")
	for name, find := range map[string]func() ([]string, error){
		"node ws": func() ([]string, error) {
			node, err := exec.LookPath("node")
			if err == nil {
				_, err = os.Stat(filepath.Join(clients, "node_modules", "ws", "package.json"))
			}
			if err != nil {
				err = fmt.Errorf("npm ci --prefix foreign/clients installs it: %w", err)
			}
			return []string{node, "ws.mjs"}, err
		},
		"python websockets": func() (command []string, err error) {
			for _, python := range []string{"/usr/bin/python3", "python3"} { // Debian's package is for the first
				if err = exec.Command(python, "-c", "import websockets").Run(); err == nil {
					return []string{python, "websockets_client.py"}, nil
				}
			}
			return nil, fmt.Errorf("apt-get install python3-websockets installs it: %w", err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command, err := find()
			switch {
			case err == nil:
			case os.Getenv("CI_FOREIGN") == "1":
				t.Fatal(err)
			default:
				t.Skip(err)
			}
			open := newHome(t).set("OPENCLAW_GATEWAY_LIMITS_PING_INTERVAL=100ms")
			open.fill("letter.txt")
			open.write("skills/email-assistant/SKILL.md", emailSkill)
			locked := newHome(t).withToken(token)
			checkAll(t, clients, append(command, open.start().url(), locked.start().url(), token))
		})
	}
}

// checkAll runs a program in the directory and turns what it reports into
// subtests.
func checkAll(t *testing.T, dir string, command []string) {
	t.Helper()
	cmd := exec.CommandContext(within(t), command[0], command[1:]...)
	cmd.Dir, cmd.WaitDelay = dir, patience
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(command[:2], " "), err, stderr.String())
	}
	reported := map[string]*string{}
	for line := range bytes.Lines(out) {
		var report struct {
			Check string
			Error *string
		}
		if err := json.Unmarshal(line, &report); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		reported[report.Check] = report.Error
	}
	for _, check := range foreignChecks {
		t.Run(check, func(t *testing.T) {
			problem, made := reported[check]
			if !made {
				t.Error("the check was not made")
			} else if problem != nil {
				t.Error(*problem)
			}
		})
	}
	if len(reported) != len(foreignChecks) {
		t.Errorf("%d checks were made, want %d", len(reported), len(foreignChecks))
	}
}
