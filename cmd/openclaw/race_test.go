//go:build race

package main

// busy is how much longer things may take than promised: the race detector
// slows everything down.
const busy = 5
