package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds every wait: what it ends is a failure.
const patience = time.Minute

// binary is the program under test; TestMain builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(runSuite(m)) }

func runSuite(m *testing.M) int {
	root, err := os.MkdirTemp("", "openclaw-e2e-")
	if err != nil {
		return fail("no directory for the tests", err)
	}
	defer os.RemoveAll(root)
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return fail("no directory for the tests", err)
	}
	binary = filepath.Join(root, "openclaw")
	if err := build(binary); err != nil {
		return fail("cmd/openclaw does not build", err)
	}
	// Every home lies below root, so that what a gateway started is known by
	// its HOME.
	if err := os.Setenv("TMPDIR", root); err != nil {
		return fail("TMPDIR", err)
	}
	code := m.Run()
	for _, p := range leftovers(root) {
		fmt.Fprintf(os.Stderr, "a gateway left a process behind: %s\n", p)
		code = 1
	}
	return code
}

func fail(what string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	return 1
}

// build compiles the program: as it is released, or with the race detector
// where the tests have it.
func build(to string) error {
	args, cgo := []string{"build", "-o", to}, "CGO_ENABLED=0"
	if raceDetector {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "../cmd/openclaw")...)
	cmd.Env = append(os.Environ(), cgo)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
