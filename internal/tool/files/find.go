package files

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/openclaw/openclaw-go"
)

const findParameters = `{"type":"object","properties":{` +
	`"pattern":{"type":"string","description":"glob for the names, all files if left out"},` +
	`"path":{"type":"string","description":"the folder to look in, the workspace if left out"},` +
	`"content":{"type":"string","description":"regular expression for a line"},` +
	`"limit":{"type":"integer","description":"how many results, 100 if left out"}}}`

const (
	defaultResults = 100
	maxResults     = 1000
	maxFindDepth   = 32
	maxVisited     = 200_000 // files and folders
	maxSearched    = 4 << 20 // bytes of a file whose content is searched
	findTime       = 10 * time.Second
)

// findFiles is the tool find_files.
type findFiles struct {
	space *space
	spec  openclaw.ToolSpec
}

// Spec implements openclaw.Tool.
func (t *findFiles) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool.
func (t *findFiles) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Pattern string  `json:"pattern"`
		Path    string  `json:"path"`
		Content string  `json:"content"`
		Limit   float64 `json:"limit"`
	}
	if err := parseArgs(call, &args, `{"pattern": "*.go", "content": "func main"}`); err != nil {
		return nil, err
	}
	s, err := newSearch(args.Pattern, args.Content, args.Limit)
	if err != nil {
		return nil, err
	}
	if args.Path == "" {
		args.Path = "."
	}
	p, err := t.space.locate(args.Path, forReading)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if !p.info.IsDir() {
		return nil, badArgs("%s is not a folder; give the folder to look in as path", args.Path)
	}
	dir, err := p.openDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	s.guard, s.base, s.maxBytes = p.guard, args.Path, t.space.maxOutput
	limited, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	s.walk(limited, dir, p.path, "", 1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if limited.Err() != nil {
		s.stopped = fmt.Sprintf("stopped after %v", findTime)
	}
	return &openclaw.Result{CallID: call.ID, Output: s.text(), Truncated: s.stopped != ""}, nil
}

// search is one search.
type search struct {
	glob    *glob
	content *regexp.Regexp // nil: names only
	limit   int

	guard    *guard
	base     string // the folder, as the caller wrote it
	maxBytes int

	out     strings.Builder
	results int
	visited int
	skipped int    // files that were too large to be searched
	stopped string // why there may be more
}

func newSearch(pattern, content string, limit float64) (*search, error) {
	if pattern == "" {
		pattern = "*"
	}
	g, err := parseGlob(pattern)
	if err != nil {
		return nil, err
	}
	s := &search{glob: g, limit: defaultResults}
	if limit < 0 || limit > maxResults {
		return nil, badArgs("limit must be between 1 and %d", maxResults)
	}
	if limit >= 1 {
		s.limit = int(limit)
	}
	if content != "" {
		if s.content, err = regexp.Compile(content); err != nil {
			return nil, badArgs("content is no regular expression: %v; put a backslash before special characters", err)
		}
	}
	return s, nil
}

// walk looks through dir, whose real path is full and whose path from the base
// is rel. It goes on until all is seen or stopped is set, or ctx has ended.
func (s *search) walk(ctx context.Context, dir *os.Root, full, rel string, depth int) {
	names, more, err := namesIn(dir)
	if err != nil {
		return // not readable; what can be found elsewhere still helps
	}
	if more > 0 {
		s.stopped = fmt.Sprintf("a folder has more than %d entries", maxFolder)
	}
	for _, name := range names {
		if ctx.Err() != nil || s.enough() {
			return
		}
		info, err := dir.Lstat(name)
		real := full + "/" + name
		if err != nil || s.guard.blocks(real, info) {
			continue
		}
		inner := path.Join(rel, name)
		if s.glob.matches(inner) {
			s.found(dir, name, inner, info)
		}
		if !info.IsDir() || depth >= maxFindDepth || (name == ".git" || name == "node_modules") && !s.glob.names(name) {
			continue
		}
		if sub, err := openDir(dir, name, info, inner); err == nil {
			s.walk(ctx, sub, real, inner, depth+1)
			_ = sub.Close()
		}
	}
}

// enough counts a visit and says whether the search is over.
func (s *search) enough() bool {
	if s.visited++; s.visited > maxVisited {
		s.stopped = fmt.Sprintf("stopped after %d files", maxVisited)
		return true
	}
	return s.results >= s.limit && s.stopped != ""
}

// found handles a name that matches.
func (s *search) found(dir *os.Root, name, rel string, info fs.FileInfo) {
	shown := printable(path.Join(s.base, rel))
	switch {
	case s.content == nil && info.IsDir():
		s.add(shown + "/")
	case s.content == nil:
		s.add(shown)
	case !info.Mode().IsRegular():
	case info.Size() > maxSearched:
		s.skipped++
	default:
		s.grep(dir, name, shown, info)
	}
}

// grep adds the lines of a file that match.
func (s *search) grep(dir *os.Root, name, shown string, info fs.FileInfo) {
	f, err := openFile(dir, name, info, shown)
	if err != nil {
		return // not readable, or just gone
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSearched))
	if err != nil || isBinary(text[:min(len(text), sniff)]) {
		return
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		if s.content.Match(line) && !s.add(fmt.Sprintf("%s:%d: %s", shown, number, clip(strings.ToValidUTF8(string(line), "\uFFFD")))) {
			return
		}
	}
}

// add adds a result, or notes that there are more than fit.
func (s *search) add(line string) bool {
	if s.results >= s.limit || s.out.Len()+len(line)+1 > s.maxBytes {
		s.limit = s.results
		s.stopped = fmt.Sprintf("more than %d results", s.results)
		return false
	}
	s.results++
	s.out.WriteString(line)
	s.out.WriteByte('\n')
	return true
}

func (s *search) text() string {
	var notes []string
	if s.results == 0 && s.stopped == "" {
		notes = append(notes, "nothing found")
	}
	if s.stopped != "" {
		notes = append(notes, s.stopped+"; narrow the pattern or give a folder as path")
	}
	if s.skipped > 0 {
		notes = append(notes, fmt.Sprintf("%d files larger than %d bytes were not searched", s.skipped, maxSearched))
	}
	if len(notes) > 0 {
		s.out.WriteString("[" + strings.Join(notes, "; ") + "]\n")
	}
	return s.out.String()
}
