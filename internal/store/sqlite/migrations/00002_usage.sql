-- The ledger: what each model used in each session on each day. It outlives the
-- sessions, whose rows then move to the session without a name: what is deleted
-- was paid for all the same.

-- +goose Up
CREATE TABLE usage (
    day         TEXT    NOT NULL, -- 2006-01-02, UTC
    session     TEXT    NOT NULL, -- '': turns that left nothing, and deleted sessions
    model       TEXT    NOT NULL, -- provider/model; '': not written down
    heartbeat   INTEGER NOT NULL, -- 1: of a heartbeat
    calls       INTEGER NOT NULL,
    input       INTEGER NOT NULL,
    output      INTEGER NOT NULL,
    cache_read  INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cost_usd    REAL    NOT NULL,
    unpriced    INTEGER NOT NULL, -- tokens without a known price
    PRIMARY KEY (day, session, model, heartbeat)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_by_session ON usage (session);

-- Of the time before there are only sums.
INSERT INTO usage SELECT day, '', '', 0, 0, tokens, 0, 0, 0, cost_usd, 0 FROM usage_by_day;

DROP TABLE usage_by_day;
