package sqlite

import (
	"context"
	"time"

	"github.com/openclaw/openclaw-go"
)

// The statements of what has been read. They are rare, so none is kept
// prepared.
const (
	selectUnread = `SELECT name, coalesce(seq, 0), last_seq, updated_at
		FROM sessions LEFT JOIN read_up_to ON session_id = id
		WHERE updated_at >= ? AND last_seq > coalesce(seq, 0) ORDER BY updated_at, id LIMIT ?`
	markRead = `INSERT INTO read_up_to SELECT id, min(?2, last_seq) FROM sessions WHERE name = ?1
		ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)`
)

// Unread lists up to limit sessions that have events nobody has marked as
// read, of those updated since, the last updated last.
func (s *Store) Unread(ctx context.Context, since time.Time, limit int) (list []openclaw.Unread, err error) {
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		rows, err := r.db.QueryContext(ctx, selectUnread, micro(since), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var u openclaw.Unread
			var updated int64
			if err := rows.Scan(&u.Session, &u.After, &u.LastSeq, &updated); err != nil {
				return err
			}
			u.UpdatedAt = fromMicro(updated)
			list = append(list, u)
		}
		return rows.Err()
	})
	return list, err
}

// MarkRead notes that a session has been read up to seq, and returns when that
// is durable. There being no such session is no error.
func (s *Store) MarkRead(ctx context.Context, session string, seq int64) error {
	return s.write(ctx, len(session), func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), markRead, session, seq)
		return err
	})
}
