package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/openclaw/openclaw-go"
)

// explain turns what SQLite says about the file at path into an error that
// says what to do about it. An *openclaw.Error and a context's own error stay
// what they are.
func explain(path string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*openclaw.Error](err); ok {
		return err
	}
	switch resultCode(err) {
	case sqlite3.SQLITE_FULL:
		return internal("disk is full: free some space where "+path+" is kept, then try again", err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return notWritable(path, err)
	case sqlite3.SQLITE_IOERR:
		return internal("the disk failed while "+path+
			" was read or written; see whether it is full or broken (dmesg, df), then start the gateway again", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &openclaw.Error{
			Code:    openclaw.CodeGatewayBusy,
			Message: "another program holds " + path + " locked; close it and try again",
			Err:     err,
		}
	case sqlite3.SQLITE_TOOBIG:
		return internal("the event is larger than the store can keep (1 GB)", err)
	}
	return internal("the store failed; the gateway's log has the details", err)
}

// resultCode returns SQLite's primary result code, or -1 for an error that is
// not SQLite's.
func resultCode(err error) int {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return -1
	}
	return e.Code() & 0xff
}

func internal(message string, cause error) error {
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: cause}
}

func damaged(path string, cause error) error {
	return internal(fmt.Sprintf("the store %s is damaged and was left as it is; stop the gateway, then put a backup "+
		"in its place, or save what can be read with: sqlite3 '%s' .recover | sqlite3 recovered.db "+
		"(and use recovered.db), or move the file away to start with no conversations", path, path), cause)
}

func notWritable(path string, cause error) error {
	return internal(fmt.Sprintf("cannot write to the store %s; make the file and its folder writable for this user, "+
		"or set store.path to a place that is", path), cause)
}

func newer(path string, found, known int64) error {
	return internal(fmt.Sprintf("the store %s was written by a newer openclaw (schema %d, this one knows %d); "+
		"install that version again, or set store.path to another file", path, found, known), nil)
}

func foreign(path string) error {
	return internal(fmt.Sprintf("%s is a SQLite database but not an openclaw store; "+
		"set store.path to another file", path), nil)
}

func sessionNotFound(name string) error {
	return &openclaw.Error{
		Code:    openclaw.CodeSessionNotFound,
		Message: fmt.Sprintf("there is no session %q; session_list shows those there are", name),
	}
}
