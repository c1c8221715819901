// Package memory keeps what the agent is to know for longer than one
// conversation, as Markdown files that a person may read and edit.
//
// The *.md files of one directory are the truth. A Store writes to one of
// them, MEMORY.md, one bullet for each fact, and searches all of them; what it
// holds in memory is derived from the files and follows every edit. Several
// processes may use the same directory.
//
// The package does not decide what is worth remembering, does not put anything
// into a prompt, and keeps no secrets: text that looks like one is refused.
package memory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofrs/flock"

	"github.com/openclaw/openclaw-go"
)

// The bounds of what is written.
const (
	MaxFact = 2 << 10 // bytes of one fact

	maxFile  = 1 << 20 // bytes of a file; a longer one is searched up to here
	lockWait = 10 * time.Millisecond
)

// factsFile is the file that Save writes to.
const factsFile = "MEMORY.md"

// Options are what a Store starts from.
type Options struct {
	// Path is the directory of the files, required. It is made when the first
	// fact is saved.
	Path string
	Now  func() time.Time // the clock; nil: time.Now
	// Recheck is how long Count may answer from what was seen before; 0: it
	// looks at the files each time. A gateway counts for each status.
	Recheck time.Duration
}

// Store is the memory in one directory. It starts no goroutine and needs no
// closing. Safe for concurrent use.
type Store struct {
	path    string
	now     func() time.Time
	recheck time.Duration

	mu     sync.Mutex
	files  map[string]file // what was read, by name
	index  *index          // derived from files; nil: to be made
	looked time.Time       // when the files were last looked at; zero: they have changed since
}

// New returns a Store on the directory o.Path. It does not touch the disk.
func New(o Options) (*Store, error) {
	if o.Path == "" {
		return nil, &openclaw.Error{Code: openclaw.CodeInternal, Message: "memory has no directory; set memory.path"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{path: o.Path, now: o.Now, recheck: o.Recheck}, nil
}

// Save adds a fact with today's date to MEMORY.md and reports whether it did:
// false when the fact is known already. Line breaks become spaces. Text that is
// empty, longer than MaxFact or looks like a secret is an *openclaw.Error with
// CodeInvalidMessage. Save waits for other processes that are saving until ctx
// ends; the file is replaced in one step and survives a power cut.
func (s *Store) Save(ctx context.Context, text string) (saved bool, err error) {
	text = clean(text)
	if err := check(text); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(s.path, 0o700); err != nil {
		return false, failed("cannot make the memory's directory; check memory.path", err)
	}
	lock := flock.New(filepath.Join(s.path, ".lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return false, failed("cannot lock the memory's directory; check memory.path", err)
	}
	defer lock.Close()

	ix, err := s.refresh(ctx)
	if err != nil {
		return false, err
	}
	if ix.known(text) {
		return false, nil
	}
	return true, s.add("- " + s.now().Format(time.DateOnly) + " " + text)
}

// clean makes text fit for one bullet.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for {
		mark, rest, ok := strings.Cut(text, " ")
		if !ok || strings.Trim(mark, "-*+#") != "" {
			return text
		}
		text = rest
	}
}

func check(text string) error {
	invalid := func(message string) error {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: message}
	}
	switch {
	case !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return invalid("there is nothing to remember: the text has no words")
	case len(text) > MaxFact:
		return invalid(fmt.Sprintf("a fact may have %d bytes and this one has %d; save a shorter one, or several", MaxFact, len(text)))
	}
	if what := secret(text); what != "" {
		return invalid("not saved: this looks like " + what + ", and memory keeps no secrets; save it without, or say where it is kept")
	}
	return nil
}

// add appends a line to MEMORY.md. The caller holds mu and the lock.
func (s *Store) add(line string) error {
	path := filepath.Join(s.path, factsFile)
	info, err := os.Lstat(path)
	var old []byte
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = []byte("# Memory\n\n")
	case err != nil:
		return failed("cannot read MEMORY.md; check its permissions", err)
	case !info.Mode().IsRegular():
		return failed("MEMORY.md is not a regular file; move it away", nil)
	case info.Size()+int64(len(line)) >= maxFile:
		return failed("MEMORY.md is full (1 MiB); move older facts to another .md file beside it", nil)
	default:
		if old, err = os.ReadFile(path); err != nil {
			return failed("cannot read MEMORY.md; check its permissions", err)
		}
	}
	end := "\n"
	if strings.Contains(string(old), "\r\n") {
		end = "\r\n"
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		old = append(old, end...)
	}
	s.looked = time.Time{}
	if err := replace(path, append(old, line+end...)); err != nil {
		return failed("cannot write MEMORY.md; check the disk and the permissions of memory.path", err)
	}
	return nil
}

// replace writes a file in one step: a reader sees the old or the new one.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".memory-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func failed(message string, err error) error {
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: err}
}

// Count returns how many entries there are. An entry is a bullet or a
// paragraph of any file.
func (s *Store) Count(ctx context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index != nil && time.Since(s.looked) < s.recheck {
		return len(s.index.entries), nil
	}
	ix, err := s.refresh(ctx)
	if err != nil {
		return 0, err
	}
	return len(ix.entries), nil
}

// Search returns the entries that have words of the query in them, the best
// first and of equals the newest; a query without words returns the newest. A word
// also matches its other forms (plan, plans, planned). A limit below 1 means
// 10, and there are never more than 100.
func (s *Store) Search(ctx context.Context, query string, limit int) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ix, err := s.refresh(ctx)
	if err != nil {
		return nil, err
	}
	if limit < 1 {
		limit = 10
	}
	return ix.search(query, min(limit, 100)), nil
}

// Recall is Search for a model to read: each entry as one line, with its date.
func (s *Store) Recall(ctx context.Context, query string, limit int) ([]string, error) {
	entries, err := s.Search(ctx, query, limit)
	if err != nil {
		return nil, err
	}
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = e.String()
	}
	return lines, nil
}

// String returns the entry as a line: its date, if it has one, and its text,
// cut to MaxFact.
func (e Entry) String() string {
	text := e.Text
	if len(text) > MaxFact {
		end := MaxFact
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return strings.TrimSpace(e.Date + " " + text)
}
