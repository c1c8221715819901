-- The event log, what is derived from it per session, and what it cost per day.
-- Times are microseconds since 1970 in UTC.

-- +goose Up
CREATE TABLE sessions (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    title       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    context_seq INTEGER NOT NULL, -- seq of the last compacted event, else 0
    turns       INTEGER NOT NULL,
    tokens_used INTEGER NOT NULL, -- by the turns that ended
    unfinished  INTEGER NOT NULL, -- seq of the turn_started that has no end yet, else 0
    resumes     INTEGER NOT NULL  -- how often that turn was picked up after a stop
) STRICT;

CREATE INDEX sessions_by_update ON sessions (updated_at);
CREATE INDEX sessions_unfinished ON sessions (name) WHERE unfinished > 0;

-- Rows lie in the order of their commit, so a group commit of many sessions
-- writes few pages; the index finds one session's rows among them.
CREATE TABLE events (
    session_id      INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq             INTEGER NOT NULL,
    time            INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    request_id      TEXT    NOT NULL,
    idempotency_key TEXT, -- of a turn_started that has one
    body            TEXT    NOT NULL, -- JSON
    UNIQUE (session_id, seq)
) STRICT;

CREATE INDEX events_by_key ON events (session_id, idempotency_key, seq)
    WHERE idempotency_key IS NOT NULL;

-- Outlives the sessions it sums up: what is deleted was paid for all the same.
CREATE TABLE usage_by_day (
    day      TEXT    PRIMARY KEY, -- 2006-01-02, UTC
    tokens   INTEGER NOT NULL,
    cost_usd REAL    NOT NULL
) STRICT, WITHOUT ROWID;
