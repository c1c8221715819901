package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// inNamespaces makes attr start a process in namespaces of its own. Users and
// groups keep their numbers, as far as this process may say so; the others are
// shown as nobody.
func inNamespaces(attr *syscall.SysProcAttr, network bool) {
	attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC
	if !network {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	attr.UidMappings = idMappings("/proc/self/uid_map", os.Getuid(), os.Geteuid() == 0)
	attr.GidMappings = idMappings("/proc/self/gid_map", os.Getgid(), os.Geteuid() == 0)
	attr.GidMappingsEnableSetgroups = false
	if os.Geteuid() != 0 { // who has no capabilities after an exec, also in a namespace of its own
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE}
	}
}

// idMappings maps all ids of this process's user namespace to themselves if
// all is true and they can be read, else only id.
func idMappings(file string, id int, all bool) []syscall.SysProcIDMap {
	one := []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	if !all {
		return one
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return one
	}
	var list []syscall.SysProcIDMap
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line) // first id here, first id outside, how many
		if len(f) != 3 {
			return one
		}
		first, err := strconv.Atoi(f[0])
		size, err2 := strconv.Atoi(f[2])
		if err != nil || err2 != nil {
			return one
		}
		list = append(list, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: size})
	}
	return list
}

// arrangeMounts gives this process, in a mount namespace of its own, the view
// that its command shall have: its own processes only in /proc, private shared
// memory, and all else read-only save what may be written. Unlike Landlock this
// also keeps modes, owners, times and attributes from being changed. It returns
// the places that are left for Landlock.
func arrangeMounts(places []place) ([]place, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return nil, fmt.Errorf("mount /proc: %w", err)
	}
	hide := planHidings(places)
	if err := hide.apply(); err != nil {
		return nil, err
	}
	if err := makeReadOnly(places, hide.steps); err != nil {
		return nil, err
	}
	err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size="+strconv.Itoa(sharedMemorySize))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("mount /dev/shm: %w", err)
	}
	return append(hide.left, place{"/dev/shm", reachWrite}), nil
}

// makeReadOnly makes the file system read-only but for what may be written.
// What is hidden in there stays read-only.
func makeReadOnly(places []place, hidden []hiding) error {
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return fmt.Errorf("make the file system read-only: %w", err)
	}
	sorted := slices.Clone(places)
	slices.SortStableFunc(sorted, func(a, b place) int { return cmp.Compare(len(a.path), len(b.path)) })
	for _, p := range sorted {
		if p.reach != reachWrite {
			continue
		}
		if err := makeWritable(p.path, hidden); err != nil {
			return fmt.Errorf("make %s writable: %w", p.path, err)
		}
	}
	return nil
}

var (
	readOnly = unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	writable = unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
)

// makeWritable mounts what stands at path over itself, writable. It is held by
// a descriptor all the time, so that no earlier command can have put a symbolic
// link there.
func makeWritable(path string, hidden []hiding) error {
	at, err := openExact(path)
	if err != nil {
		return nil // nothing is there that may be written
	}
	defer func() { _ = unix.Close(at) }()
	tree, err := unix.OpenTree(at, "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(tree) }()
	err = unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &writable)
	if errors.Is(err, unix.EPERM) { // what was read-only before, here or below, stays so
		err = unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &writable)
		if errors.Is(err, unix.EPERM) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	err = unix.MoveMount(tree, "", at, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	if err != nil {
		return err
	}
	for _, h := range hidden { // of what is not attached, only the root can be changed
		if rel, err := filepath.Rel(path, h.path); err == nil && h.closed && rel != "." && filepath.IsLocal(rel) {
			if err := unix.MountSetattr(tree, rel, unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW, &readOnly); err != nil {
				return fmt.Errorf("keep %s hidden: %w", rel, err)
			}
		}
	}
	return nil
}

// keepWritable returns a descriptor of a directory that stays writable when the
// file system is made read-only; -1: there is none.
func keepWritable(dir string) int {
	fd, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1
	}
	return fd
}

// openExact opens what stands at path, if no part of that is a symbolic link.
func openExact(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	real, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err == nil && real != path {
		err = unix.ELOOP
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		err = unix.ELOOP
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// terminals returns the terminals that a command may open by name: its own if
// it has one, else, in namespaces, those that it makes itself.
func terminals(layer Layer, own bool) []string {
	if own {
		path := terminalAt(fdStdin)
		if path == "" {
			return nil
		}
		return []string{path}
	}
	if !layer.apart() {
		return nil // nobody could tell its terminals from those of the user
	}
	if layer == LayerBubblewrap {
		return []string{ptsDir} // it was mounted from outside
	}
	if err := unix.Mount("devpts", ptsDir, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600"); err != nil {
		return nil // it does without
	}
	return []string{ptsDir}
}

// terminalAt returns the path of the terminal that a descriptor is; "": it is
// none.
func terminalAt(fd int) string {
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil || filepath.Dir(path) != ptsDir {
		return ""
	}
	return path
}

const ptsDir = "/dev/pts"

// sharedMemorySize bounds /dev/shm, in bytes.
const sharedMemorySize = 1 << 30
