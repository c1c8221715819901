// Package crashtest kills gateways and checks that they kept their word.
//
// It holds tests alone. A copy of the test binary runs a whole gateway (store,
// hub, agent, WebSocket) as a process of its own, around a model and a tool
// that are a function of what they are asked. The tests drive it with the
// client, kill it with SIGKILL in the middle of its work, start it again on
// the same files, and compare three accounts of what happened: what clients
// were shown, what the log says, and what the tools really did, which they
// write down outside of the store. What a disk does to the files of a store
// (full, read-only, torn by a power cut) is tried here too.
//
// Each test owns its gateways and their files. The package does not test the
// program in cmd/openclaw, nor the store alone: that has tests of its own.
package crashtest
