package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/openclaw/openclaw-go"
)

// summary is a row of the sessions table: what its events come to. Times are
// microseconds since 1970.
type summary struct {
	id         int64 // 0: not stored yet
	name       string
	title      string
	createdAt  int64
	updatedAt  int64
	lastSeq    int64
	contextSeq int64
	turns      int
	tokensUsed int
	unfinished int64
	resumes    int
}

// add takes in the next event of the session.
func (s *summary) add(e openclaw.Event) {
	at := e.Time.UnixMicro()
	if s.lastSeq == 0 {
		s.createdAt, s.updatedAt = at, at
	}
	// A clock that is set back must not move the session down the list while
	// somebody pages through it.
	s.updatedAt = max(s.updatedAt, at)
	s.lastSeq = e.Seq
	switch b := e.Body.(type) {
	case openclaw.TurnStarted:
		s.turns++
		s.unfinished, s.resumes = e.Seq, 0
		if s.title == "" {
			s.title = title(b.Text)
		}
	case openclaw.Compacted:
		s.contextSeq = e.Seq
	}
	if e.Kind().Ends() {
		s.unfinished, s.resumes = 0, 0
		s.tokensUsed += usage(e.Body).Total()
	}
}

// usage returns what the turn that body ends has used.
func usage(body openclaw.Body) openclaw.Usage {
	switch b := body.(type) {
	case openclaw.TurnCompleted:
		return b.Usage
	case openclaw.TurnFailed:
		return b.Usage
	case openclaw.TurnCancelled:
		return b.Usage
	}
	return openclaw.Usage{}
}

// maxTitle is in runes.
const maxTitle = 80

// title returns the first line of text that is not blank, cut to maxTitle and
// without control characters, which a terminal would obey.
func title(text string) string {
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(line, "\uFFFD"))
		if line = strings.TrimSpace(line); line != "" {
			return strings.TrimSpace(firstRunes(line, maxTitle))
		}
	}
	return ""
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// day is the day of a line in the ledger.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// summary reads the row of a session, inside the writer's transaction; for a
// session that is not there it returns one without events.
func (w *writer) summary(ctx context.Context, name string) (*summary, error) {
	s := &summary{name: name}
	err := w.find.QueryRowContext(ctx, name).Scan(&s.id, &s.title, &s.createdAt, &s.updatedAt, &s.lastSeq,
		&s.contextSeq, &s.turns, &s.tokensUsed, &s.unfinished, &s.resumes)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return s, nil
}

// save writes the row of a session and sets its id if it is new.
func (w *writer) save(ctx context.Context, s *summary) error {
	stmt, key := w.update, any(s.id)
	if s.id == 0 {
		stmt, key = w.insert, any(s.name)
	}
	result, err := stmt.ExecContext(ctx, s.title, s.createdAt, s.updatedAt, s.lastSeq, s.contextSeq, s.turns,
		s.tokensUsed, s.unfinished, s.resumes, key)
	if err == nil && s.id == 0 {
		s.id, err = result.LastInsertId()
	}
	return err
}
