package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where this program may make no user namespaces, bwrap may: some systems allow
// it alone to, some have it setuid root, and for root it needs none. What it
// starts has no capabilities, so that all mounts are arguments of bwrap's; the
// supervisor, then the first process inside, only looks whether they are right.

// The descriptors that a supervisor in bwrap has besides.
const (
	fdProgram   = 7 // this program
	fdArguments = 8 // bwrap's arguments; it closes them
)

// programInside is this program, fdProgram, as bwrap starts it. It is the
// argv[0] as well, so that supervisorName is an argument.
const programInside = "/proc/self/fd/7"

// inBubblewrap makes cmd, which starts a supervisor, start it by bwrap, for c.
// tty is the command's own terminal; "": it has none. The caller calls release
// after the start, also a failed one.
func inBubblewrap(cmd *exec.Cmd, c *cell, tty string) (release func(), err error) {
	var opened []*os.File
	release = func() {
		for _, f := range opened {
			_ = f.Close()
		}
	}
	path, setuid, err := findBubblewrap()
	if err != nil {
		return release, err
	}
	args, err := bubblewrapArguments(c, tty, setuid)
	if err != nil {
		return release, err
	}
	program, err := os.OpenFile(cmd.Path, unix.O_PATH, 0)
	if err != nil {
		return release, err
	}
	opened = append(opened, program)
	// Not on the command line: every user could read the paths there.
	list, err := memoryFile(strings.Join(args, "\x00"))
	if err != nil {
		return release, err
	}
	opened = append(opened, list)
	said, err := memoryFile("")
	if err != nil {
		return release, err
	}
	cmd.Path = path
	cmd.Args = []string{"bwrap", "--args", strconv.Itoa(fdArguments), programInside, supervisorName}
	cmd.ExtraFiles = append(cmd.ExtraFiles, program, list)
	cmd.Stderr = said // closed by converse
	return release, nil
}

// memoryFile returns a file without a name that holds text.
func memoryFile(text string) (*os.File, error) {
	fd, err := unix.MemfdCreate("openclaw", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "memory")
	if _, err := f.WriteAt([]byte(text), 0); err != nil { // the position stays at the beginning
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// saidMost is how much of bwrap's complaint is kept, in bytes.
const saidMost = 300

// said returns what cmd wrote to say why it failed; "": it is not bwrap, or it
// did not fail by itself.
func said(cmd *exec.Cmd) string {
	f, ok := cmd.Stderr.(*os.File)
	if !ok {
		return ""
	}
	text := make([]byte, saidMost)
	n, err := f.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(text[:n]), "")), " ")
}

// closeSaid closes where said reads.
func closeSaid(cmd *exec.Cmd) {
	if f, ok := cmd.Stderr.(*os.File); ok {
		_ = f.Close()
	}
}

// bubblewrapDirs are where bwrap is looked for. The caller's PATH may lead to
// what a command has written.
var bubblewrapDirs = []string{"/usr/bin", "/usr/local/bin", "/bin"}

// findBubblewrap returns a bwrap that nobody but root can have put there, and
// whether it has root's rights when this process starts it.
func findBubblewrap() (path string, setuid bool, err error) {
	for _, dir := range bubblewrapDirs {
		path := filepath.Join(dir, "bwrap")
		file, fileErr := os.Lstat(path)
		if fileErr != nil {
			continue
		}
		around, dirErr := os.Stat(dir)
		if dirErr == nil && file.Mode().IsRegular() && rootsAlone(file) && rootsAlone(around) {
			return path, file.Mode()&os.ModeSetuid != 0 && os.Getuid() != 0, nil
		}
		err = fmt.Errorf("%s is no file that root alone can change", path)
	}
	if err == nil {
		err = errors.New("bwrap is not installed")
	}
	return "", false, err
}

func rootsAlone(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0 && info.Mode().Perm()&0o022 == 0
}

