// Package paths compares names of files: what leads where, and what is below
// what. It reads the file system and never changes it; between its answer and
// the use of it a link can change, so who must be sure opens files through a
// directory that is held open.
package paths

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Real returns path, cleaned, with the symbolic links resolved in as much of it
// as exists. Where that cannot be found out it returns the rest as it is.
func Real(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real
	}
	path = filepath.Clean(path)
	parent := filepath.Dir(path)
	if parent == path || !errors.Is(err, fs.ErrNotExist) {
		return path
	}
	return filepath.Join(Real(parent), filepath.Base(path))
}

// maxLinks is how many links one path may lead through, as for the kernel.
const maxLinks = 40

// RealBut is Real for a path of which not every link may be followed: those in
// directories of which except says so stay in what is returned, which then leads
// nowhere for those who follow none.
func RealBut(path string, except func(dir string) bool) string {
	at, links := "/", 0
	for todo := strings.Split(path, "/"); len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		target, err := os.Readlink(next)
		if err != nil || links == maxLinks || except(at) {
			at = next
			continue
		}
		links++
		if filepath.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at
}

// Within says whether path is dir or below it. It compares names, links are
// not followed.
func Within(path, dir string) bool {
	path, dir = filepath.Clean(path), filepath.Clean(dir)
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// WithinFold is Within for a dir that must not be reached: upper and lower case
// count as the same, since on some file systems they are.
func WithinFold(path, dir string) bool {
	return Within(strings.ToLower(path), strings.ToLower(dir))
}
