package main

import (
	"os"
	"os/signal"
	"syscall"
)

// interrupts delivers the signals that ask a program to end in place of the
// system's reaction to them, until stop is called. SIGHUP stays ignored where
// it was, as under nohup.
func interrupts() (signals <-chan os.Signal, stop func()) {
	ch := make(chan os.Signal, 2)
	wanted := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		wanted = append(wanted, syscall.SIGHUP)
	}
	signal.Notify(ch, wanted...)
	return ch, func() { signal.Stop(ch) }
}
