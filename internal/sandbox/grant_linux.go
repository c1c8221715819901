package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxRules bounds the rules of one job, and with it the time and memory that a
// directory with very many entries can take. What is beyond stays unreachable.
const maxRules = 20_000

// node is a directory or file on the way to a place.
type node struct {
	reach    reach
	set      bool // reach is its own, not its parent's
	children map[string]*node
}

// newTree puts places into a tree that begins at "/".
func newTree(places []place) *node {
	root := &node{}
	for _, p := range places {
		n := root
		for name := range strings.SplitSeq(strings.Trim(p.path, "/"), "/") {
			if name == "" {
				continue
			}
			if n.children[name] == nil {
				if n.children == nil {
					n.children = map[string]*node{}
				}
				n.children[name] = &node{}
			}
			n = n.children[name]
		}
		n.reach, n.set = p.reach, true
	}
	return root
}

// least returns the smallest reach in the tree, if it is below limit.
func (n *node) least(limit reach) reach {
	if n.set {
		limit = min(limit, n.reach)
	}
	for _, c := range n.children {
		limit = c.least(limit)
	}
	return limit
}

// granter turns places into Landlock rules. Landlock only allows: where
// something in a directory is less reachable than the rest of it, each other
// entry gets a rule of its own.
type granter struct {
	ruleset *ruleset
	hidden  map[fileID]bool // what is reached by no name
	rules   int
}

// errTooManyRules ends the adding of rules: what has none is out of reach.
var errTooManyRules = errors.New("too many rules")

func (g *granter) grant(places []place) error {
	g.hidden = map[fileID]bool{}
	for _, p := range places {
		var st unix.Stat_t
		if p.reach == reachNone && unix.Lstat(p.path, &st) == nil {
			g.hidden[idOf(&st)] = true
		}
	}
	err := g.visit("/", newTree(places), reachNone)
	if errors.Is(err, errTooManyRules) {
		return nil
	}
	return err
}

func idOf(st *unix.Stat_t) fileID { return fileID{Dev: st.Dev, Ino: st.Ino} }

// visit makes the rules for path and what is below it; n is what the places say
// of it, nil: nothing. around is the reach of the directory it is in.
func (g *granter) visit(path string, n *node, around reach) error {
	own := around
	if n != nil && n.set {
		own = n.reach
	}
	if n == nil || n.least(own) == own { // one rule does for all
		if err := g.allow(path, own); err != nil {
			return err
		}
		return g.visitNamed(path, n, own)
	}
	dir := openDir(path)
	if dir == nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(maxRules) // what could not be read gets no rule
	for _, name := range names {
		var err error
		if child := n.children[name]; child != nil {
			err = g.visit(filepath.Join(path, name), child, own)
		} else {
			err = g.allowIn(dir, name, own)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openDir opens a directory; nil if it cannot be read or a part of the path is a
// symbolic link: what that leads to is visited by its own path, with all that
// the places say of it.
func openDir(path string) *os.File {
	at, err := openExact(path)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(at) }()
	fd, err := unix.Openat(at, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), path)
}

// visitNamed visits what the places name below path.
func (g *granter) visitNamed(path string, n *node, around reach) error {
	if n == nil {
		return nil
	}
	for name, child := range n.children {
		if err := g.visit(filepath.Join(path, name), child, around); err != nil {
			return err
		}
	}
	return nil
}

// allow makes a rule for what stands at path. Symbolic links need none: what
// they lead to has its own.
func (g *granter) allow(path string, reach reach) error {
	if reach == reachNone {
		return nil
	}
	fd, err := openExact(path)
	if err != nil {
		return nil // gone, unreadable anyway, or a link that an earlier command made
	}
	defer func() { _ = unix.Close(fd) }()
	return g.allowFile(fd, reach)
}

// allowIn is allow for an entry of a directory, of which nothing else is said.
func (g *granter) allowIn(dir *os.File, name string, reach reach) error {
	if reach == reachNone {
		return nil
	}
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // likewise
	}
	defer func() { _ = unix.Close(fd) }()
	return g.allowFile(fd, reach)
}

func (g *granter) allowFile(fd int, reach reach) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK || g.hidden[idOf(&st)] {
		return nil
	}
	if g.rules++; g.rules > maxRules {
		return errTooManyRules
	}
	rights := uint64(rightsRead)
	if reach == reachWrite {
		rights |= rightsWrite
	}
	return g.ruleset.allow(fd, st.Mode&unix.S_IFMT == unix.S_IFDIR, rights)
}
