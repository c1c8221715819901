// Command bench prints one table of what the gateway costs: how long it takes
// to start, what it needs when idle, what a request and a turn add.
//
// It builds the released binary and measures that as a process; what needs a
// model that answers at once, or something to compare with, runs in a copy of
// this program as a process of its own. It asserts nothing: machines differ
// and are shared, so compare the rows of one run with each other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	serve := flag.String("serve", "", "serve `what` (echo or scripted) and print the address; used by the program itself")
	durable := flag.String("sync", "full", "of the scripted gateway's store: full or normal")
	binary := flag.String("binary", "", "measure this binary; default: build one")
	only := flag.String("only", "", "print the rows of this `step` alone: "+stepNames())
	flag.Parse()
	var err error
	switch *serve {
	case "":
		err = measure(*binary, *only)
	case "echo":
		err = serveEcho(os.Stdout)
	case "scripted":
		err = serveScripted(os.Stdout, *durable)
	default:
		err = errors.New("-serve takes echo or scripted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ what, figure, beside string }

// step is a measurement: binary is what it measures, dir is its to use.
type step struct {
	name    string
	measure func(ctx context.Context, binary, dir string) ([]row, error)
}

var steps = []step{
	{"start", startAndIdle}, {"requests", requests}, {"connections", connections}, {"prompt", prompt}, {"turns", turns},
	{"sessions", sessions}, {"followers", followers}, {"memory", remembers}, {"attacks", attacked},
}

func stepNames() string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

// measure runs every measurement, or only one, and prints the table.
func measure(binary, only string) error {
	dir, err := os.MkdirTemp("", "openclaw-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "openclaw")
		if err := build(binary); err != nil {
			return err
		}
	}
	var rows []row
	for _, step := range steps {
		if only != "" && only != step.name {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		more, err := step.measure(ctx, binary, dir)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		rows = append(rows, more...)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tfigure\tbeside")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.what, r.figure, r.beside)
	}
	return w.Flush()
}

// build makes the released form of the binary.
func build(path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/openclaw")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
