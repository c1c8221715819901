// Package distil looks through conversations that have become quiet for what
// the agent should remember, and saves it.
//
// It reads what people wrote themselves and nothing else: no answer of the
// model, no tool's result, no page, so that none of these can put anything into
// the memory. A model proposes facts; what the words of a message do not
// support is dropped, and each fact is saved with who said it, when and where.
//
// The package owns no state beyond the attempts that failed. How far each
// conversation has been read is in the Store. It decides nothing about what
// turns remember by their own tools.
package distil

import (
	"context"
	"errors"
	"log/slog"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// Store keeps the conversations; sqlite.Store does.
type Store interface {
	Unread(ctx context.Context, since time.Time, limit int) ([]openclaw.Unread, error)
	MarkRead(ctx context.Context, session string, seq int64) error
	Events(ctx context.Context, session string, r openclaw.EventRange) ([]openclaw.Event, error)
	Charge(ctx context.Context, session string, at time.Time, charges []openclaw.Charge) error
}

// Memory keeps the facts.
type Memory interface {
	// Save reports whether the fact was new. It refuses secrets.
	Save(ctx context.Context, text, source string) (saved bool, err error)
	Find(ctx context.Context, query string, limit int) ([]string, error)
	// Supported says which part of a fact's words a text has, from 0 to 1.
	Supported(fact, text string) float64
	// Secret says whether a text seems to hold a password or the like.
	Secret(text string) bool
}

// Config is what a Distiller is made of.
type Config struct {
	Store Store // required
	// Means returns what there is to distil with now. Where it says false,
	// nothing is distilled, and what has been said by then never will be.
	// Required.
	Means func() (Means, bool)
	// Busy says whether turns are running: they go first. Required.
	Busy   func() bool
	Logger *slog.Logger     // default: discards
	Now    func() time.Time // default: time.Now
}

// Means are a memory and the models.
type Means struct {
	Memory Memory
	Models agent.Config // System, Tools, Limits and MaxTokens are set here
}

const (
	// quiet is how long nobody has said anything in a conversation that is
	// over for now.
	quiet = time.Minute
	// lookEvery is how often conversations are looked at.
	lookEvery = 10 * time.Second
	// yieldWithin is how soon a model call is given up for somebody's turn.
	yieldWithin = 50 * time.Millisecond
	// callTime bounds a model call.
	callTime = 2 * time.Minute
	// oldest is the age at which a conversation is not distilled any more.
	oldest = 24 * time.Hour
	// maxFailures is how often a conversation is tried.
	maxFailures = 3
	// again is how long a conversation waits after its first failure; twice
	// that after its second.
	again = 5 * time.Minute
	// unaffordable is how long it waits when the budget is used up.
	unaffordable = time.Hour
)

// Distiller looks through conversations. Run is its goroutine.
type Distiller struct {
	config Config
	failed map[string]failure // by session
}

// failure is what came of the attempts on a conversation.
type failure struct {
	times int
	next  time.Time
}

// New checks the configuration.
func New(config Config) (*Distiller, error) {
	if config.Store == nil || config.Means == nil || config.Busy == nil {
		return nil, errors.New("distil: Config.Store, Means and Busy are required")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Distiller{config: config, failed: map[string]failure{}}, nil
}

// Run distils until ctx ends.
func (d *Distiller) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		if err := d.Look(ctx); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("conversations not looked through for facts", "err", err)
		}
	}
}

// mostSessions is how many conversations are looked at at a time.
const mostSessions = 100

// Look distils the conversations that are quiet now, one after the other, as
// long as nobody's turn runs.
func (d *Distiller) Look(ctx context.Context) error {
	now := d.config.Now()
	unread, err := d.config.Store.Unread(ctx, now.Add(-oldest), mostSessions)
	if err != nil {
		return err
	}
	means, able := d.config.Means()
	for _, u := range unread {
		if d.config.Busy() {
			return nil
		}
		switch {
		case !able:
			err = d.config.Store.MarkRead(ctx, u.Session, u.LastSeq)
		case now.Sub(u.UpdatedAt) >= quiet && !now.Before(d.failed[u.Session].next):
			err = d.distil(ctx, means, u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errYield ends a model call that is in the way of somebody's turn.
var errYield = errors.New("a turn goes first")

// distil looks through one conversation. Only the store's failure is an error.
func (d *Distiller) distil(ctx context.Context, means Means, u openclaw.Unread) error {
	said, upTo, err := d.read(ctx, u, means.Memory.Secret)
	if err != nil || upTo == 0 {
		return err
	}
	if worthwhile(said) {
		n, err := d.remember(ctx, means, u.Session, said)
		log := d.config.Logger.With("session", u.Session)
		switch {
		case ctx.Err() != nil, errors.Is(err, errYield):
			return nil // it comes again
		case err != nil && d.fail(u.Session, err):
			log.Warn("facts not distilled, it is tried again", "err", err)
			return nil
		case err != nil:
			log.Warn("facts not distilled, it is given up", "err", err)
		case n > 0:
			log.Info("facts distilled", "saved", n)
		}
	}
	delete(d.failed, u.Session)
	return d.config.Store.MarkRead(ctx, u.Session, upTo)
}

// fail notes a failure and says whether to try again.
func (d *Distiller) fail(session string, err error) bool {
	now := d.config.Now()
	for name, f := range d.failed { // of conversations that are gone
		if now.Sub(f.next) > oldest {
			delete(d.failed, name)
		}
	}
	f := d.failed[session]
	if openclaw.CodeOf(err) == openclaw.CodeBudgetExceeded {
		f.next = now.Add(unaffordable)
		d.failed[session] = f
		return true
	}
	f.times++
	f.next = now.Add(time.Duration(f.times) * again)
	d.failed[session] = f
	return f.times < maxFailures
}
