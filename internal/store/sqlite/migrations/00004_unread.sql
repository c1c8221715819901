-- How far each conversation has been looked through for facts to remember.

-- +goose Up
CREATE TABLE read_up_to (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL
) STRICT;

-- What was said before there was this is left alone.
INSERT INTO read_up_to SELECT id, last_seq FROM sessions;
