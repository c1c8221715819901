package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the number of the newest file in migrations.
const schemaVersion = 4

// migrate brings the schema of db up to schemaVersion. A file that is there
// already costs one query: the migration library is started only for a file
// that needs it.
func migrate(ctx context.Context, db *sql.DB, o Options) error {
	found, err := version(ctx, db, o.Path)
	if err != nil || found == schemaVersion {
		return err
	}
	if found > schemaVersion {
		return newer(o.Path, found, schemaVersion)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("sqlite: migrations: %w", err)
	}
	// Nothing here needs to survive a power cut: a commit that the cut takes is
	// gone as a whole, and the next start makes it again. The first append after
	// it syncs them all.
	if _, err := db.ExecContext(ctx, "PRAGMA synchronous = "+SyncNormal); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: migrating %s from schema %d: %w", o.Path, found, err)
	}
	if _, err := db.ExecContext(ctx, "PRAGMA synchronous = "+o.Sync); err != nil {
		return err
	}
	o.Logger.InfoContext(ctx, "the store's schema is up to date", "path", o.Path, "from", found, "to", schemaVersion)
	return nil
}

// version returns the schema version of db: 0 for an empty file. A database
// that something else made is an error.
func version(ctx context.Context, db *sql.DB, path string) (int64, error) {
	var objects, table int
	const look = `SELECT count(*), coalesce(sum(name = 'goose_db_version'), 0) FROM sqlite_schema`
	if err := db.QueryRowContext(ctx, look).Scan(&objects, &table); err != nil {
		return 0, err
	}
	if objects == 0 {
		return 0, nil
	}
	if table == 0 {
		return 0, foreign(path)
	}
	var v int64
	const newest = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	err := db.QueryRowContext(ctx, newest).Scan(&v)
	return v, err
}
