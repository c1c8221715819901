package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gofrs/flock"

	"github.com/openclaw/openclaw-go"
)

// MaxFact is the most bytes of one fact.
const MaxFact = 2 << 10

const (
	maxSource = 200 // bytes
	lockWait  = 10 * time.Millisecond
)

// factsFile is the file that Save writes to.
const factsFile = "MEMORY.md"

// Save adds a fact with today's date to MEMORY.md and reports whether it did:
// false when the fact is known already. source says who said it and where, and
// is kept beside the fact; it may be empty. Line breaks become spaces. Text
// that is empty, longer than MaxFact or looks like a secret is an
// *openclaw.Error with CodeInvalidMessage. Save waits for other processes that
// are saving until ctx ends; the file is replaced in one step and survives a
// power cut.
func (s *Store) Save(ctx context.Context, text, source string) (saved bool, err error) {
	text = clean(text)
	if err := check(text); err != nil {
		return false, err
	}
	err = s.change(ctx, true, func(ix *index) error {
		same, err := ix.saying(ctx, text)
		if err != nil || len(same) > 0 {
			return err
		}
		saved = true
		return s.add("- " + s.now().Format(time.DateOnly) + " " + text + comment(source))
	})
	return saved && err == nil, err
}

// comment is the source as it stands behind a fact.
func comment(source string) string {
	source = strings.ReplaceAll(clean(source), "--", "-")
	if source == "" || secret(source) != "" {
		return ""
	}
	return sourceBegin + cutTo(source, maxSource) + sourceEnd
}

// Forget removes every entry that says text, case, a date before it and the
// last punctuation aside, and returns what it removed. An entry that only
// resembles it stays. It waits and writes like Save.
func (s *Store) Forget(ctx context.Context, text string) (removed []Entry, err error) {
	wanted := normal(withoutDate(clean(text)))
	if wanted == "" {
		return nil, nil
	}
	err = s.change(ctx, false, func(ix *index) error {
		found, err := ix.saying(ctx, wanted)
		if err != nil {
			return err
		}
		files := map[string]bool{}
		for _, e := range found {
			files[e.File] = true
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			cut, err := s.cut(name, wanted)
			removed = append(removed, cut...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

// withoutDate cuts off the date with which a search shows a fact.
func withoutDate(text string) string {
	date := datePattern().FindString(text)
	return cmp.Or(strings.TrimSpace(text[len(date):]), text)
}

// change lets do change the files, alone among the processes, with an index
// that is up to date. Without make nothing happens where there is no directory.
// What do writes must come after what it reads of the index.
func (s *Store) change(ctx context.Context, make bool, do func(*index) error) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.closed {
		return errClosed
	}
	if make {
		if err := os.MkdirAll(s.path, 0o700); err != nil {
			return failed("cannot make the memory's directory; check memory.path", err)
		}
	} else if !exists(s.path) {
		return nil
	}
	lock := flock.New(filepath.Join(s.path, ".lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return failed("cannot lock the memory's directory; check memory.path", err)
	}
	s.locked = true
	defer func() {
		s.locked, s.looked = false, time.Time{}
		_ = lock.Close() // the end of the process would do
	}()
	return s.with(ctx, do)
}

// clean makes text fit for one bullet.
func clean(text string) string {
	text = printable(strings.ToValidUTF8(text, ""))
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
	case strings.Contains(text, "<!--"):
		return invalid("a fact cannot hold <!--, which begins a comment; save it without")
	}
	if what := secret(text); what != "" {
		return invalid("not saved: this looks like " + what + ", and memory keeps no secrets; save it without, or say where it is kept")
	}
	return nil
}

// add appends a line to MEMORY.md. The directory is the caller's alone.
func (s *Store) add(line string) error {
	return s.edit(factsFile, func(old []byte) ([]byte, error) {
		if len(old)+len(line) >= maxFile {
			return nil, failed(fmt.Sprintf("MEMORY.md is full (%d MiB); move older facts to another .md file beside it", maxFile>>20), nil)
		}
		if old == nil {
			old = []byte("# Memory\n\n")
		}
		end := "\n"
		if bytes.Contains(old, []byte("\r\n")) {
			end = "\r\n"
		}
		if len(old) > 0 && old[len(old)-1] != '\n' {
			old = append(old, end...)
		}
		return append(old, line+end...), nil
	})
}

// cut removes the entries that say wanted from a file, the lines they stand
// on, and returns them.
func (s *Store) cut(name, wanted string) (removed []Entry, err error) {
	err = s.edit(name, func(old []byte) ([]byte, error) {
		removed = nil
		lines := bytes.SplitAfter(old, []byte("\n"))
		for _, e := range slices.Backward(parse(name, old)) {
			if normal(e.Text) == wanted {
				lines = slices.Delete(lines, e.Line-1, e.last)
				removed = append(removed, e)
			}
		}
		slices.Reverse(removed)
		return bytes.Join(lines, nil), nil
	})
	return removed, err
}

// edits is how often an edit begins anew because somebody else has changed the
// file meanwhile.
const edits = 5

// edit replaces a file by what change makes of it; nil: there is none yet.
// Programs that know nothing of the lock may write the file too, so what they
// have written while change ran is read again. Links are not followed.
func (s *Store) edit(name string, change func(old []byte) ([]byte, error)) error {
	path := filepath.Join(s.path, name)
	for range edits {
		info, err := os.Lstat(path)
		var old []byte
		switch {
		case errors.Is(err, fs.ErrNotExist):
			info = nil
		case err != nil:
			return failed("cannot read "+name+"; check its permissions", err)
		case !info.Mode().IsRegular():
			return failed(name+" is not a regular file; move it away", nil)
		case info.Size() > maxFile:
			return failed(fmt.Sprintf("%s is larger than %d MiB; divide it into several .md files", name, maxFile>>20), nil)
		default:
			if old, err = os.ReadFile(path); err != nil {
				return failed("cannot read "+name+"; check its permissions", err)
			}
			if old == nil {
				old = []byte{}
			}
		}
		data, err := change(old)
		if err != nil {
			return err
		}
		replaced, err := replace(path, data, info)
		if err != nil {
			return failed("cannot write "+name+"; check the disk and the permissions of memory.path", err)
		}
		if replaced {
			return nil
		}
	}
	return failed(name+" is being changed by another program; try again", nil)
}

// replace writes a file in one step, unless it is not as was says any more: a
// reader sees the old or the new one.
func replace(path string, data []byte, was os.FileInfo) (done bool, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".memory-*") // mode 0600
	if err != nil {
		return false, err
	}
	defer func() {
		if !done {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if was != nil {
		err = errors.Join(err, f.Chmod(was.Mode().Perm()))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, err
	}
	if !unchanged(path, was) {
		return false, nil
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return false, err
	}
	done = true
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return done, err
	}
	return done, errors.Join(dir.Sync(), dir.Close())
}

func unchanged(path string, was os.FileInfo) bool {
	now, err := os.Lstat(path)
	if was == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && os.SameFile(now, was) && now.Size() == was.Size() && now.ModTime().Equal(was.ModTime())
}

// indexFailed explains what SQLite says of the index.
func indexFailed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*openclaw.Error](err); ok {
		return err
	}
	return failed("the memory's index cannot be used; delete .index.db in memory.path, it is made anew", err)
}
