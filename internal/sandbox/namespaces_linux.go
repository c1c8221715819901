package sandbox

import (
	"errors"
	"fmt"
	"os"
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
// also keeps modes, owners, times and attributes from being changed.
func arrangeMounts(places []place) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	limitNumbers()
	var open []string
	for _, p := range places {
		if p.reach != reachWrite {
			continue
		}
		err := unix.Mount(p.path, p.path, "", unix.MS_BIND|unix.MS_REC, "")
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", p.path, err)
		}
		open = append(open, p.path)
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return fmt.Errorf("make the file system read-only: %w", err)
	}
	for _, path := range open {
		if err := makeWritable(path); err != nil {
			return err
		}
	}
	err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size="+strconv.Itoa(sharedMemorySize))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("mount /dev/shm: %w", err)
	}
	return nil
}

// sharedMemorySize bounds /dev/shm, in bytes.
const sharedMemorySize = 1 << 30

// makeWritable undoes read-only for the mount at path and those in it. A file
// system in there that was read-only before cannot be undone, and stays.
func makeWritable(path string) error {
	writable := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &writable)
	if errors.Is(err, unix.EPERM) {
		err = unix.MountSetattr(unix.AT_FDCWD, path, 0, &writable)
	}
	if errors.Is(err, unix.EPERM) {
		return nil // all of it was
	}
	if err != nil {
		return fmt.Errorf("make %s writable: %w", path, err)
	}
	return nil
}

// limitNumbers bounds the processes of this namespace, for users whose
// RLIMIT_NPROC the kernel does not heed. Kernels before 6.14 have one bound for
// the whole machine and refuse; there the supervisor counts.
func limitNumbers() bool {
	return os.WriteFile("/proc/sys/kernel/pid_max", []byte(strconv.Itoa(limitProcesses)), 0) == nil
}
