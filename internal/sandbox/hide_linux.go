package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Landlock only allows, so a directory with something blocked in it cannot be
// written to: each entry would need a rule, and new ones would have none. In a
// mount namespace something empty is mounted over what is blocked instead, and
// the directory stays whole.

// hidings are what is to be mounted over, and back, in this order.
type hidings struct {
	steps []hiding
	left  []place // the places that are still for Landlock
}

type hiding struct {
	path   string
	show   bool // it is to be seen again, in what hides it
	tree   int  // with show: it, held open; -1: nothing is there
	pin    bool // nothing is hidden: a mount point cannot be moved away
	closed bool // something was mounted there that is to be read-only
}

// planHidings looks at places inside what can be written.
func planHidings(places []place) hidings {
	sorted := slices.Clone(places)
	slices.SortStableFunc(sorted, func(a, b place) int { return cmp.Compare(len(a.path), len(b.path)) })
	var h hidings
	covered := map[string]bool{} // places that are hidden, or seen again
	for i, p := range sorted {
		around, ok := innermost(sorted[:i], p.path)
		switch {
		case !ok || around.path == p.path:
		case p.reach == reachNone && around.reach == reachWrite:
			covered[p.path] = true
			h.pin(around.path, p.path)
			h.steps = append(h.steps, hiding{path: p.path})
			continue
		case covered[around.path] && p.reach != reachNone:
			covered[p.path] = true
			h.steps = append(h.steps, hiding{path: p.path, show: true})
			continue
		case covered[around.path]:
			covered[p.path] = true
			continue
		}
		h.left = append(h.left, p)
	}
	return h
}

// pin keeps the folders between two paths where they are: a command that moved
// one would uncover for the next command what is hidden in there.
func (h *hidings) pin(from, to string) {
	var above []hiding
	for dir := filepath.Dir(to); dir != from; dir = filepath.Dir(dir) {
		above = append(above, hiding{path: dir, pin: true})
	}
	slices.Reverse(above)
	for _, p := range above {
		if !slices.ContainsFunc(h.steps, func(s hiding) bool { return s.path == p.path }) {
			h.steps = append(h.steps, p)
		}
	}
}

// apply hides, and shows what it took hold of before.
func (h hidings) apply() error {
	for i := range h.steps {
		if err := h.steps[i].hold(); err != nil {
			return err
		}
	}
	for i := range h.steps {
		s := &h.steps[i]
		err := s.apply()
		if err != nil && !absent(err) {
			return fmt.Errorf("hide %s: %w", s.path, err)
		}
		s.closed = err == nil && !s.pin
	}
	return nil
}

// absent says that there is nothing to hide; what a symbolic link leads to is
// a place of its own.
func absent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR)
}

// hold opens what is to be seen again, and nothing that a link leads to: that
// could be what is about to be hidden.
func (s *hiding) hold() error {
	if !s.show {
		return nil
	}
	s.tree = -1
	at, err := openExact(s.path)
	if err == nil {
		s.tree, err = unix.OpenTree(at, "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		_ = unix.Close(at)
	}
	if err != nil && !absent(err) {
		return fmt.Errorf("keep %s: %w", s.path, err)
	}
	return nil
}

func (s *hiding) apply() error {
	if s.show {
		return s.showAgain()
	}
	at, err := openExact(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(at) }()
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return err
	}
	target := "/proc/self/fd/" + strconv.Itoa(at)
	switch {
	case s.pin:
		return unix.Mount(target, target, "", unix.MS_BIND|unix.MS_REC, "")
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=555,size=64k")
	}
	return unix.Mount(os.DevNull, target, "", unix.MS_BIND, "")
}

// showAgain mounts what was there before into what hides it.
func (s *hiding) showAgain() error {
	if s.tree < 0 {
		return unix.ENOENT
	}
	defer func() { _ = unix.Close(s.tree) }()
	var st unix.Stat_t
	if err := unix.Fstat(s.tree, &st); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return err
	}
	var err error
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		err = os.Mkdir(s.path, 0o755)
	} else {
		err = makeFile(s.path)
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	at, err := openExact(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(at) }()
	return unix.MoveMount(s.tree, "", at, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// makeFile makes an empty file, where there is nothing.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
