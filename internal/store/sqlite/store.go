// Package sqlite keeps the event log of every conversation in one SQLite file.
//
// The file is the state, and an open Store owns it: a lock file beside it keeps
// every other process out. Inside the Store one goroutine does all the writing,
// over one connection, and commits what many sessions append at the same time
// with a single sync of the disk; reads go over a few connections of their own
// and never wait for it.
//
// What the sessions table says about a session, and the ledger of what was used, are
// derived from the events in the transaction that appends them.
//
// The package neither numbers events nor decides what they mean: the caller
// gives each its seq, and an append that does not continue its session is
// refused. It publishes nothing, makes no backups, and deletes only what Delete
// names.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/openclaw/openclaw-go"
)

// The values of Options.Sync.
const (
	SyncFull   = "full"   // an append that returned survives a power cut
	SyncNormal = "normal" // an append that returned survives a crash of the process
)

// Options say where a store is and how safe it has to be.
type Options struct {
	// Path is the database file. It is created with mode 0600, and the folders
	// above it with mode 0700, where they are missing. SQLite keeps two more
	// files beside it while the store is open (-wal, -shm), and the lock is the
	// file with .lock appended.
	Path string
	// Sync is SyncFull or SyncNormal; "" means SyncFull.
	Sync string
	// Logger hears of migrations, of a recovery after a crash and of a check
	// that was cut short; nil: nobody does.
	Logger *slog.Logger
}

func (o Options) validated() (Options, error) {
	if o.Path == "" {
		return o, errors.New("sqlite: Options.Path is empty")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return o, fmt.Errorf("sqlite: %w", err)
	}
	o.Path = path
	switch o.Sync {
	case "":
		o.Sync = SyncFull
	case SyncFull, SyncNormal:
	default:
		return o, fmt.Errorf("sqlite: Options.Sync is %q; it can be %q or %q", o.Sync, SyncFull, SyncNormal)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Store is an open event log. Its methods are safe for concurrent use; whoever
// opened it closes it.
type Store struct {
	// gate is held for reading by every call in progress, so Close waits for
	// them and no later call gets in.
	gate   sync.RWMutex
	closed bool

	lock   *fileLock
	writer *writer
	reader *reader
}

// Open opens the store at o.Path, creates it where there is none, and brings an
// older schema up to date. It blocks for the time that takes; ctx can cut it
// short.
//
// It fails at once when another process has the store open
// (CodeGatewayBusy), and with a message that names the file and the way out
// when the file is damaged, written by a newer version, no store at all, or
// not writable. It never replaces or repairs a file it cannot use.
//
// Every Open that follows a clean Close checks a file of up to 2 MiB for
// damage; one that follows a crash checks any file, for up to 2 seconds. What
// the check does not reach is found, and reported in the same words, when it
// is read.
func Open(ctx context.Context, o Options) (*Store, error) {
	o, err := o.validated()
	if err != nil {
		return nil, err
	}
	if err := makeDir(filepath.Dir(o.Path)); err != nil {
		return nil, notWritable(o.Path, err)
	}
	lock, err := lockFile(o.Path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, o)
	if err != nil {
		return nil, errors.Join(explain(o.Path, err), lock.release())
	}
	s.lock = lock
	return s, nil
}

func open(ctx context.Context, o Options) (*Store, error) {
	crashed, err := inspect(o.Path)
	if err != nil {
		return nil, err
	}
	db, err := openWriter(o)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(ctx, db, o, crashed); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r, err := newReader(ctx, o.Path)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w, err := newWriter(ctx, db, o.Path)
	if err != nil {
		return nil, errors.Join(err, r.close(), db.Close())
	}
	go w.run()
	return &Store{writer: w, reader: r}, nil
}

// prepareFile makes sure that the file behind db is sound and of this version's
// schema.
func prepareFile(ctx context.Context, db *sql.DB, o Options, crashed bool) error {
	if crashed {
		o.Logger.InfoContext(ctx, "the store was not closed; recovering it", "path", o.Path)
	}
	if err := checkIntegrity(ctx, db, o, crashed, checkTime); err != nil {
		return err
	}
	return migrate(ctx, db, o)
}

// Close waits for the calls in progress, writes the log back into the database
// file and gives up the lock. Every later call fails, but another Close, which
// does nothing.
func (s *Store) Close() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	// The readers go first, or they would keep the writer from emptying the WAL.
	return errors.Join(s.reader.close(), s.writer.close(), s.lock.release())
}

// enter lets a call in; each enter that succeeds is followed by a leave.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.gate.RLock()
	if !s.closed {
		return nil
	}
	s.gate.RUnlock()
	return &openclaw.Error{
		Code:    openclaw.CodeShuttingDown,
		Message: "the store is closed; try again once the gateway runs again",
	}
}

func (s *Store) leave() { s.gate.RUnlock() }
