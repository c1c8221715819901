package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	driver "modernc.org/sqlite"
)

const (
	// checkedBytes is the size up to which a file is checked at every start:
	// about 6 ms of work.
	checkedBytes = 2 << 20
	// checkTime bounds the check that follows a crash.
	checkTime = 2 * time.Second
)

// makeDir is os.MkdirAll with mode 0700 that survives a power cut: a folder
// whose entry in its parent is not on the disk takes the store with it.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// inspect creates the file at path, private, if there is none, and says
// whether the last process to have it open ended without closing it.
func inspect(path string) (crashed bool, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, notWritable(path, err)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return false, notWritable(path, err)
	}
	wal, err := os.Stat(path + "-wal")
	crashed = err == nil && wal.Size() > 0
	if crashed && info.Size() == 0 {
		// SQLite would throw the WAL away and begin a new database.
		return false, damaged(path, errors.New("the file is empty, but its write-ahead log is not"))
	}
	return crashed, nil
}

// openWriter returns the one connection that writes, as a pool of one.
func openWriter(o Options) (*sql.DB, error) {
	query := url.Values{
		"_busy_timeout": {"5000"}, // for a person who looks with the sqlite3 shell
		"_foreign_keys": {"on"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {o.Sync},
		"_txlock":       {"immediate"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_pragma": {
			"cache_size(-1024)", // KiB
			"journal_size_limit(16777216)",
			"secure_delete(on)", // a deleted conversation is gone from the file too
		},
	}
	if o.Sync == SyncFull {
		// On macOS fsync leaves the data in the drive's cache, which a power cut
		// empties; elsewhere this changes nothing.
		query.Add("_pragma", "fullfsync(on)")
	}
	return openPool(o.Path, query, 1)
}

// openReaders returns a pool of up to n connections that cannot write.
func openReaders(path string, n int) (*sql.DB, error) {
	query := url.Values{
		"mode":          {"ro"},
		"_busy_timeout": {"5000"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_pragma":       {"cache_size(-256)"}, // KiB
	}
	return openPool(path, query, n)
}

func openPool(path string, query url.Values, n int) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	connector, err := driver.NewConnector(name.String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// checkIntegrity returns a damaged error if the structure of the file is not
// sound. It reads the whole file if that was left by a crash or is small, and
// stops looking after the time within.
func checkIntegrity(ctx context.Context, db *sql.DB, o Options, crashed bool, within time.Duration) error {
	info, err := os.Stat(o.Path)
	if err != nil {
		return notWritable(o.Path, err)
	}
	if !crashed && info.Size() > checkedBytes {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var verdict string
	err = db.QueryRowContext(bounded, "PRAGMA quick_check(1)").Scan(&verdict)
	switch {
	case err != nil && bounded.Err() != nil && ctx.Err() == nil:
		o.Logger.WarnContext(ctx, "the store is too large to be checked at start",
			"path", o.Path, "bytes", info.Size(), "within", within)
		return nil
	case err != nil:
		return err
	case verdict != "ok":
		return damaged(o.Path, errors.New(verdict))
	}
	return nil
}
