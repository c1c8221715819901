package gateway

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// How guessing is throttled.
const (
	guessesAllowed = 10 // different wrong tokens
	guessWindow    = time.Minute
	firstBlock     = time.Minute // doubled each time
	longestBlock   = time.Hour
	maxGuessers    = 10_000 // addresses remembered at once
)

// guesses counts the different wrong tokens each address has shown. The same
// stale token again is no guess: a forgotten client must not lock its owner
// out.
type guesses struct {
	now  func() time.Time
	mu   sync.Mutex
	from map[netip.Addr]*guesser
}

type guesser struct {
	tokens map[[sha256.Size]byte]time.Time // when each wrong token was first shown
	until  time.Time                       // blocked until then
	block  time.Duration                   // the last block
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, from: map[netip.Addr]*guesser{}}
}

// blocked returns how long nothing from the address is let in.
func (g *guesses) blocked(addr netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if who := g.from[addr]; who != nil {
		return max(who.until.Sub(g.now()), 0)
	}
	return 0
}

// add counts a wrong token.
func (g *guesses) add(addr netip.Addr, token [sha256.Size]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	who := g.from[addr]
	if who == nil {
		g.evict(now)
		who = &guesser{tokens: map[[sha256.Size]byte]time.Time{}}
		g.from[addr] = who
	}
	for t, at := range who.tokens {
		if now.Sub(at) >= guessWindow && t != token {
			delete(who.tokens, t)
		}
	}
	if _, again := who.tokens[token]; again {
		return
	}
	who.tokens[token] = now
	if len(who.tokens) < guessesAllowed {
		return
	}
	if now.Sub(who.until) > longestBlock { // long ago: begin anew
		who.block = 0
	}
	who.block = min(max(2*who.block, firstBlock), longestBlock)
	who.until = now.Add(who.block)
	clear(who.tokens)
}

// evict makes room: addresses with nothing recent go, and if all are recent
// the map is full of one attacker's addresses and any may go.
func (g *guesses) evict(now time.Time) {
	if len(g.from) < maxGuessers {
		return
	}
	for addr, who := range g.from {
		idle := now.After(who.until.Add(longestBlock))
		for _, at := range who.tokens {
			idle = idle && now.Sub(at) >= guessWindow
		}
		if idle {
			delete(g.from, addr)
		}
	}
	for addr := range g.from {
		if len(g.from) <= maxGuessers*7/8 { // many at once, so that few calls have to look at all
			return
		}
		delete(g.from, addr)
	}
}
