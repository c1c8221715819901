package shell

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// maxPending is how much of a line waits for its end before it is written.
const maxPending = 16 << 10

// spool keeps all that one command prints in a file, as clean text, once it is
// more than a result shows. It is used by one goroutine at a time.
type spool struct {
	shelf    *shelf
	session  string
	limits   Outputs
	room     int  // what a result shows
	terminal bool // as in output

	early   []byte // all of it, until there is a file
	file    *os.File
	name    string
	size    int64
	pending []byte // not written yet: a line without its end
	full    bool   // the file has as much as it may
	err     error  // why it has not all
}

// write takes the next part.
func (s *spool) write(p []byte) {
	if s == nil || s.err != nil {
		return
	}
	if s.file == nil && len(s.early)+len(p) <= s.room {
		s.early = append(s.early, p...)
		return
	}
	if s.file == nil {
		if s.file, s.name, s.err = s.shelf.create(s.session, s.limits); s.err != nil {
			s.early = nil
			return
		}
		s.add(s.early)
		s.early = nil
	}
	s.add(p)
}

// add writes the lines that are complete.
func (s *spool) add(p []byte) {
	if s.full {
		return
	}
	s.pending = append(s.pending, p...)
	cut := bytes.LastIndexByte(s.pending, '\n') + 1
	if len(s.pending)-cut > maxPending {
		cut = len(s.pending) - unfinished(s.pending)
	}
	s.put(s.pending[:cut])
	s.pending = append(s.pending[:0], s.pending[cut:]...)
}

// put writes text as far as there is room.
func (s *spool) put(raw []byte) {
	text := clean(raw)
	if s.terminal {
		text = lines(text)
	}
	if over := s.size + int64(len(text)) - s.limits.MaxFile; over > 0 {
		text, s.full = firstBytes(text, len(text)-int(over)), true
	}
	n, err := s.file.WriteString(text)
	s.size += int64(n)
	if err != nil {
		s.err, s.full = err, true
	}
}

// finish writes the rest, when the command has ended.
func (s *spool) finish() {
	if s == nil || s.file == nil {
		return
	}
	if !s.full {
		s.put(s.pending)
	}
	s.early, s.pending = nil, nil
	if err := s.file.Close(); err != nil && s.err == nil {
		s.err = err
	}
	s.shelf.done(s.name)
}

// note says where all of it is; "": a result shows it.
func (s *spool) note() string {
	switch {
	case s == nil, s.file == nil && s.err == nil:
		return ""
	case s.file == nil:
		return "the rest of it could not be kept in a file"
	case s.full:
		return fmt.Sprintf("the first %d bytes of it are in %s; read_file pages through them", s.size, filepath.Join(s.shelf.dir, s.name))
	}
	return fmt.Sprintf("all of it is in %s; read_file pages through it", filepath.Join(s.shelf.dir, s.name))
}
