package ollama

import (
	"slices"

	"github.com/openclaw/openclaw-go"
)

// The context a model is given, in tokens. The server's own default (4096) is
// less than a conversation with tools, and it would cut what does not fit
// without a word; all that the model was made for would cost memory that this
// machine may not have.
const (
	smallestWindow = 8192
	usualWindow    = 32_768 // the most that is taken unasked
	tokenBytes     = 3      // rather too few bytes for a token than too many
)

// largest returns the most context a model is given: what the configuration
// says, what its Modelfile asks for, or what it was made for, up to a bound. 0
// is not known. The caller holds the lock.
func (a *Adapter) largest(model string) int {
	i := slices.IndexFunc(a.given, func(m openclaw.ModelInfo) bool { return m.ID == model })
	if i >= 0 && a.given[i].ContextWindow > 0 {
		return a.given[i].ContextWindow
	}
	t := a.known[model]
	switch {
	case t == nil || !t.asked:
		return 0
	case t.chosen > 0:
		return t.chosen
	case t.length > 0:
		return min(t.length, usualWindow)
	}
	return smallestWindow
}

// window returns the context for a request of a size and an answer of some
// tokens. It grows by doubling and never shrinks, since the server loads a
// model anew, and forgets its cache, whenever it changes.
func (a *Adapter) window(model string, bytes, answer int) int {
	size := 0
	a.update(model, func(t *traits) {
		most := a.largest(model)
		if most == 0 {
			most = usualWindow
		}
		size = max(t.given, smallestWindow)
		for size < bytes/tokenBytes+answer && size < most {
			size *= 2
		}
		size = min(size, most)
		t.given = size
	})
	return size
}
