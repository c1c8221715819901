package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/openclaw/openclaw-go"
)

// The most that goes into one commit: more would only grow the WAL and the
// wait of whoever came first.
const (
	maxChanges = 256
	maxBytes   = 4 << 20
)

// change is what one call wants written.
type change struct {
	// apply makes the change inside a transaction. It returns an
	// *openclaw.Error before it has written anything, and any other error when
	// a write failed; it may be called again in another transaction.
	apply  func(*writer) error
	size   int // bytes, roughly
	result chan error
	err    error
}

// writer owns the connection that writes. Its goroutine, run, is the only one
// to use it; nobody's context reaches the connection, so no caller can break
// it by giving up.
type writer struct {
	path    string
	changes chan *change
	done    chan struct{}

	db   *sql.DB
	conn *sql.Conn

	begin, commit, rollback       *sql.Stmt
	find, insert, update, event   *sql.Stmt
	remove, pickUp                *sql.Stmt
	spend, moveSpent, removeSpent *sql.Stmt

	prepared []*sql.Stmt // all of them
}

func newWriter(ctx context.Context, db *sql.DB, path string) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		path:    path,
		changes: make(chan *change, maxChanges),
		done:    make(chan struct{}),
		db:      db,
		conn:    conn,
	}
	for stmt, text := range map[**sql.Stmt]string{
		&w.begin:    `BEGIN IMMEDIATE`,
		&w.commit:   `COMMIT`,
		&w.rollback: `ROLLBACK`,
		&w.find: `SELECT id, title, created_at, updated_at, last_seq, context_seq, turns, tokens_used, unfinished, resumes
			FROM sessions WHERE name = ?`,
		&w.insert: `INSERT INTO sessions (title, created_at, updated_at, last_seq, context_seq, turns, tokens_used,
			unfinished, resumes, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&w.update: `UPDATE sessions SET title = ?, created_at = ?, updated_at = ?, last_seq = ?, context_seq = ?, turns = ?,
			tokens_used = ?, unfinished = ?, resumes = ? WHERE id = ?`,
		&w.event: `INSERT INTO events (session_id, seq, time, kind, request_id, idempotency_key, body)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
		&w.spend: addUsage, &w.moveSpent: moveUsage, &w.removeSpent: removeUsage,
		&w.remove: `DELETE FROM sessions WHERE name = ?`,
		&w.pickUp: `UPDATE sessions SET resumes = resumes + 1 WHERE unfinished > 0 RETURNING name, unfinished, resumes`,
	} {
		if *stmt, err = conn.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, w.release())
		}
		w.prepared = append(w.prepared, *stmt)
	}
	return w, nil
}

// release gives the connection back. database/sql closes only what was
// prepared on a pool, and SQLite does not close a connection that has a
// statement left: it would go on holding its files and locks.
func (w *writer) release() error {
	var errs []error
	for _, stmt := range w.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// run commits changes until the channel is closed. While one commit waits for
// the disk the next changes gather, and share the commit that follows.
func (w *writer) run() {
	defer close(w.done)
	for first := range w.changes {
		batch, size := []*change{first}, first.size
	gather:
		for len(batch) < maxChanges && size < maxBytes {
			select {
			case c, ok := <-w.changes:
				if !ok {
					break gather
				}
				batch, size = append(batch, c), size+c.size
			default:
				break gather
			}
		}
		w.commitAll(batch)
	}
}

// commitAll makes the changes of batch in one transaction and reports to each.
// When SQLite fails, every change gets another try alone, so that one that
// cannot be written does not take the others with it.
func (w *writer) commitAll(batch []*change) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for _, c := range batch {
			w.commitAll([]*change{c})
		}
		return
	}
	for _, c := range batch {
		if err != nil {
			c.err = explain(w.path, err)
		}
		c.result <- c.err
	}
}

// transact makes the changes of batch and commits them. A change that is
// refused has its err set and leaves the others alone; an error means that
// nothing of the batch was written.
func (w *writer) transact(batch []*change) error {
	ctx := context.Background()
	if _, err := w.begin.ExecContext(ctx); err != nil {
		return err
	}
	for _, c := range batch {
		c.err = c.apply(w)
		if _, refused := errors.AsType[*openclaw.Error](c.err); c.err != nil && !refused {
			return errors.Join(c.err, w.undo(ctx))
		}
	}
	if _, err := w.commit.ExecContext(ctx); err != nil {
		return errors.Join(err, w.undo(ctx))
	}
	return nil
}

// undo ends a transaction that failed.
func (w *writer) undo(ctx context.Context) error {
	_, err := w.rollback.ExecContext(ctx)
	if resultCode(err) == sqlite3.SQLITE_ERROR {
		// SQLite ends the transaction itself after an error such as a full disk,
		// and then says that there is none.
		return nil
	}
	return err
}

// append adds entries, all of one session.
func (w *writer) append(entries []entry) error {
	ctx := context.Background()
	first := entries[0].Event
	sum, err := w.summary(ctx, first.Session)
	if err != nil {
		return err
	}
	if first.Seq != sum.lastSeq+1 {
		return internal("the session's log has moved on; send the request again",
			fmt.Errorf("session %q is at seq %d, cannot append seq %d", first.Session, sum.lastSeq, first.Seq))
	}
	for _, e := range entries {
		sum.add(e.Event)
	}
	if err := w.save(ctx, sum); err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.appendEvent(ctx, sum.id, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) appendEvent(ctx context.Context, id int64, e entry) error {
	var key any
	if b, ok := e.Body.(openclaw.TurnStarted); ok && b.IdempotencyKey != "" {
		key = b.IdempotencyKey
	}
	_, err := w.event.ExecContext(ctx, id, e.Seq, e.Time.UnixMicro(), string(e.Kind()), e.RequestID, key, e.json)
	if err != nil {
		return err
	}
	return w.charge(e.Time, e.Session, openclaw.Charges(e.Body))
}

// delete removes a session. What it cost stays, without its name.
func (w *writer) delete(session string) error {
	ctx := context.Background()
	result, err := w.remove.ExecContext(ctx, session)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	switch {
	case err != nil:
		return err
	case n == 0:
		return sessionNotFound(session)
	}
	if _, err := w.moveSpent.ExecContext(ctx, session); err != nil {
		return err
	}
	_, err = w.removeSpent.ExecContext(ctx, session)
	return err
}

func (w *writer) resume() ([]openclaw.Unfinished, error) {
	rows, err := w.pickUp.QueryContext(context.Background())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []openclaw.Unfinished
	for rows.Next() {
		var u openclaw.Unfinished
		if err := rows.Scan(&u.Session, &u.Seq, &u.Resumes); err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, rows.Err()
}

// close waits for the changes that are under way, writes the WAL back into the
// database and closes it. No change may be sent any more.
func (w *writer) close() error {
	close(w.changes)
	<-w.done
	_, err := w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	return explain(w.path, errors.Join(err, w.release(), w.db.Close()))
}
