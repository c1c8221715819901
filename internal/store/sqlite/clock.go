package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/openclaw/openclaw-go"
)

// keepRuns is how many runs of a job are kept.
const keepRuns = 1000

// The statements of the clock. They are rare, so none is kept prepared.
const (
	recordRun = `INSERT INTO clock_runs (job, due, state, manual, attempt, covers, started, ended, result, reason, tokens, actions, response)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (job, due) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, started = excluded.started,
			ended = excluded.ended, result = excluded.result, reason = excluded.reason, tokens = excluded.tokens,
			actions = excluded.actions, response = excluded.response`
	pruneRuns = `DELETE FROM clock_runs WHERE job = ?1 AND state != 'running' AND due <
		(SELECT due FROM clock_runs WHERE job = ?1 ORDER BY due DESC LIMIT 1 OFFSET ?2)`
	selectRuns = `SELECT job, due, state, manual, attempt, covers, started, ended, result, reason, tokens, actions, response
		FROM clock_runs WHERE job GLOB ? ORDER BY due DESC, job LIMIT ?`
	saveJob = `INSERT INTO cron_jobs (name, definition, added, paused, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, added = excluded.added,
			paused = excluded.paused, created = excluded.created`
	removeJob  = `DELETE FROM cron_jobs WHERE name = ?`
	selectJobs = `SELECT name, definition, added, paused, created FROM cron_jobs ORDER BY name`
)

// Record keeps runs, all or none, each in the place of the one of the same job
// and time, and returns when they are durable. Of each job the newest 1,000
// are kept.
func (s *Store) Record(ctx context.Context, runs ...openclaw.Run) error {
	return s.write(ctx, 200*len(runs), func(w *writer) error {
		for _, r := range runs {
			_, err := w.conn.ExecContext(context.Background(), recordRun, r.Job, r.Due.UnixMicro(), string(r.State), r.Manual,
				r.Attempt, r.Covers, micro(r.Started), micro(r.Ended), r.Result, r.Reason, r.Tokens, r.Actions, r.Response)
			if err != nil {
				return err
			}
			if _, err := w.conn.ExecContext(context.Background(), pruneRuns, r.Job, keepRuns-1); err != nil {
				return err
			}
		}
		return nil
	})
}

// Runs returns the newest runs, the latest first, of the jobs whose name
// matches pattern, in which * stands for anything.
func (s *Store) Runs(ctx context.Context, pattern string, limit int) (list []openclaw.Run, err error) {
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		rows, err := r.db.QueryContext(ctx, selectRuns, pattern, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			run, err := scanRun(rows)
			if err != nil {
				return err
			}
			list = append(list, run)
		}
		return rows.Err()
	})
	return list, err
}

func scanRun(rows *sql.Rows) (r openclaw.Run, err error) {
	var due, started, ended int64
	err = rows.Scan(&r.Job, &due, &r.State, &r.Manual, &r.Attempt, &r.Covers, &started, &ended, &r.Result, &r.Reason,
		&r.Tokens, &r.Actions, &r.Response)
	r.Due, r.Started, r.Ended = fromMicro(due), fromMicro(started), fromMicro(ended)
	return r, err
}

// SaveJob keeps a job in the place of the one of the same name.
func (s *Store) SaveJob(ctx context.Context, job openclaw.StoredJob) error {
	definition, err := json.Marshal(job.CronJob)
	if err != nil {
		return internal("the job cannot be kept; the gateway's log has the details", err)
	}
	return s.write(ctx, len(definition), func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), saveJob, job.Name, string(definition), job.Added, job.Paused, micro(job.Created))
		return err
	})
}

// RemoveJob forgets a job; its runs are kept. There being none is no error.
func (s *Store) RemoveJob(ctx context.Context, name string) error {
	return s.write(ctx, len(name), func(w *writer) error {
		_, err := w.conn.ExecContext(context.Background(), removeJob, name)
		return err
	})
}

// Jobs returns the jobs, sorted by name.
func (s *Store) Jobs(ctx context.Context) (list []openclaw.StoredJob, err error) {
	err = s.read(ctx, func(ctx context.Context, r *reader) error {
		rows, err := r.db.QueryContext(ctx, selectJobs)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var job openclaw.StoredJob
			var name, definition string
			var created int64
			if err := rows.Scan(&name, &definition, &job.Added, &job.Paused, &created); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(definition), &job.CronJob); err != nil {
				return internal("the job "+name+" cannot be read; remove it and add it again", err)
			}
			job.Name, job.Created = name, fromMicro(created)
			list = append(list, job)
		}
		return rows.Err()
	})
	return list, err
}

// micro and fromMicro keep the zero time zero.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
