package sandbox

import (
	"fmt"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// minLandlock is the version of Landlock's interface that ModeRequire wants:
// the first that keeps files outside from being cut to nothing (truncate).
const minLandlock = 3

// Rights to files, by what they are good for.
const (
	rightsReadFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	rightsRead     = rightsReadFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	rightsWrite    = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	// rightsDevice are no part of rightsWrite: only the devices listed get them.
	rightsDevice = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	// rightsOfFiles are those that mean something for what is no directory.
	rightsOfFiles = rightsReadFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	rightsTCP = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	scopes    = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
)

// landlockABI returns the version of this kernel's Landlock; 0 and the reason:
// there is none.
func landlockABI() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

// handled returns what a kernel with this version of Landlock can deny, out of
// what this program knows. Asking for more would fail; what is missing is for
// gapsOf to say.
func handled(abi int, network bool) unix.LandlockRulesetAttr {
	a := unix.LandlockRulesetAttr{Handled_access_fs: rightsRead | rightsWrite | rightsDevice}
	if abi < 2 {
		a.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_REFER // denied in any case then
	}
	if abi < 3 {
		a.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi < 5 {
		a.Handled_access_fs &^= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 4 {
		a.Handled_access_net = rightsTCP
		if network { // binding harms nobody then
			a.Handled_access_net = unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		}
	}
	if abi >= 6 {
		a.Scoped = scopes
	}
	return a
}

// ruleset is a Landlock ruleset in the making.
type ruleset struct {
	fd     int
	handle unix.LandlockRulesetAttr
}

func newRuleset(handle unix.LandlockRulesetAttr) (*ruleset, error) {
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handle)), unsafe.Sizeof(handle), 0)
	if errno != 0 {
		return nil, fmt.Errorf("make a Landlock ruleset: %w", errno)
	}
	return &ruleset{fd: int(fd), handle: handle}, nil
}

func (r *ruleset) close() { _ = unix.Close(r.fd) }

// allow gives rights to what the descriptor fd is, a directory with all below.
func (r *ruleset) allow(fd int, directory bool, rights uint64) error {
	rights &= r.handle.Handled_access_fs
	if !directory {
		rights &= rightsOfFiles
	}
	if rights == 0 {
		return nil
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("add a Landlock rule: %w", errno)
	}
	return nil
}

// ruleNetPort and netPortRule are LANDLOCK_RULE_NET_PORT and struct
// landlock_net_port_attr, which package unix lacks.
const ruleNetPort = 2

type netPortRule struct{ access, port uint64 }

// connectAllBut allows TCP connections to every port but one.
func (r *ruleset) connectAllBut(port int) error {
	rule := netPortRule{access: unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}
	for p := range 1 << 16 {
		if p == port {
			continue
		}
		rule.port = uint64(p)
		_, _, errno := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
		if errno != 0 {
			return fmt.Errorf("add a Landlock rule for port %d: %w", p, errno)
		}
	}
	return nil
}

// restrict binds the calling thread, and all it starts from now on.
func (r *ruleset) restrict() error {
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); errno != 0 {
		return fmt.Errorf("apply Landlock: %w", errno)
	}
	return nil
}

// applyLandlock confines the calling thread to the places of c.
func applyLandlock(c *cell, abi int) error {
	handle := handled(abi, c.network)
	if c.network && c.port == 0 {
		handle.Handled_access_net = 0
	}
	r, err := newRuleset(handle)
	if err != nil {
		return err
	}
	defer r.close()
	// Names are visible everywhere: a right to a directory holds for all below
	// it, and without this one the user's home could not be listed.
	if err := r.allowPath("/", unix.LANDLOCK_ACCESS_FS_READ_DIR); err != nil {
		return err
	}
	if err := allowDevices(r, c.terminals); err != nil {
		return err
	}
	g := granter{ruleset: r}
	if err := g.grant(c.places); err != nil {
		return err
	}
	if c.network && c.port != 0 && abi >= 4 {
		if err := r.connectAllBut(c.port); err != nil {
			return err
		}
	}
	return r.restrict()
}

// allowPath gives rights to what stands at path, which must exist.
func (r *ruleset) allowPath(path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return r.allow(fd, st.Mode&unix.S_IFMT == unix.S_IFDIR, rights)
}

// devices are what a command can use of /dev. Disks, memory and the like are
// not among them.
var devices = []string{
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
}

// allowDevices allows devices and those in also: a command uses its own
// terminal, not those of the user.
func allowDevices(r *ruleset, also []string) error {
	for _, path := range slices.Concat(devices, also) {
		err := r.allowPath(path, unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE|
			unix.LANDLOCK_ACCESS_FS_TRUNCATE|unix.LANDLOCK_ACCESS_FS_IOCTL_DEV)
		if err != nil && !os.IsNotExist(err) { // a container may have fewer
			return err
		}
	}
	return nil
}
