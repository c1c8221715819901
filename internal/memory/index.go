package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// indexFile is the index beside the files. It can be deleted at any time.
const indexFile = ".index.db"

// indexVersion changes with the schema and with what words makes of a text; an
// index of another version is made anew.
const indexVersion = 3

const schema = `
PRAGMA user_version = 3;
CREATE TABLE files (name TEXT PRIMARY KEY, modified INTEGER NOT NULL, size INTEGER NOT NULL, inode INTEGER NOT NULL,
	settled INTEGER NOT NULL, sum INTEGER NOT NULL, entries INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE entries (id INTEGER PRIMARY KEY, file TEXT NOT NULL, line INTEGER NOT NULL, last INTEGER NOT NULL,
	date TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX entries_by_file ON entries (file, line);
CREATE INDEX entries_by_hash ON entries (hash);
CREATE TABLE vectors (hash BLOB NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, UNIQUE (hash, model)) STRICT;
CREATE INDEX entries_by_date ON entries (date, file, line);
CREATE VIRTUAL TABLE words USING fts5 (terms, content = '', contentless_delete = 1, detail = none,
	tokenize = 'ascii', prefix = '3 4 5');`

// index is the searchable form of the files: an SQLite database that follows
// them. Several processes may use the same one.
type index struct {
	db   *sql.DB
	file os.FileInfo // of the database as it was opened; nil: it is in memory

	matches, newest, total *sql.Stmt
}

// openIndex opens the index of a directory that exists, and makes it where
// there is none, or none that this version can use; damage is what was wrong
// with that one. Where the directory cannot be written to, the index is in
// memory.
func openIndex(ctx context.Context, dir string) (ix *index, damage, err error) {
	path := filepath.Join(dir, indexFile)
	ix, err = openIndexFile(ctx, path)
	if damaged(err) {
		damage = err
		removeIndex(dir)
		ix, err = openIndexFile(ctx, path)
	}
	if err == nil || ctx.Err() != nil || busy(err) {
		return ix, damage, err
	}
	damage = err
	ix, err = openIndexFile(ctx, "")
	return ix, damage, err
}

// removeIndex removes the files of the index: what is derived is better made
// anew than damaged.
func removeIndex(dir string) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(filepath.Join(dir, indexFile) + suffix)
	}
}