// bubblewrapArguments returns the arguments for c, whose places and mounts
// become those of the supervisor.
//
// There is no --die-with-parent: bwrap's parent is the thread that started it,
// which may end before this process does. The supervisor sees the end of the
// gateway, and of bwrap, by itself.
func bubblewrapArguments(c *cell, tty string, setuid bool) ([]string, error) {
	args := []string{"--unshare-pid", "--as-pid-1", "--unshare-ipc", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"}
	if !c.network {
		args = append(args, "--unshare-net")
	}
	if tty != "" { // the names of the others, which lead nowhere
		args = append(args, "--ro-bind", ptsDir, ptsDir, "--dev-bind", tty, tty)
	}
	if !setuid { // then it is refused, and the system's own limit holds
		args = append(args, "--size", strconv.Itoa(sharedMemorySize))
	}
	args = append(args, "--perms", "1777", "--tmpfs", "/dev/shm")
	mounts, err := mountArguments(c)
	return append(append(args, mounts...), "--remount-ro", "/dev"), err
}

// mountArguments returns the arguments for the places of c that are a matter of
// mounts. c keeps the others, and what the arguments are to mount.
func mountArguments(c *cell) (args []string, err error) {
	hide := planHidings(c.places)
	var closed []string // once all is shown in there
	for _, p := range mountsOf(c.places, hide) {
		now, err := lookAt(p.path)
		switch {
		case err == nil:
		case p.reach == reachNone && !absent(err):
			return nil, fmt.Errorf("hide %s: %w", p.path, err)
		default:
			continue // nothing to hide, or to be written or shown
		}
		c.mounts = append(c.mounts, mount{Path: []byte(p.path), Hide: p.reach == reachNone, File: now.file})
		switch {
		case p.reach == reachWrite:
			args = append(args, "--dev-bind", p.path, p.path)
		case p.reach == reachRead:
			args = append(args, "--ro-bind", p.path, p.path)
		case now.directory:
			args = append(args, "--tmpfs", p.path)
			closed = append(closed, "--remount-ro", p.path)
		default:
			args = append(args, "--ro-bind", os.DevNull, p.path)
		}
	}
	c.places = append(hide.left, place{"/dev/shm", reachWrite})
	return append(args, closed...), nil
}

// mountsOf returns where something is to be mounted, and with which reach, what
// is around something before it.
func mountsOf(places []place, hide hidings) []place {
	var list []place
	for _, h := range hide.steps {
		switch {
		case h.pin:
			list = append(list, place{h.path, reachWrite})
		case h.show:
			list = append(list, place{h.path, reachRead})
		default:
			list = append(list, place{h.path, reachNone})
		}
	}
	for _, p := range places {
		if p.reach == reachWrite {
			list = append(list, p)
		}
	}
	list = lastOfEach(list)
	slices.SortStableFunc(list, func(a, b place) int { return cmp.Compare(len(a.path), len(b.path)) })
	return list
}

// seen is what stands at a path.
type seen struct {
	file      fileID
	directory bool
	mounted   bool // something is mounted right there
}

func lookAt(path string) (seen, error) {
	at, err := openExact(path)
	if err != nil {
		return seen{}, err
	}
	defer func() { _ = unix.Close(at) }()
	var st unix.Statx_t
	if err := unix.Statx(at, "", unix.AT_EMPTY_PATH, unix.STATX_TYPE|unix.STATX_INO, &st); err != nil {
		return seen{}, err
	}
	return seen{
		file:      fileID{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino},
		directory: st.Mode&unix.S_IFMT == unix.S_IFDIR,
		mounted:   st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0,
	}, nil
}

// checkMounts looks whether all is mounted as it was planned. bwrap follows
// symbolic links, and another command may have put one where it can write, after
// the plan was made: bwrap would have taken something else than was meant, or
// put it elsewhere. Each mount is in its place, so none is anywhere else.
func checkMounts(list []mount) error {
	for _, m := range list {
		now, err := lookAt(string(m.Path))
		if err == nil && (!now.mounted || (now.file == m.File) == m.Hide) {
			err = errors.New("it was changed meanwhile")
		}
		if err != nil {
			return fmt.Errorf("mount %s by bwrap: %w", m.Path, err)
		}
	}
	return nil
}

// startInside prepares a supervisor that bwrap has started, for c.
func startInside(c *cell) error {
	// bwrap, which waits outside, is what the gateway can kill.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("end with bwrap: %w", err)
	}
	// bwrap cannot give a device that is read-only as a file. Root, whose command
	// could change its mode, can make it so; to others it does not belong.
	for _, path := range devices {
		_ = unix.MountSetattr(unix.AT_FDCWD, path, 0, &readOnly)
	}
	return checkMounts(c.mounts)
}
