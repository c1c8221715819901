package mcp

import (
	"errors"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// olderVersion is the newest version of the protocol that begins with
// initialize. From 2026-07-28 on a client asks server/discover first and falls
// back to initialize when that is refused; but there are servers that leave a
// method they do not know without an answer, or end.
const olderVersion = "2025-11-25"

// greeting is how a server is greeted next.
type greeting struct {
	older bool // begin with initialize
	tries int  // since it last worked
}

// notGreeted is the error of a server that does not answer the greeting.
type notGreeted struct{ error }

func (e notGreeted) Unwrap() error { return e.error }

func (g *greeting) options() *sdk.ClientSessionOptions {
	if g.older {
		return &sdk.ClientSessionOptions{ProtocolVersion: olderVersion}
	}
	return nil
}

// limit returns how long the server may take, out of what it may take at the
// most: the first greeting shall not use all of it up.
func (g *greeting) limit(most time.Duration) time.Duration {
	if g.tries == 0 && !g.older {
		return most / 3
	}
	return most
}

func (g *greeting) worked() { g.tries = 0 }

// other turns to the other greeting if err says that this one got no answer, and
// says whether to try that at once: not when both have been tried.
func (g *greeting) other(err error) bool {
	if _, unanswered := errors.AsType[notGreeted](err); !unanswered {
		return false
	}
	g.older = !g.older
	g.tries++
	return g.tries%2 == 1
}
