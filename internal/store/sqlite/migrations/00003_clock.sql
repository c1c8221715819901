-- What the clock must not forget: one row for each slot of a job, so that none
-- runs twice, and the jobs themselves. Times are microseconds since 1970 in
-- UTC; 0 is never.

-- +goose Up
CREATE TABLE clock_runs (
    job      TEXT    NOT NULL,
    due      INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    manual   INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    covers   INTEGER NOT NULL, -- earlier slots that were missed
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    result   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    tokens   INTEGER NOT NULL,
    actions  INTEGER NOT NULL,
    response TEXT    NOT NULL,
    PRIMARY KEY (job, due)
) STRICT, WITHOUT ROWID;

CREATE INDEX clock_runs_by_time ON clock_runs (due);
CREATE INDEX clock_runs_open ON clock_runs (job) WHERE state = 'running';

CREATE TABLE cron_jobs (
    name       TEXT    PRIMARY KEY,
    definition TEXT    NOT NULL, -- JSON; of jobs from the configuration what they were last
    added      INTEGER NOT NULL, -- by hand
    paused     INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
