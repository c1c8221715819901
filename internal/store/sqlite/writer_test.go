package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/openclaw/openclaw-go"
)

func openForTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "openclaw.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func said(session string, seq int64, text string) []openclaw.Event {
	return []openclaw.Event{{Session: session, Seq: seq, Time: time.Unix(1e9, 0), Body: openclaw.TextWritten{Text: text}}}
}

func TestSchemaVersion(t *testing.T) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	newest, err := goose.NumericComponent(names[len(names)-1])
	if err != nil || newest != schemaVersion {
		t.Errorf("the newest migration is %d (%v), schemaVersion %d", newest, err, schemaVersion)
	}
	s := openForTest(t)
	if v, err := version(t.Context(), s.reader.db, ""); err != nil || v != schemaVersion {
		t.Errorf("a new store has schema %d (%v), want %d", v, err, schemaVersion)
	}
}

// batch queues the appends while the writer is held up, so that they come into
// one commit, and returns their errors.
func batch(t *testing.T, s *Store, changes ...func(*writer) error) []error {
	t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	first := &change{apply: func(*writer) error { close(held); <-release; return nil }, result: make(chan error, 1)}
	s.writer.changes <- first
	<-held
	var queued []*change
	for _, apply := range changes {
		c := &change{apply: apply, result: make(chan error, 1)}
		s.writer.changes <- c
		queued = append(queued, c)
	}
	close(release)
	if err := <-first.result; err != nil {
		t.Fatal(err)
	}
	var errs []error
	for _, c := range queued {
		errs = append(errs, <-c.result)
	}
	return errs
}

func appendOf(t *testing.T, events []openclaw.Event) func(*writer) error {
	t.Helper()
	entries, _, err := encode(events)
	if err != nil {
		t.Fatal(err)
	}
	return func(w *writer) error { return w.append(entries) }
}

// One change that fails after it has written something takes nothing with it
// of those that share its commit.
func TestFailureInBatch(t *testing.T) {
	s := openForTest(t)
	broken := errors.New("broken")
	errs := batch(t, s,
		appendOf(t, said("a", 1, "one")),
		func(w *writer) error {
			if err := appendOf(t, said("bad", 1, "half"))(w); err != nil {
				return err
			}
			return broken
		},
		appendOf(t, said("a", 2, "two")),
		appendOf(t, said("a", 2, "again")),
		appendOf(t, said("b", 1, "one")),
	)
	for i, err := range errs {
		bad := i == 1 || i == 3
		if (err != nil) != bad {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if !errors.Is(errs[1], broken) || openclaw.CodeOf(errs[1]) != openclaw.CodeInternal {
		t.Errorf("the cause is lost: %v", errs[1])
	}
	got := map[string]int64{}
	list, _, err := s.Sessions(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		got[info.Name] = info.LastSeq
	}
	if diff := cmp.Diff(map[string]int64{"a": 2, "b": 1}, got); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}

// limitPages makes the disk full for the store: SQLite reports the limit the
// way it reports a disk without space.
func limitPages(t *testing.T, s *Store, more int) {
	t.Helper()
	errs := batch(t, s, func(w *writer) error {
		var pages int
		ctx := context.Background()
		if err := w.conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		_, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages+more))
		return err
	})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
}

func TestDiskFull(t *testing.T) {
	s := openForTest(t)
	if err := s.Append(t.Context(), said("a", 1, "before")); err != nil {
		t.Fatal(err)
	}
	limitPages(t, s, 2)
	large := said("large", 1, strings.Repeat("x", 64<<10))
	err := s.Append(t.Context(), large)
	if e := openclaw.AsError(err); err == nil || e.Code != openclaw.CodeInternal || !strings.Contains(e.Message, "disk is full") {
		t.Errorf("a full disk is reported as %v", err)
	}
	// What still fits is kept, also when it shares a commit with what does not.
	errs := batch(t, s, appendOf(t, said("a", 2, "small")), appendOf(t, large), appendOf(t, said("b", 1, "small")))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("a small append, a large one and another small one on a full disk: %v", errs)
	}
	if _, err := s.Session(t.Context(), "large"); openclaw.CodeOf(err) != openclaw.CodeSessionNotFound {
		t.Errorf("a part of the append is there: %v", err)
	}
	limitPages(t, s, 1000)
	if err := s.Append(t.Context(), large); err != nil {
		t.Errorf("after space was freed: %v", err)
	}
}

// A check that takes too long is given up, said, and leaves the connection
// usable.
func TestCheckIsBounded(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "openclaw.db"), Sync: SyncNormal}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), said("a", 1, strings.Repeat("x", 8<<20))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, within := range []time.Duration{0, 100 * time.Microsecond, time.Millisecond, time.Hour} {
		var log bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		db, err := openWriter(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkIntegrity(t.Context(), db, o, true, within); err != nil {
			t.Errorf("within %v: %v", within, err)
		}
		if said := strings.Contains(log.String(), "too large"); said && within == time.Hour || !said && within == 0 {
			t.Errorf("within %v the log says %q", within, log.String())
		}
		if err := migrate(t.Context(), db, o); err != nil {
			t.Errorf("after a check of %v: %v", within, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	// The caller's own context is another matter.
	db, err := openWriter(o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := checkIntegrity(ended, db, o, true, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(cursor{}.String())
	f.Add(cursor{1_700_000_000_000_000, 42}.String())
	f.Add(cursor{-1, 1 << 62}.String())
	f.Add("AAAA")
	f.Add("gICAgICAgICAgAE")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			if openclaw.CodeOf(err) != openclaw.CodeInvalidMessage {
				t.Errorf("%q: code %s", text, openclaw.CodeOf(err))
			}
			return
		}
		if c.String() != text {
			t.Errorf("%q is read as %v, which is written %q", text, c, c.String())
		}
	})
}
