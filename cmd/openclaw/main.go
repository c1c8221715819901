// Command openclaw is a personal AI agent behind a WebSocket gateway, and the
// command line to it.
//
// This package is the only one that knows all the others: it reads flags and
// the configuration, puts the layers together and starts them. Each subcommand
// has a file of its own.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // quiet hours and schedules need zones on machines without any
)

// version is set by the linker in released builds.
var version = "dev"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
