package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/openclaw/openclaw-go"
)

const listParameters = `{"type":"object","properties":{` +
	`"path":{"type":"string","description":"the workspace if left out"},` +
	`"depth":{"type":"integer","description":"how many levels, 1 if left out"}}}`

const (
	maxDepth   = 8
	maxEntries = 1000   // in one answer
	maxFolder  = 20_000 // entries that are looked at in one folder
)

// listFiles is the tool list_files.
type listFiles struct {
	space *space
	spec  openclaw.ToolSpec
}

// Spec implements openclaw.Tool.
func (t *listFiles) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool.
func (t *listFiles) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Path  string  `json:"path"`
		Depth float64 `json:"depth"`
	}
	if err := parseArgs(call, &args, `{"path": "."}`); err != nil {
		return nil, err
	}
	if args.Path == "" {
		args.Path = "."
	}
	if args.Depth < 0 || args.Depth > maxDepth {
		return nil, badArgs("depth must be between 1 and %d", maxDepth)
	}
	p, err := t.space.locateFor(call, args.Path, forReading)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if !p.info.IsDir() {
		return nil, badArgs("%s is not a folder; use read_file", args.Path)
	}
	dir, err := p.openDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	l := listing{guard: p.guard, maxBytes: t.space.maxOutput}
	if err := l.list(ctx, dir, p.path, "", max(1, int(args.Depth))); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, systemError(args.Path, err)
	}
	return &openclaw.Result{CallID: call.ID, Output: l.text(), Truncated: l.left > 0}, nil
}

// listing collects the lines of an answer.
type listing struct {
	guard    *guard
	maxBytes int
	out      strings.Builder
	entries  int
	left     int // entries that did not fit
}

// list adds what is in dir, whose real path is path. prefix is its path from the
// folder that was asked for, with a slash behind it.
func (l *listing) list(ctx context.Context, dir *os.Root, path, prefix string, depth int) error {
	names, more, err := namesIn(dir)
	if err != nil {
		return err
	}
	l.left += more
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := dir.Lstat(name)
		if err != nil {
			continue // it has just gone
		}
		full := path + "/" + name
		blocked := l.guard.blocks(full, info)
		l.add(prefix+printable(name), describe(dir, name, info, blocked))
		if depth < 2 || blocked || !info.IsDir() || l.left > 0 {
			continue
		}
		sub, err := openDir(dir, name, info, full)
		if err != nil {
			continue // not readable, or just gone
		}
		err = l.list(ctx, sub, full, prefix+printable(name)+"/", depth-1)
		_ = sub.Close()
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func (l *listing) add(name, rest string) {
	if l.entries >= maxEntries || l.out.Len()+len(name)+len(rest)+1 > l.maxBytes {
		l.left++
		return
	}
	l.entries++
	l.out.WriteString(name)
	l.out.WriteString(rest)
	l.out.WriteByte('\n')
}

func (l *listing) text() string {
	switch {
	case l.left > 0:
		return fmt.Sprintf("%s[at least %d more; list a folder further down, or use find_files]\n", l.out.String(), l.left)
	case l.entries == 0:
		return "[the folder is empty]\n"
	}
	return l.out.String()
}

// describe returns what stands behind a name in a listing.
func describe(dir *os.Root, name string, info fs.FileInfo, blocked bool) string {
	mark := ""
	if blocked {
		mark = "\t(blocked)"
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return "/" + mark
	case mode.IsRegular():
		return "\t" + strconv.FormatInt(info.Size(), 10) + mark
	case mode&fs.ModeSymlink != 0:
		target, err := dir.Readlink(name)
		if err != nil {
			return mark
		}
		return " -> " + printable(target) + mark
	default:
		return "\t(" + kindOf(mode) + ")" + mark
	}
}

// namesIn returns the names in dir, sorted, and how many at least it left out.
func namesIn(dir *os.Root) (names []string, more int, err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	names, err = f.Readdirnames(maxFolder + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	if len(names) > maxFolder {
		names, more = names[:maxFolder], 1
	}
	slices.Sort(names)
	return names, more, nil
}

// printable quotes a name that would spoil a line.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}
