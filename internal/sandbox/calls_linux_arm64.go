package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	lastCall  = unix.SYS_LISTNS
)

// refusedHere are refusedCalls that only this architecture has.
var refusedHere []uintptr
