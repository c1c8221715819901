// Package intake takes files from elsewhere into a directory of ours: those of
// another directory, of an archive or of a git repository. Whoever packed them
// is not trusted: only text files and directories come in, so many and so large
// as the bounds say, under names that stay inside; anything else refuses the
// whole. Inspect then shows what a person should know before using them.
//
// A Stage owns the directory that files come into, until it is placed or
// closed. The package runs nothing of what it takes in; the only program it
// starts is git. It does not know what the files mean.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go"
)

// The bounds of what is taken in.
const (
	maxFiles   = 500
	maxEntries = 4 * maxFiles // directories and what is left out included
	maxFile    = 1 << 20      // bytes of a file
	maxTotal   = 10 << 20     // bytes of all files
	maxDepth   = 10           // names in a path
	maxPath    = 200          // bytes of a path
	maxArchive = 20 << 20     // bytes of an archive as it comes
)

// leftOut are names that come along with archives and repositories and belong
// to no skill.
var leftOut = []string{".git", ".DS_Store", "__MACOSX"}

// Fetch takes in what source names: a directory, a .zip, .tar.gz, .tgz or .tar
// file, or the URL of a git repository (https, ssh or file). It blocks until
// all is there or ctx ends. The error is an *openclaw.Error; what has come in
// by then is of no use.
func (s *Stage) Fetch(ctx context.Context, source string) error {
	in := &sink{root: s.root}
	if isRepository(source) {
		return in.repository(ctx, source, s.dir)
	}
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("there is no %s; give a directory, a .zip or .tar.gz file, or the URL of a git repository", source)
	case err != nil:
		return failed("cannot look at "+source, err)
	case info.IsDir():
		return in.directory(ctx, source)
	case !info.Mode().IsRegular():
		return refuse("%s is neither a directory nor an archive", source)
	case info.Size() > maxArchive:
		return refuse("%s is over 20 MiB, which is too large for a skill", source)
	}
	return in.archive(ctx, source)
}

func refuse(format string, a ...any) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: fmt.Sprintf(format, a...)}
}

func failed(message string, err error) error {
	return &openclaw.Error{Code: openclaw.CodeInternal, Message: message, Err: err}
}

// sink checks and writes what comes in.
type sink struct {
	root    *os.Root
	entries int
	files   int
	bytes   int64
}

// skips says whether a path is left out, and counts it.
func (in *sink) skips(name string) (bool, error) {
	if in.entries++; in.entries > maxEntries {
		return false, refuse("there are over %d files and directories in it, which is too much for a skill", maxEntries)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		for _, out := range leftOut {
			if part == out {
				return true, nil
			}
		}
	}
	return false, nil
}

// checkName refuses paths that lead out, or that nobody could see or type.
func checkName(name string) (string, error) {
	clean := path.Clean(strings.TrimSuffix(name, "/"))
	switch {
	case name == "" || !filepath.IsLocal(clean) || path.IsAbs(name) || strings.Contains(name, `\`) || strings.Contains("/"+name+"/", "/../"):
		return "", refuse("the path %q leads out of the skill", name)
	case len(name) > maxPath || strings.Count(clean, "/") >= maxDepth:
		return "", refuse("the path %.60q is too long or too deep", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ':' }):
		return "", refuse("the path %q has characters that are not for file names", name)
	}
	return clean, nil
}

// put writes one file. Only the owner's right to execute it is kept of mode.
func (in *sink) put(name string, mode fs.FileMode, r io.Reader) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	if !mode.IsRegular() {
		return refuse("%s is a link or a device; only text files are taken", name)
	}
	if in.files++; in.files > maxFiles {
		return refuse("there are over %d files in it, which is too many for a skill", maxFiles)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: name + " cannot be read; the source is damaged", Err: err}
	}
	in.bytes += int64(len(data))
	switch {
	case len(data) > maxFile:
		return refuse("%s is over 1 MiB, which is too large for a skill", name)
	case in.bytes > maxTotal:
		return refuse("it is over 10 MiB in all, which is too large for a skill")
	case !utf8.Valid(data) || strings.ContainsRune(string(data), 0):
		return refuse("%s is not UTF-8 text; only text files are taken", name)
	}
	if err := in.write(name, 0o600|mode&0o100, data); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return refuse("%s is in it twice", name)
		}
		return failed("cannot write "+name, err)
	}
	return nil
}

func (in *sink) write(name string, mode fs.FileMode, data []byte) (err error) {
	if err := in.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := in.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(data)
	return err
}

// directory takes in the files of a directory.
func (in *sink) directory(ctx context.Context, source string) error {
	root, err := os.OpenRoot(source)
	if err != nil {
		return failed("cannot open "+source, err)
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return failed("cannot read "+name, err)
		}
		out, err := in.skips(name)
		switch {
		case err != nil:
			return err
		case out && d.IsDir():
			return fs.SkipDir
		case out || d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return in.put(name, d.Type(), nil)
		}
		f, err := root.Open(name)
		if err != nil {
			return failed("cannot read "+name, err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return failed("cannot read "+name, err)
		}
		return in.put(name, info.Mode(), f)
	})
}
