package sandbox

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A filter is built from rules, which are tried in order; what none of them
// matches is allowed.

// verdict is what the kernel does with a matched call.
type verdict uint32

const (
	verdictAllow  verdict = unix.SECCOMP_RET_ALLOW
	verdictKill   verdict = unix.SECCOMP_RET_KILL_PROCESS
	verdictNotify verdict = unix.SECCOMP_RET_USER_NOTIF
)

func fails(errno unix.Errno) verdict { return unix.SECCOMP_RET_ERRNO | verdict(errno) }

// condition looks at the lower half of one argument: (argument & mask), compared
// with value.
type condition struct {
	argument int
	mask     uint32
	value    uint32
	unequal  bool
}

// callRule matches a system call whose conditions all hold.
type callRule struct {
	call       uintptr
	conditions []condition
	verdict    verdict
}

// Offsets in struct seccomp_data; the arguments follow, eight bytes each, on
// both architectures the lower half first.
const (
	offsetCall = 0
	offsetArch = 4
	offsetArgs = 16
)

// assemble builds the program. Calls of another architecture's interface, and
// of x32, end the process: their numbers mean something else. Numbers above
// last do not exist for this program and so not for the command either.
func assemble(rules []callRule, arch uint32, last uintptr) []unix.SockFilter {
	p := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, arch, 1, 0),
		answer(verdictKill),
		load(offsetCall),
	}
	if arch == unix.AUDIT_ARCH_X86_64 {
		p = append(p, jump(unix.BPF_JGE, x32Bit, 0, 1), answer(verdictKill))
	}
	p = append(p, jump(unix.BPF_JGT, uint32(last), 0, 1), answer(fails(unix.ENOSYS)))
	for _, r := range rules {
		p = append(p, r.assemble()...)
	}
	return append(p, answer(verdictAllow))
}

const x32Bit = 0x40000000

// assemble expects the number of the call in the accumulator and leaves it
// there.
func (r callRule) assemble() []unix.SockFilter {
	var body []unix.SockFilter
	for i, c := range r.conditions {
		left := len(r.conditions) - i - 1
		toEnd := uint8(4*left + 1) // over the conditions that are left, and the answer
		match, miss := uint8(0), toEnd
		if c.unequal {
			match, miss = miss, match
		}
		body = append(body, load(offsetArgs+8*uint32(c.argument)), and(c.mask), jump(unix.BPF_JEQ, c.value, match, miss))
		if left > 0 {
			body = append(body, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA}) // keeps each condition four long
		}
	}
	body = append(body, answer(r.verdict))
	if len(r.conditions) > 0 {
		body = append(body, load(offsetCall))
	}
	return append([]unix.SockFilter{jump(unix.BPF_JEQ, uint32(r.call), 0, uint8(len(body)))}, body...)
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func and(mask uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask}
}

func jump(test uint16, k uint32, ifTrue, ifFalse uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: ifTrue, Jf: ifFalse}
}

func answer(v verdict) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(v)}
}

// seccompWorks says why this kernel cannot filter system calls; nil: it can.
func seccompWorks() error {
	action := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return fmt.Errorf("seccomp filter (%w: the kernel was built without it)", errno)
	}
	if auditArch == 0 {
		return fmt.Errorf("seccomp filter for %s", runtime.GOARCH)
	}
	return nil
}

// applySeccomp filters the calls of the calling thread and of all it starts.
// With listen it returns a descriptor on which calls of verdictNotify arrive.
func applySeccomp(program []unix.SockFilter, listen bool) (listener int, err error) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	var flags uintptr
	if listen {
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, fmt.Errorf("apply the seccomp filter: %w", errno)
	}
	return int(fd), nil
}
