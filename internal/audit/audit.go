// Package audit keeps the record of who did what: a line of JSON for each
// connection, authentication, tool call, approval and change of the
// configuration.
//
// The lines are a chain: each has a number, the hash of the one before, and its
// own hash, keyed with a secret beside the configuration, so that a line that is
// changed, missing, put elsewhere or added by somebody else shows (Verify). The
// newest number and hash are kept in a file of their own, the head, under the
// same key, so that lines cut from the end show too, and a record that went
// missing as a whole. Whoever has the key can forge all of it: the record
// convicts the agent and programs of other users, not the owner.
//
// Log owns the files while a gateway runs. A line is written before Append
// returns and not flushed to the disk: it survives a crash of the process, and a
// power cut may take the last ones. The package knows nothing of what it records;
// its callers keep secrets out.
package audit

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Options say where the record is. Dir, Key and Head are required.
type Options struct {
	Dir      string           // of the record's files; made, with mode 0700
	Key      string           // the file of the secret; made where it is missing
	Head     string           // the file that tells where the record ends
	MaxSize  int64            // of one file, in bytes; 0: 10 MiB
	MaxFiles int              // how many are kept; 0: 5
	Now      func() time.Time // nil: time.Now
}

// current is the name of the file that grows. When it is full it becomes
// audit-N.log, N being the number of its first line.
const current = "audit.log"

// Log is an open record. It is safe for concurrent use.
type Log struct {
	opts Options
	key  []byte

	mu   sync.Mutex
	file *os.File
	head *os.File
	size int64
	at   position
	err  error // why nothing can be appended any more
}

// position is where the record begins and ends.
type position struct {
	First int64  `json:"first"` // the oldest line that is kept
	N     int64  `json:"n"`     // the newest; 0: there is none
	Hash  string `json:"hash"`  // of that
	MAC   string `json:"mac"`   // of all of the above, with the key
}

// Open opens the record and goes on with it. What a crash has left of a line is
// removed, and that and every other gap is itself recorded. Close it.
func Open(o Options) (l *Log, err error) {
	if o.MaxSize <= 0 {
		o.MaxSize = 10 << 20
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 5
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, dir := range []string{o.Dir, filepath.Dir(o.Key), filepath.Dir(o.Head)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	l = &Log{opts: o}
	begins, err := l.readKey()
	if err != nil {
		return nil, err
	}
	if l.file, err = os.OpenFile(filepath.Join(o.Dir, current), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if l.head, err = os.OpenFile(o.Head, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	if err := l.goOn(begins); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// readKey reads the secret. Where there is none it thinks of one, and begins is
// true.
func (l *Log) readKey() (begins bool, err error) {
	l.key, err = os.ReadFile(l.opts.Key)
	if errors.Is(err, fs.ErrNotExist) {
		l.key = []byte(rand.Text() + rand.Text())
		return true, nil
	}
	if err == nil && len(l.key) < 16 {
		err = fmt.Errorf("%s is too short to be a key; remove it, and the record begins anew", l.opts.Key)
	}
	return false, err
}

func (l *Log) saveKey() error {
	f, err := os.OpenFile(l.opts.Key, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(l.key)
	return errors.Join(err, f.Sync(), f.Close())
}

// goOn finds the end of the record and repairs the tail. begins says that there
// was no key, and so should be nothing else.
func (l *Log) goOn(begins bool) error {
	told, err := readHead(l.head, l.key)
	broken := err != nil
	if broken {
		told = position{}
	}
	l.at.First = max(told.First, 1)
	last, size, lost, err := lastLine(l.file)
	if err != nil {
		return err
	}
	switch {
	case last != nil:
		l.at.N, l.at.Hash = last.N, last.Hash
	default: // a file just begun: the one before has the end of the chain
		if before := lastOfOlder(l.opts.Dir); before != nil {
			l.at.N, l.at.Hash = before.N, before.Hash
		}
	}
	l.size = size
	if err := l.file.Truncate(size); err != nil {
		return err
	}
	if begins {
		if l.at.N == 0 { // the key comes last: where it is, there must be a head
			return cmp.Or(l.writeHead(), l.saveKey())
		}
		if err := l.saveKey(); err != nil {
			return err
		}
	}
	if broken || lost > 0 || told.N > l.at.N {
		return l.append("gap", map[string]any{
			"lost_bytes": lost, "expected": told.N, "found": l.at.N, "key_was_gone": begins, "head_was_gone": broken,
		})
	}
	return nil
}

// Append adds a line. detail becomes a JSON object and must hold no secret.
// After a failure to write every further Append fails.
func (l *Log) Append(kind string, detail any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if err := l.append(kind, detail); err != nil {
		l.err = err
		return err
	}
	return nil
}

func (l *Log) append(kind string, detail any) error {
	body, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	if l.size >= l.opts.MaxSize {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	line := Line{N: l.at.N + 1, Time: l.opts.Now().UTC().Format(time.RFC3339Nano), Kind: kind, Detail: body, Prev: l.at.Hash}
	line.Hash = line.hash(l.key)
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	n, err := l.file.Write(append(data, '\n'))
	if err != nil { // no half line may stand before the next one
		return errors.Join(err, l.file.Truncate(l.size))
	}
	l.size += int64(n)
	l.at.N, l.at.Hash = line.N, line.Hash
	return l.writeHead()
}

// rotate begins a new file and removes the oldest.
func (l *Log) rotate() error {
	first, err := firstLine(l.file)
	if err != nil {
		return err
	}
	path := filepath.Join(l.opts.Dir, current)
	if err := errors.Join(l.file.Close(), os.Rename(path, filepath.Join(l.opts.Dir, fmt.Sprintf("audit-%012d.log", first.N)))); err != nil {
		return err
	}
	if l.file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return err
	}
	l.size = 0
	older, err := olderFiles(l.opts.Dir)
	if err != nil {
		return err
	}
	for len(older) >= l.opts.MaxFiles {
		l.at.First = l.at.N + 1
		if len(older) > 1 {
			l.at.First = numberOf(older[1])
		}
		if err := errors.Join(l.writeHead(), os.Remove(older[0])); err != nil {
			return err
		}
		older = older[1:]
	}
	return nil
}

// Close closes the files. A nil Log is closed already.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.New("the audit log is closed")
	return errors.Join(l.file.Close(), l.head.Close())
}

// headSize is fixed, so that one write replaces the whole of it.
const headSize = 256

func (l *Log) writeHead() error {
	l.at.MAC = l.at.mac(l.key)
	data, err := json.Marshal(l.at)
	if err != nil {
		return err
	}
	block := make([]byte, headSize)
	for i := range block {
		block[i] = ' '
	}
	block[headSize-1] = '\n'
	copy(block, data)
	_, err = l.head.WriteAt(block, 0)
	return err
}

// readHead reads the head, if it was written with the key.
func readHead(f *os.File, key []byte) (p position, err error) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, headSize))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil && !hmac.Equal([]byte(p.MAC), []byte(p.mac(key))) {
		err = errors.New("it was not written with this key")
	}
	return p, err
}

func (p position) mac(key []byte) string {
	return keyed(key, "head", strconv.FormatInt(p.First, 10), strconv.FormatInt(p.N, 10), p.Hash)
}
