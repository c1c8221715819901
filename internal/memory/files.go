package memory

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxFiles is how many files are searched, the first by name.
const maxFiles = 1000

// Entry is one thing remembered: a bullet or a paragraph.
type Entry struct {
	Text string // on one line
	Date string // as in 2006-01-02; "" when the file does not say
	File string // the file's name in the directory
	Line int    // where it begins, counted from 1
}

// file is one file as it was when it was read.
type file struct {
	modified time.Time
	size     int64
	entries  []Entry
}

// refresh reads the files that have changed. The caller holds mu.
func (s *Store) refresh(ctx context.Context) (*index, error) {
	dir, err := os.OpenRoot(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		s.files, s.index, s.looked = nil, newIndex(nil), time.Now()
		return s.index, nil
	}
	if err != nil {
		return nil, failed("cannot read the memory's directory; check memory.path", err)
	}
	defer dir.Close()
	names, err := os.ReadDir(s.path) // sorted
	if err != nil {
		return nil, failed("cannot read the memory's directory; check memory.path", err)
	}
	files := make(map[string]file)
	var all [][]Entry
	changed := s.index == nil
	for _, e := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := e.Name()
		if !strings.EqualFold(filepath.Ext(name), ".md") || strings.HasPrefix(name, ".") || !e.Type().IsRegular() || len(files) == maxFiles {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it went away meanwhile
		}
		f, known := s.files[name]
		if !known || !f.modified.Equal(info.ModTime()) || f.size != info.Size() {
			text, err := read(dir, name)
			if err != nil {
				return nil, failed("cannot read "+name+" in the memory's directory; check its permissions", err)
			}
			f = file{info.ModTime(), info.Size(), parse(name, text)}
			changed = true
		}
		files[name] = f
		all = append(all, f.entries)
	}
	if changed || len(files) != len(s.files) {
		s.files, s.index = files, newIndex(all)
	}
	s.looked = time.Now()
	return s.index, nil
}

// read returns the beginning of a file. It never follows a link out of the
// directory and never waits for a FIFO.
func read(dir *os.Root, name string) (string, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	return strings.ToValidUTF8(string(data), "�"), err
}

// datePattern finds a date at the beginning of a text or a file's name.
var datePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{4}-\d\d-\d\d\b`) })

// parse takes a Markdown text apart. Headings, rules, comments and front matter
// are no entries. An entry without a date of its own has its file's, when the
// file is named for a day.
func parse(name, text string) []Entry {
	p := parser{name: name, day: datePattern().FindString(name)}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if i == 0 && strings.TrimPrefix(line, "\ufeff") == "---" {
			if end := closing(lines, "---"); end > 0 {
				i = end
				continue
			}
		}
		if strings.HasPrefix(line, "<!--") {
			p.flush()
			for !strings.Contains(lines[i], "-->") && i+1 < len(lines) {
				i++
			}
			continue
		}
		p.line(line, i+1)
	}
	p.flush()
	return p.entries
}

// closing returns the index of the next line that is mark, or 0.
func closing(lines []string, mark string) int {
	for i := 1; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == mark {
			return i
		}
	}
	return 0
}

// parser collects the lines of one entry after the other.
type parser struct {
	name, day string
	words     []string
	begin     int
	entries   []Entry
}

func (p *parser) line(line string, number int) {
	bullet, isBullet := cutBullet(line)
	if isBullet || line == "" || strings.HasPrefix(line, "#") || strings.Trim(line, "-*_=|: ") == "" {
		p.flush()
	}
	switch {
	case isBullet:
		line = bullet
	case strings.HasPrefix(line, "#"), strings.Trim(line, "-*_=|: ") == "":
		return
	}
	if len(p.words) == 0 {
		p.begin = number
	}
	p.words = append(p.words, line)
}

func cutBullet(line string) (string, bool) {
	for _, mark := range []string{"- ", "* ", "+ "} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimSpace(rest), strings.TrimSpace(rest) != ""
		}
	}
	return "", false
}

func (p *parser) flush() {
	text := strings.Join(strings.Fields(strings.Join(p.words, " ")), " ")
	p.words = p.words[:0]
	if text == "" {
		return
	}
	date := datePattern().FindString(text)
	rest := strings.TrimSpace(text[len(date):])
	if date == "" || rest == "" {
		date, rest = p.day, text
	}
	p.entries = append(p.entries, Entry{Text: rest, Date: date, File: p.name, Line: p.begin})
}
