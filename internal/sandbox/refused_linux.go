package sandbox

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// seccompNotification and seccompAnswer are struct seccomp_notif and struct
// seccomp_notif_resp, which package unix lacks.
type seccompNotification struct {
	id    uint64
	pid   uint32
	flags uint32
	call  int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type seccompAnswer struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// answerRefused refuses the requests for internet sockets that arrive at
// listener, and notes that there were some. It returns when nobody is left who
// could ask.
func (s *supervisor) answerRefused(listener int) {
	for {
		var n seccompNotification
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
		switch errno {
		case 0:
		case unix.EINTR, unix.EAGAIN:
			continue
		default: // ENOENT: whoever asked is gone; else: all are
			if errno != unix.ENOENT {
				return
			}
			continue
		}
		s.refused.Store(true)
		a := seccompAnswer{id: n.id, errno: -int32(unix.EPERM)}
		// It fails when whoever asked is gone.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	}
}
