-- A store of schema version 1, as that version left it after a stop in the middle
-- of a turn. It is never changed: a new version gets a file of its own.
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
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
CREATE TABLE usage_by_day (
    day      TEXT    PRIMARY KEY, -- 2006-01-02, UTC
    tokens   INTEGER NOT NULL,
    cost_usd REAL    NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO goose_db_version VALUES (1, 0, 1, '2026-11-22 21:23:39');
INSERT INTO goose_db_version VALUES (2, 1, 1, '2026-11-22 21:23:39');
INSERT INTO sessions VALUES (1, 'main', 'What files are in my home directory?', 1795339800000000, 1795339807501250, 6, 6, 1, 1250, 0, 0);
INSERT INTO sessions VALUES (2, 'work/häuser', 'deploy <it> & "see"', 1795339809001500, 1795339813502250, 4, 0, 1, 0, 1, 1);
INSERT INTO sessions VALUES (3, 'heartbeat', '', 1795339815002500, 1795339819503250, 4, 0, 2, 10, 0, 0);
INSERT INTO events VALUES (1, 1, 1795339800000000, 'turn_started', 'msg-001', 'key-1', '{"source":"client","user":"cli","text":"What files are in my home directory?","options":{"model":"offline","timeout":60000000000},"idempotency_key":"key-1"}');
INSERT INTO events VALUES (1, 2, 1795339801500250, 'text', 'msg-001', NULL, '{"text":"I''ll look.","step":{"n":1,"usage":{"input":1200,"output":50,"cache_read":1000,"cache_write":0,"cost_usd":0.0125},"opaque":"c2ln","provider":"anthropic"}}');
INSERT INTO events VALUES (1, 3, 1795339803000500, 'tool_call', 'msg-001', NULL, '{"call_id":"call-1","tool":"shell","args":{"command":"ls ~"},"step":{"n":1}}');
INSERT INTO events VALUES (1, 4, 1795339804500750, 'tool_result', 'msg-001', NULL, '{"call_id":"call-1","tool":"shell","output":"Desktop\nDocuments\n","exit_code":0,"duration_ms":4}');
INSERT INTO events VALUES (1, 5, 1795339806001000, 'turn_completed', 'msg-001', NULL, '{"text":"Desktop and Documents.","usage":{"input":1200,"output":50,"cache_read":1000,"cache_write":0,"cost_usd":0.0125},"model":"offline","duration_ms":20}');
INSERT INTO events VALUES (1, 6, 1795339807501250, 'compacted', 'msg-001', NULL, '{"before_seq":6,"summary":""}');
INSERT INTO events VALUES (2, 1, 1795339809001500, 'turn_started', 'msg-001', NULL, '{"source":"skill","text":"deploy <it> & \"see\"","prompt":"Deploy."}');
INSERT INTO events VALUES (2, 2, 1795339810501750, 'tool_call', 'msg-001', NULL, '{"call_id":"call-2","tool":"shell","args":{"command":"make deploy"},"step":{"n":1}}');
INSERT INTO events VALUES (2, 3, 1795339812002000, 'approval_requested', 'msg-001', NULL, '{"approval_id":"ap-1","call_id":"call-2","tool":"shell","args":{"command":"make deploy"},"reason":"ask","expires_at":"2026-11-22T09:35:09.0015Z"}');
INSERT INTO events VALUES (2, 4, 1795339813502250, 'approval_resolved', 'msg-001', NULL, '{"approval_id":"ap-1","decision":"once","by":"cli"}');
INSERT INTO events VALUES (3, 1, 1795339815002500, 'turn_started', 'msg-001', NULL, '{"source":"heartbeat","text":"","prompt":"Check the tasks."}');
INSERT INTO events VALUES (3, 2, 1795339816502750, 'turn_failed', 'msg-001', NULL, '{"code":"TIMEOUT","message":"too slow","usage":{"input":10,"output":0,"cache_read":0,"cache_write":0,"cost_usd":0}}');
INSERT INTO events VALUES (3, 3, 1795339818003000, 'turn_started', 'msg-001', NULL, '{"source":"heartbeat","text":"","prompt":"Check the tasks."}');
INSERT INTO events VALUES (3, 4, 1795339819503250, 'turn_cancelled', 'msg-001', NULL, '{"by":"cli"}');
INSERT INTO usage_by_day VALUES ('2026-11-22', 1260, 0.0125);
