package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxLinked is how many files below blocked folders are looked at to tell
// whether a file is a hard link to one of them. With more, every file with
// several links is refused.
const maxLinked = 50_000

// fileID tells files apart, whatever their names are.
type fileID struct{ dev, ino uint64 }

func idOf(info fs.FileInfo) (id fileID, links uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, 0
	}
	return fileID{dev: uint64(st.Dev), ino: uint64(st.Ino)}, uint64(st.Nlink)
}

// guard recognises blocked files by what they are. It lives for one call and is
// used by one goroutine.
type guard struct {
	space  *space
	ids    map[fileID]bool // the blocked files and folders themselves
	linked map[fileID]bool // the files below blocked folders; nil: not looked yet
	tooBig bool            // linked is not complete
}

func (s *space) newGuard() *guard {
	g := &guard{space: s, ids: make(map[fileID]bool)}
	for _, b := range s.blocked {
		for _, stat := range []func(string) (fs.FileInfo, error){os.Stat, os.Lstat} {
			if info, err := stat(b); err == nil {
				id, _ := idOf(info)
				g.ids[id] = true
			}
		}
	}
	return g
}

// blocks says whether the file with this path and info is blocked. path is
// real: it has no symbolic links.
func (g *guard) blocks(path string, info fs.FileInfo) bool {
	if g.space.isBlocked(path) {
		return true
	}
	id, links := idOf(info)
	if g.ids[id] {
		return true
	}
	if !info.Mode().IsRegular() || links < 2 {
		return false
	}
	g.lookAtLinks()
	return g.linked[id] || g.tooBig
}

// lookAtLinks notes the files below blocked folders. What cannot be read there
// is left out: nobody could have made a link to it that the tools can read.
func (g *guard) lookAtLinks() {
	if g.linked != nil {
		return
	}
	g.linked = make(map[fileID]bool)
	seen := 0
	for _, b := range g.space.blocked {
		if slices.Contains(systemPaths, b) {
			continue // no file in there has a link elsewhere
		}
		_ = filepath.WalkDir(b, func(_ string, e fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if seen++; seen > maxLinked {
				g.tooBig = true
				return fs.SkipAll
			}
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				id, _ := idOf(info)
				g.linked[id] = true
			}
			return nil
		})
	}
}
