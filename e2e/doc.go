// Package e2e tests the program that people run: it builds cmd/openclaw once,
// starts it as a process with a home of its own, and talks to it over the
// network, with the Go client, with frames written by hand and with WebSocket
// clients nobody here wrote (foreign/clients).
//
// The tests own every process they start, and the suite fails when one of the
// gateways leaves a process behind. What a single package does is tested in
// that package; here is what only the whole program can show: crashes,
// signals, restarts, configuration files, many clients at once. Nothing leaves
// the loopback interface, and no test waits for time to pass.
//
// The package contains no code besides its tests.
package e2e
