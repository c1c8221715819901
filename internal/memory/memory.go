// Package memory keeps what the agent is to know for longer than one
// conversation, as Markdown files that a person may read and edit.
//
// The *.md files of one directory are the truth. A Store writes to one of
// them, MEMORY.md, one bullet for each fact, and searches all of them through a
// full-text index beside them. The index is derived: it follows every edit, and
// can be deleted or be damaged at any time. Several processes may use the same
// directory.
//
// The package does not decide what is worth remembering, does not put anything
// into a prompt, and keeps no secrets: text that looks like one is refused.
package memory

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go"
)

// Options are what a Store starts from.
type Options struct {
	// Path is the directory of the files, required. It is made when the first
	// fact is saved.
	Path string
	Now  func() time.Time // the clock; nil: time.Now
	// Recheck is how long Count may answer from what was seen before; 0: it
	// looks at the files each time. A gateway counts for each status.
	Recheck time.Duration
	Logger  *slog.Logger // nil: discards
}

// Store is the memory in one directory. It starts no goroutine. Safe for
// concurrent use. Close it.
type Store struct {
	path    string
	now     func() time.Time
	recheck time.Duration
	logger  *slog.Logger

	busy    chan struct{} // full while somebody uses what follows; see lock
	index   *index        // derived from the files; nil: to be opened
	locked  bool          // the directory is this store's alone
	closed  bool
	counted int             // entries, when they were last looked at
	looked  time.Time       // when the files were last looked at; zero: they have changed since
	last    atomic.Int64    // counted, for those who do not wait
	told    map[string]bool // of which the log knows
	vectors vectors
}

// New returns a Store on the directory o.Path. It does not touch the disk.
func New(o Options) (*Store, error) {
	if o.Path == "" {
		return nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "memory has no directory; set memory.path"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{path: o.Path, now: o.Now, recheck: o.Recheck, logger: o.Logger, busy: make(chan struct{}, 1)}, nil
}

// Close closes the index. Every later call fails.
func (s *Store) Close() error {
	_ = s.lock(context.Background()) // which never ends
	defer s.unlock()
	s.closed = true
	return s.closeIndex()
}

// lock waits for what others do with the store, such as making the index of
// many files, until ctx ends.
func (s *Store) lock(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) unlock() { <-s.busy }

func (s *Store) closeIndex() error {
	if s.index == nil {
		return nil
	}
	err := s.index.close()
	s.index = nil
	return err
}

var errClosed = &openclaw.Error{Code: openclaw.CodeShuttingDown, Message: "the memory is closed; try again when the gateway runs again"}

// Counted returns how many entries there were when they were last looked at,
// without waiting for anything; recent says that Count would say the same, or
// would have to wait for somebody else.
func (s *Store) Counted() (n int, recent bool) {
	select {
	case s.busy <- struct{}{}:
		defer s.unlock()
		s.last.Store(int64(s.counted))
		return s.counted, s.fresh()
	default:
		return int(s.last.Load()), true
	}
}

// fresh says whether the files were looked at a moment ago.
func (s *Store) fresh() bool { return !s.looked.IsZero() && time.Since(s.looked) < s.recheck }

// Count returns how many entries there are. An entry is a bullet or a
// paragraph of any file.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.unlock()
	if s.fresh() {
		return s.counted, nil
	}
	err = s.with(ctx, func(*index) error { return nil })
	return s.counted, err
}

// Search returns the entries that have words of the query in them, the best
// first and of equals the newest; a query without words returns the newest. A
// word also matches its other forms (plan, plans, planned). With an Embedder,
// entries of a like meaning are found too. A limit below 1 means 10, and there
// are never more than 100.
func (s *Store) Search(ctx context.Context, query string, limit int) ([]Entry, error) {
	hits, err := s.hits(ctx, query, query, limit)
	found := make([]Entry, len(hits))
	for i, h := range hits {
		found[i] = h.Entry
	}
	return found, err
}

// hits searches for the words of a query, and for what a sentence means.
func (s *Store) hits(ctx context.Context, query, sentence string, limit int) (found []hit, err error) {
	if limit < 1 {
		limit = 10
	}
	limit = min(limit, candidates)
	meaning := s.vectorOf(ctx, sentence)
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	err = s.with(ctx, func(ix *index) (err error) {
		if meaning == nil {
			found, err = ix.search(ctx, query, limit, s.counted)
		} else {
			found, err = s.fused(ctx, ix, query, meaning, limit)
		}
		return err
	})
	return found, err
}

// Saying returns the entries that say text, case and the last punctuation
// aside: those that Forget would remove.
func (s *Store) Saying(ctx context.Context, text string) (found []Entry, err error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	err = s.with(ctx, func(ix *index) error {
		rows, err := ix.saying(ctx, withoutDate(clean(text)))
		found = found[:0]
		for _, r := range rows {
			found = append(found, r.Entry)
		}
		return err
	})
	return found, err
}

// At returns the entry that stands on a line of a file. There being none is
// an *openclaw.Error with CodeInvalidMessage.
func (s *Store) At(ctx context.Context, file string, line int) (found Entry, err error) {
	if err := s.lock(ctx); err != nil {
		return found, err
	}
	defer s.unlock()
	err = s.with(ctx, func(ix *index) error {
		rows, err := ix.db.QueryContext(ctx, selectEntries+` WHERE file = ? AND line <= ? AND last >= ?`, file, line, line)
		list, err := scanRows(rows, err)
		if len(list) > 0 {
			found = list[0].Entry
		}
		return err
	})
	if err == nil && found.Text == "" {
		err = &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf("nothing is remembered on line %d of %s", line, file)}
	}
	return found, err
}

// String returns the entry as a line: its date, if it has one, and its text,
// cut to MaxFact.
func (e Entry) String() string { return strings.TrimSpace(e.Date + " " + cutTo(e.Text, MaxFact)) }

// cutTo cuts a text to so many bytes, between two characters.
func cutTo(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

func failed(message string, err error) error {
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: err}
}
