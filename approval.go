package openclaw

import (
	"context"
	"time"
)

// Action is what a tool call comes to: what rules look at, what a person is
// asked to approve, and then exactly what runs.
type Action struct {
	Argv []string // the program and its arguments; nil: none is started
	Dir  string   // where it starts; absolute
	// Env are the variables, as NAME=value, that this call gets and others do
	// not.
	Env    []string
	Needs  Needs  // beyond the sandbox
	Reason string // why it needs that, as the model says; untrusted
}

// Needs is what a call needs beyond what the sandbox gives every call. The
// zero value needs nothing.
type Needs struct {
	Network    bool
	Unconfined bool     // no sandbox at all
	Read       []string // files and folders, absolute and without symbolic links
	Write      []string // likewise
}

// None says whether nothing is needed.
func (n Needs) None() bool {
	return !n.Network && !n.Unconfined && len(n.Read)+len(n.Write) == 0
}

// Strings returns what is needed as people read it: "network", "unconfined",
// "read /a", "write /b".
func (n Needs) Strings() (list []string) {
	if n.Network {
		list = append(list, "network")
	}
	if n.Unconfined {
		list = append(list, "unconfined")
	}
	for _, path := range n.Read {
		list = append(list, "read "+path)
	}
	for _, path := range n.Write {
		list = append(list, "write "+path)
	}
	return list
}

// The decisions about an approval.
const (
	DecideOnce    = "once"    // this call
	DecideSession = "session" // this action, until the conversation is reset or deleted
	DecideAlways  = "always"  // this action, until that is revoked
	DecideDeny    = "deny"
)

// Who decided about an approval. All but ByClient stand for DecideDeny.
const (
	ByClient   = "client"
	ByTimeout  = "timeout"  // nobody answered in time
	ByNobody   = "nobody"   // nobody was there who could have
	ByEnd      = "end"      // the turn ended first
	ByShutdown = "shutdown" // the gateway stopped first
)

// Asker puts questions about calls to people.
type Asker interface {
	// Ask fills in the question's ApprovalID and ExpiresAt, shows it to whoever
	// may answer and blocks until the question is resolved: by an answer, by
	// the time limit, at once if nobody is there. When ctx ends the question is
	// withdrawn and Ask returns ctx's cause.
	Ask(ctx context.Context, question ApprovalRequested, within time.Duration) (ApprovalResolved, error)
}
