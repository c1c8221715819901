package sqlite_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// runSQL runs statements on the database file behind the store's back.
func runSQL(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// schema returns the statements that made the tables and indexes of the file.
func schema(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		found[name] = text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// oldStore makes the file that the version of the dump left behind.
func oldStore(t *testing.T, dump string) (path string) {
	t.Helper()
	statements, err := os.ReadFile(filepath.Join("testdata", dump))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "openclaw.db")
	runSQL(t, path, string(statements))
	return path
}

func TestOldStores(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "openclaw.db")
	if err := openStore(t, sqlite.Options{Path: fresh}).Close(); err != nil {
		t.Fatal(err)
	}
	dumps, err := filepath.Glob("testdata/schema*.sql")
	if err != nil || len(dumps) == 0 {
		t.Fatalf("no old stores: %v", err)
	}
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			path := oldStore(t, filepath.Base(dump))
			if err := openStore(t, sqlite.Options{Path: path}).Close(); err != nil {
				t.Fatal(err)
			}
			// A released migration that is edited shows here.
			if diff := cmp.Diff(schema(t, fresh), schema(t, path)); diff != "" {
				t.Errorf("an old store and a new one differ (-new +old):\n%s", diff)
			}
		})
	}
}

func TestOldStoreVersion1(t *testing.T) {
	s := openStore(t, sqlite.Options{Path: oldStore(t, "schema1.sql")})
	ctx := t.Context()

	sessions, _, err := s.Sessions(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms, µs int) time.Time {
		return time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC).
			Add(time.Duration(ms)*time.Millisecond + time.Duration(µs)*time.Microsecond)
	}
	want := []openclaw.SessionInfo{
		{Name: "heartbeat", CreatedAt: at(15002, 500), UpdatedAt: at(19503, 250), LastSeq: 4, Turns: 2, TokensUsed: 10},
		{Name: "work/häuser", Title: `deploy <it> & "see"`, CreatedAt: at(9001, 500), UpdatedAt: at(13502, 250), LastSeq: 4, Turns: 1},
		{Name: "main", Title: "What files are in my home directory?", CreatedAt: at(0, 0), UpdatedAt: at(7501, 250),
			LastSeq: 6, ContextSeq: 6, Turns: 1, TokensUsed: 1250},
	}
	if diff := cmp.Diff(want, sessions); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}

	events, err := s.Events(ctx, "main", openclaw.EventRange{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	usage := &openclaw.Usage{Input: 1200, Output: 50, CacheRead: 1000, CostUSD: 0.0125}
	bodies := []openclaw.Body{
		openclaw.TurnStarted{Source: openclaw.SourceClient, User: "cli", Text: "What files are in my home directory?",
			Options: openclaw.TurnOptions{Model: "offline", Timeout: time.Minute}, IdempotencyKey: "key-1"},
		openclaw.TextWritten{Text: "I'll look.", Step: openclaw.Step{N: 1, Usage: usage,
			Opaque: json.RawMessage(`"c2ln"`), Provider: "anthropic"}},
		openclaw.ToolCalled{CallID: "call-1", Tool: "shell", Args: json.RawMessage(`{"command":"ls ~"}`), Step: openclaw.Step{N: 1}},
	}
	for i, e := range events {
		if diff := cmp.Diff(bodies[i], e.Body); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", e.Seq, diff)
		}
	}

	unfinished, err := s.Unfinished(ctx)
	if diff := cmp.Diff([]openclaw.Unfinished{{Session: "work/häuser", Seq: 1, Resumes: 2}}, unfinished); err != nil || diff != "" {
		t.Errorf("unfinished: %v (-want +got):\n%s", err, diff)
	}
	if seq, err := s.Keyed(ctx, "main", "key-1", at(0, 0)); seq != 1 || err != nil {
		t.Errorf("Keyed: %d, %v; want 1", seq, err)
	}
	used, err := s.Usage(ctx, openclaw.UsageQuery{By: openclaw.UsageByDay})
	sums := []openclaw.UsageLine{{Key: "2026-11-22", Usage: openclaw.Usage{Input: 1260, CostUSD: 0.0125}}}
	if diff := cmp.Diff(sums, used); err != nil || diff != "" {
		t.Errorf("usage: %v (-want +got):\n%s", err, diff)
	}
	err = s.Append(ctx, []openclaw.Event{{Session: "work/häuser", Seq: 5, Time: at(20000, 0), Body: openclaw.TurnCompleted{Text: "deployed"}}})
	if err != nil {
		t.Errorf("going on with an old session: %v", err)
	}
}

// refused opens the file and checks that the error is one to show, says each of
// the words, and that the file is as it was.
func refused(t *testing.T, path string, code openclaw.Code, words ...string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err == nil {
		s.Close()
		t.Fatal("it opened")
	}
	if got := openclaw.CodeOf(err); got != code {
		t.Errorf("code %s, want %s", got, code)
	}
	message := openclaw.AsError(err).Message
	for _, word := range append(words, path) {
		if !strings.Contains(message, word) {
			t.Errorf("the message does not say %q: %s", word, message)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

func TestNewerStore(t *testing.T) {
	path := oldStore(t, "schema1.sql")
	runSQL(t, path, `PRAGMA journal_mode = WAL; INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)`)
	refused(t, path, openclaw.CodeInternal, "newer openclaw", "9000")
}

func TestForeignDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookmarks.db")
	runSQL(t, path, `PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT)`)
	refused(t, path, openclaw.CodeInternal, "not an openclaw store")
}
