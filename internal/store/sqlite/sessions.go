package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/openclaw/openclaw-go"
)

// pageSize is the length of a page of Sessions when the caller names none.
const pageSize = 50

// Session describes one session. There being none of that name is
// CodeSessionNotFound.
func (s *Store) Session(ctx context.Context, name string) (openclaw.SessionInfo, error) {
	var info openclaw.SessionInfo
	err := s.read(ctx, func(ctx context.Context, r *reader) (err error) {
		info, _, err = scanSession(r.session.QueryRowContext(ctx, name))
		if errors.Is(err, sql.ErrNoRows) {
			return sessionNotFound(name)
		}
		return err
	})
	return info, err
}

// Sessions lists up to limit sessions (50 for 0), the last updated first and
// among equals the last created, beginning behind after, which is the next of
// the page before or "". An empty next says that there are no more.
//
// A session that is updated while somebody pages through the list moves to its
// front: it may be missing from the later pages, but none comes twice. An after
// that no page returned is CodeInvalidMessage.
func (s *Store) Sessions(ctx context.Context, after string, limit int) (list []openclaw.SessionInfo, next string, err error) {
	from := cursor{math.MaxInt64, math.MaxInt64}
	if after != "" {
		if from, err = parseCursor(after); err != nil {
			return nil, "", err
		}
	}
	if limit <= 0 {
		limit = pageSize
	}
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		// One row more than asked for tells whether there is another page.
		rows, err := r.sessions.QueryContext(ctx, from.updatedAt, from.id, limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last cursor
		for rows.Next() {
			info, at, err := scanSession(rows)
			if err != nil {
				return err
			}
			if len(list) == limit {
				next = last.String()
				break
			}
			list, last = append(list, info), at
		}
		return rows.Err()
	})
	if err != nil {
		return nil, "", err
	}
	return list, next, nil
}

// Count returns the number of sessions.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		return r.count.QueryRowContext(ctx).Scan(&n)
	})
	return n, err
}

// scanSession reads a row of selectSession.
func scanSession(row interface{ Scan(...any) error }) (openclaw.SessionInfo, cursor, error) {
	var info openclaw.SessionInfo
	var at cursor
	var created int64
	err := row.Scan(&at.id, &info.Name, &info.Title, &created, &at.updatedAt, &info.LastSeq, &info.ContextSeq,
		&info.Turns, &info.TokensUsed)
	info.CreatedAt, info.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(at.updatedAt).UTC()
	return info, at, err
}
