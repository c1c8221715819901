package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/openclaw/openclaw-go"
)

// readers is the most reads at one time; a further one waits.
const readers = 4

// reader owns the connections that read. A read gets its connection under the
// caller's context but runs to its end without: reads are short, and
// interrupting one costs more than letting it finish.
type reader struct {
	path string
	db   *sql.DB
	free chan struct{} // holds a token per read in progress

	events, newest, keyed, session, sessions, count *sql.Stmt
}

const (
	selectEvents = `SELECT seq, time, kind, request_id, body FROM events
		WHERE session_id = (SELECT id FROM sessions WHERE name = ?) AND seq > ? AND seq < ?`
	selectSession = `SELECT id, name, title, created_at, updated_at, last_seq, context_seq, turns, tokens_used FROM sessions`
)

func newReader(ctx context.Context, path string) (*reader, error) {
	db, err := openReaders(path, readers)
	if err != nil {
		return nil, err
	}
	r := &reader{path: path, db: db, free: make(chan struct{}, readers)}
	for stmt, text := range map[**sql.Stmt]string{
		&r.events: selectEvents + ` ORDER BY seq LIMIT ?`,
		&r.newest: selectEvents + ` ORDER BY seq DESC LIMIT ?`,
		&r.keyed: `SELECT seq FROM events WHERE session_id = (SELECT id FROM sessions WHERE name = ?)
			AND idempotency_key = ? AND time >= ? ORDER BY seq DESC LIMIT 1`,
		&r.session:  selectSession + ` WHERE name = ?`,
		&r.sessions: selectSession + ` WHERE (updated_at, id) < (?, ?) ORDER BY updated_at DESC, id DESC LIMIT ?`,
		&r.count:    `SELECT count(*) FROM sessions`,
	} {
		if *stmt, err = db.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return r, nil
}

func (r *reader) close() error { return r.db.Close() }

// read runs do with a connection to spare.
func (s *Store) read(ctx context.Context, do func(context.Context, *reader) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	select {
	case s.reader.free <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.reader.free }()
	return explain(s.reader.path, do(context.WithoutCancel(ctx), s.reader))
}

// Events returns the events of a session that r selects, oldest first; none,
// and no error, for a session that is not there. Without Limit and Bytes all of
// them are in memory at once.
func (s *Store) Events(ctx context.Context, session string, r openclaw.EventRange) ([]openclaw.Event, error) {
	before, limit := r.Before, r.Limit
	if before == 0 {
		before = math.MaxInt64
	}
	if limit <= 0 {
		limit = -1
	}
	var list []openclaw.Event
	err := s.read(ctx, func(whole context.Context, rd *reader) (err error) {
		stmt := rd.events
		if r.Newest {
			stmt = rd.newest
		}
		rows, err := stmt.QueryContext(whole, session, r.After, before, limit)
		if err != nil {
			return err
		}
		list, err = scanEvents(ctx, rows, session, r.Bytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.Newest {
		slices.Reverse(list)
	}
	return list, nil
}

// scanEvents reads rows to their end, until ctx ends or, if most is not 0, until
// there are most bytes of them, and closes them.
func scanEvents(ctx context.Context, rows *sql.Rows, session string, most int) ([]openclaw.Event, error) {
	defer rows.Close()
	var list []openclaw.Event
	size := 0
	var body sql.RawBytes
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e := openclaw.Event{Session: session}
		var at int64
		var kind openclaw.Kind
		if err := rows.Scan(&e.Seq, &at, &kind, &e.RequestID, &body); err != nil {
			return nil, err
		}
		if size += len(body); most > 0 && size > most && len(list) > 0 {
			return list, nil
		}
		e.Time = time.UnixMicro(at).UTC()
		var err error
		if e.Body, err = openclaw.DecodeBody(kind, body); err != nil {
			return nil, internal("the session holds an event that this version cannot read; install the newest openclaw",
				fmt.Errorf("session %q seq %d: %w", session, e.Seq, err))
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// Keyed returns the seq of the newest turn_started of the session that has the
// idempotency key and is not older than since; 0: there is none.
func (s *Store) Keyed(ctx context.Context, session, key string, since time.Time) (seq int64, err error) {
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		err := r.keyed.QueryRowContext(ctx, session, key, since.UnixMicro()).Scan(&seq)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return seq, err
}
