//go:build !race

package main

// busy is how much longer things may take than promised: the tests of a whole
// repository keep a machine busy.
const busy = 2
