package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Line is one entry of the record.
type Line struct {
	N      int64           `json:"n"` // 1, 2, 3… without a gap
	Time   string          `json:"time"`
	Kind   string          `json:"kind"`
	Detail json.RawMessage `json:"detail"`
	Prev   string          `json:"prev"` // the hash of the line before; "" in the first
	Hash   string          `json:"hash"` // of all of the above
}

// hash is HMAC-SHA256 over the line's other members, each behind its length so
// that none can pose as a part of another.
func (l *Line) hash(key []byte) string {
	return keyed(key, strconv.FormatInt(l.N, 10), l.Time, l.Kind, string(l.Detail), l.Prev)
}

func keyed(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		_, _ = fmt.Fprintf(mac, "%d:%s,", len(part), part) // a hash takes everything
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// parse reads a line as it stands in the file. A line that would be written in
// other bytes is none.
func parse(data []byte) (*Line, error) {
	var l Line
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, err
	}
	again, err := json.Marshal(l)
	if err == nil && !bytes.Equal(again, data) {
		err = errors.New("it is not written as the gateway writes lines")
	}
	return &l, err
}

// lastLine returns the last whole line of a file, nil for none, where it ends,
// and how many bytes stand behind it.
func lastLine(f *os.File) (last *Line, size, lost int64, err error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, 0, err
	}
	var text []byte
	for at := end; at > 0 && bytes.Count(text, []byte{'\n'}) < 2; {
		n := min(at, 64<<10)
		at -= n
		block := make([]byte, n)
		if _, err := f.ReadAt(block, at); err != nil {
			return nil, 0, 0, err
		}
		text = append(block, text...)
	}
	cut := bytes.LastIndexByte(text, '\n')
	lost = int64(len(text) - cut - 1)
	if cut < 0 {
		return nil, 0, end, nil
	}
	begin := bytes.LastIndexByte(text[:cut], '\n') + 1
	last, err = parse(text[begin:cut])
	if err != nil {
		return nil, 0, 0, fmt.Errorf("the last line of %s is damaged; see: openclaw security audit verify, then move the file away: %w", f.Name(), err)
	}
	return last, end - lost, lost, nil
}

func firstLine(f *os.File) (*Line, error) {
	data, err := bufio.NewReader(io.NewSectionReader(f, 0, 1<<62)).ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return parse(bytes.TrimSuffix(data, []byte{'\n'}))
}

// olderFiles returns the full files of the record, the oldest first.
func olderFiles(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "audit-*.log"))
	names = slices.DeleteFunc(names, func(name string) bool { return numberOf(name) == 0 })
	slices.SortFunc(names, func(a, b string) int { return int(numberOf(a) - numberOf(b)) })
	return names, err
}

// numberOf returns the number of the first line of a full file, by its name.
func numberOf(path string) int64 {
	text := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "audit-"), ".log")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// lastOfOlder returns the last line of the newest full file; nil for none.
func lastOfOlder(dir string) *Line {
	older, err := olderFiles(dir)
	if err != nil || len(older) == 0 {
		return nil
	}
	f, err := os.Open(older[len(older)-1])
	if err != nil {
		return nil
	}
	defer f.Close()
	last, _, _, err := lastLine(f)
	if err != nil {
		return nil
	}
	return last
}
