package memory

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// maxEntry is in bytes: a longer paragraph is searched up to here.
const maxEntry = 8 << 10

// Entry is one thing remembered: a bullet or a paragraph.
type Entry struct {
	Text   string // on one line
	Date   string // as in 2006-01-02; "" when the file does not say
	Source string // who said it and where, as Save wrote it; "" when the file does not say
	File   string // the file's name in the directory
	Line   int    // where it begins, counted from 1
	last   int    // the last line of it
}

// datePattern finds a date at the beginning of a text or a file's name.
var datePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{4}-\d\d-\d\d\b`) })

// parse takes a Markdown text apart. Headings, rules, comments and front matter
// are no entries. An entry without a date of its own has its file's, when the
// file is named for a day.
func parse(name string, data []byte) []Entry {
	text := strings.ToValidUTF8(string(data), "\uFFFD")
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
	last      int
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
	p.last = number
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
	text := printable(strings.Join(p.words, " "))
	p.words = p.words[:0]
	if text == "" {
		return
	}
	text, source := cutSource(text)
	text = cutTo(text, maxEntry)
	date := datePattern().FindString(text)
	rest := strings.TrimSpace(text[len(date):])
	if date == "" || rest == "" {
		date, rest = p.day, text
	}
	p.entries = append(p.entries, Entry{Text: rest, Date: date, Source: source, File: p.name, Line: p.begin, last: p.last})
}

// The source of a fact stands behind it as a comment, which Markdown does not
// show.
const sourceBegin, sourceEnd = " <!-- from ", " -->"

func cutSource(text string) (fact, source string) {
	fact, rest, ok := strings.Cut(text, sourceBegin)
	if source, ok2 := strings.CutSuffix(rest, sourceEnd); ok && ok2 && fact != "" {
		return fact, source
	}
	return text, ""
}

// printable returns a text on one line, without control characters.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