// openIndexFile opens the file at path, "" for one in memory.
func openIndexFile(ctx context.Context, path string) (_ *index, err error) {
	options := url.Values{"_pragma": {"busy_timeout(10000)", "synchronous(OFF)", "cache_size(-4000)"}, "_txlock": {"immediate"}}
	ix, name := &index{}, ":memory:"
	if path != "" {
		options.Add("_pragma", "journal_mode(WAL)")
		name = "file:" + (&url.URL{Path: path}).EscapedPath()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		ix.file, err = f.Stat()
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	if ix.db, err = sql.Open("sqlite", name+"?"+options.Encode()); err != nil {
		return nil, err
	}
	ix.db.SetMaxOpenConns(1) // one in memory is one connection's
	if err = ix.prepare(ctx); err != nil {
		return nil, errors.Join(err, ix.close())
	}
	return ix, nil
}

// errOther says that an index is of another version.
var errOther = errors.New("it is of another version")

// prepare makes the schema in a new file, refuses one of another version, and
// compiles what a search asks.
func (ix *index) prepare(ctx context.Context) error {
	tx, err := ix.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	var version, tables int
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version), count(*) FROM sqlite_schema`).Scan(&version, &tables); err != nil {
		return err
	}
	switch {
	case tables == 0:
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
	case version != indexVersion:
		return fmt.Errorf("%w: %d", errOther, version)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for into, query := range map[**sql.Stmt]string{
		&ix.matches: `SELECT coalesce(group_concat(id, ' '), '') FROM (SELECT rowid AS id FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?)`,
		&ix.newest:  selectEntries + ` ORDER BY date DESC, file DESC, line DESC LIMIT ?`,
		&ix.total:   `SELECT coalesce(sum(entries), 0) FROM files`,
	} {
		if *into, err = ix.db.PrepareContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

func (ix *index) close() error {
	for _, stmt := range []*sql.Stmt{ix.matches, ix.newest, ix.total} {
		if stmt != nil {
			_ = stmt.Close() // the database's own error says more
		}
	}
	return ix.db.Close()
}

// current says whether the index is still the one in the directory. Somebody
// may have deleted it, or another process replaced it.
func (ix *index) current(dir string) bool {
	if ix.file == nil {
		return true
	}
	info, err := os.Lstat(filepath.Join(dir, indexFile))
	return err == nil && os.SameFile(info, ix.file)
}

// damaged says whether an error means that the index is of no use any more.
// What is wrong with the machine, such as a full disk, is no such error.
func damaged(err error) bool {
	if errors.Is(err, errOther) {
		return true
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_FORMAT:
		return true
	}
	return false
}

// busy says whether an error means that another process is writing the index.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// stamp tells one state of a file from another.
type stamp struct {
	modified, size, inode int64
	// settled says that the file was older than the tick of any clock when it
	// was read: one that is not may have changed again within the same tick.
	settled bool
	sum     int64 // of its bytes
}

const selectStamps = `SELECT name, modified, size, inode, settled, sum FROM files`

func scanStamp(row interface{ Scan(...any) error }) (name string, s stamp, err error) {
	err = row.Scan(&name, &s.modified, &s.size, &s.inode, &s.settled, &s.sum)
	return name, s, err
}

// stamps returns the files that the index has, by name.
func stamps(ctx context.Context, db *sql.DB) (map[string]stamp, error) {
	rows, err := db.QueryContext(ctx, selectStamps)
	if err != nil {
		return nil, err
	}
	known := map[string]stamp{}
	err = each(rows, func() error {
		name, s, err := scanStamp(rows)
		known[name] = s
		return err
	})
	return known, err
}

// update changes the index, all of it or nothing.
type update struct{ tx *sql.Tx }

// update lets do change the index while nobody else does.
func (ix *index) update(ctx context.Context, do func(*update) error) error {
	tx, err := ix.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := do(&update{tx}); err != nil {
		return err
	}
	return tx.Commit()
}

// known returns what the index knows of a file.
func (u *update) known(ctx context.Context, name string) (s stamp, has bool, err error) {
	_, s, err = scanStamp(u.tx.QueryRowContext(ctx, selectStamps+` WHERE name = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// put takes over a file.
func (u *update) put(ctx context.Context, name string, s stamp, entries []Entry) error {
	_, err := u.tx.ExecContext(ctx, `INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)`,
		name, s.modified, s.size, s.inode, s.settled, s.sum, len(entries))
	if err != nil {
		return err
	}
	return u.takeOver(ctx, name, entries)
}

// stamp notes the times of a file whose bytes are the same.
func (u *update) stamp(ctx context.Context, name string, s stamp) error {
	_, err := u.tx.ExecContext(ctx, `UPDATE files SET modified = ?, size = ?, inode = ?, settled = ? WHERE name = ?`,
		s.modified, s.size, s.inode, s.settled, name)
	return err
}

// drop forgets a file that is gone.
func (u *update) drop(ctx context.Context, name string) error {
	if _, err := u.tx.ExecContext(ctx, `DELETE FROM files WHERE name = ?`, name); err != nil {
		return err
	}
	return u.takeOver(ctx, name, nil)
}

// row is an entry as the index has it.
type row struct {
	id int64
	Entry
}

const selectEntries = `SELECT id, file, line, last, date, source, text FROM entries`

// scanRows reads what selectEntries has found.
func scanRows(rows *sql.Rows, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.File, &r.Line, &r.last, &r.Date, &r.Source, &r.Text); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// takeOver puts entries in the place of those that the index has of a file. It
// touches only what lies between those at the beginning and those at the end
// that have stayed: most edits add something.
func (u *update) takeOver(ctx context.Context, name string, entries []Entry) error {
	rows, err := u.tx.QueryContext(ctx, selectEntries+` WHERE file = ? ORDER BY line, id`, name)
	old, err := scanRows(rows, err)
	if err != nil {
		return err
	}
	head := 0
	for head < min(len(old), len(entries)) && old[head].Entry == entries[head] {
		head++
	}
	tail, shift := 0, 0
	if len(old) > 0 && len(entries) > 0 {
		shift = entries[len(entries)-1].Line - old[len(old)-1].Line
	}
	for tail < min(len(old), len(entries))-head && old[len(old)-1-tail].moved(shift) == entries[len(entries)-1-tail] {
		tail++
	}
	for _, r := range old[head : len(old)-tail] {
		if err := u.remove(ctx, r.id); err != nil {
			return err
		}
	}
	if tail > 0 && shift != 0 {
		_, err := u.tx.ExecContext(ctx, `UPDATE entries SET line = line + ?1, last = last + ?1 WHERE file = ?2 AND line >= ?3`,
			shift, name, old[len(old)-tail].Line)
		if err != nil {
			return err
		}
	}
	return u.insert(ctx, entries[head:len(entries)-tail])
}

func (r row) moved(lines int) Entry {
	e := r.Entry
	e.Line, e.last = e.Line+lines, e.last+lines
	return e
}

func (u *update) remove(ctx context.Context, id int64) error {
	if _, err := u.tx.ExecContext(ctx, `DELETE FROM words WHERE rowid = ?`, id); err != nil {
		return err
	}
	_, err := u.tx.ExecContext(ctx, `DELETE FROM entries WHERE id = ?`, id)
	return err
}

func (u *update) insert(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	entry, err := u.tx.PrepareContext(ctx, `INSERT INTO entries (file, line, last, date, source, text, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer entry.Close()
	terms, err := u.tx.PrepareContext(ctx, `INSERT INTO words (rowid, terms) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer terms.Close()
	for _, e := range entries {
		h := hashOf(e.Text)
		result, err := entry.ExecContext(ctx, e.File, e.Line, e.last, e.Date, e.Source, e.Text, h[:])
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := terms.ExecContext(ctx, id, strings.Join(words(e.Text, true), " ")); err != nil {
			return err
		}
	}
	return nil
}

func (ix *index) count(ctx context.Context) (n int, err error) {
	err = ix.total.QueryRowContext(ctx).Scan(&n)
	return n, err
}

// saying returns the entries that say the same as text, case and the last
// punctuation aside.
func (ix *index) saying(ctx context.Context, text string) ([]row, error) {
	h := hashOf(text)
	rows, err := ix.db.QueryContext(ctx, selectEntries+` WHERE hash = ? ORDER BY file, line`, h[:])
	return scanRows(rows, err)
}

func normal(text string) string {
	return strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(text), " ")), ".!;。！ ")
}

// exists says whether there is something at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
