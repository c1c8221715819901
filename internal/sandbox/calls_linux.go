package sandbox

import "golang.org/x/sys/unix"

// newNamespaces are clone's flags that make a namespace.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// refusedCalls are calls that no command needs and that reach around the other
// layers, or widen what the kernel can be attacked by.
var refusedCalls = []uintptr{
	// other processes
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	unix.SYS_PROCESS_MADVISE, unix.SYS_PERF_EVENT_OPEN,
	// another view of the file system, which Landlock's rules do not mean
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG,
	unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR,
	unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT,
	// namespaces, beside clone
	unix.SYS_UNSHARE, unix.SYS_SETNS,
	// programs and secrets in the kernel
	unix.SYS_BPF, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_USERFAULTFD,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	// the machine
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_SETHOSTNAME,
	unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
}

// absentCalls do for a command as if the kernel were older: programs have
// another way. io_uring would open sockets past the filter, and the filter
// cannot see the flags of clone3.
var absentCalls = []uintptr{
	unix.SYS_CLONE3, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
}

// sharedMemory is System V's and POSIX's way to meet other processes by a name
// that is no file; refused where there is no IPC namespace.
var sharedMemory = []uintptr{
	unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET, unix.SYS_MSGGET, unix.SYS_MQ_OPEN,
}

// filterOf returns the rules for a command. refused is what happens with a
// request for an internet socket.
func filterOf(network, ipc bool, refused verdict) []callRule {
	var rules []callRule
	deny := func(v verdict, calls ...uintptr) {
		for _, c := range calls {
			rules = append(rules, callRule{call: c, verdict: v})
		}
	}
	deny(fails(unix.EPERM), refusedCalls...)
	deny(fails(unix.EPERM), refusedHere...)
	deny(fails(unix.ENOSYS), absentCalls...)
	if !ipc {
		deny(fails(unix.EPERM), sharedMemory...)
	}
	rules = append(rules, argumentRules...)
	return append(rules, socketRules(network, refused)...)
}

// argumentRules are calls that some arguments make dangerous.
var argumentRules = []callRule{
	{call: unix.SYS_CLONE, verdict: fails(unix.EPERM), conditions: []condition{{mask: newNamespaces, value: 0, unequal: true}}},
	// Limits of other processes: one second of processor time would end the
	// gateway, which Landlock does not keep from happening.
	{call: unix.SYS_PRLIMIT64, verdict: fails(unix.EPERM), conditions: []condition{{mask: ^uint32(0), value: 0, unequal: true}}},
	// Typing into a terminal, as if the user did.
	{call: unix.SYS_IOCTL, verdict: fails(unix.EPERM), conditions: []condition{{argument: 1, mask: ^uint32(0), value: unix.TIOCSTI}}},
	{call: unix.SYS_IOCTL, verdict: fails(unix.EPERM), conditions: []condition{{argument: 1, mask: ^uint32(0), value: tioclinux}}},
}

const tioclinux = 0x541c

// fastOpen are the calls that connect by sending, which Landlock does not see.
// They fail as where the machine's owner has switched TCP Fast Open off.
var fastOpen = []callRule{
	{call: unix.SYS_SENDTO, verdict: fails(unix.EOPNOTSUPP), conditions: []condition{{argument: 3, mask: unix.MSG_FASTOPEN, value: 0, unequal: true}}},
	{call: unix.SYS_SENDMSG, verdict: fails(unix.EOPNOTSUPP), conditions: []condition{{argument: 2, mask: unix.MSG_FASTOPEN, value: 0, unequal: true}}},
	{call: unix.SYS_SENDMMSG, verdict: fails(unix.EOPNOTSUPP), conditions: []condition{{argument: 3, mask: unix.MSG_FASTOPEN, value: 0, unequal: true}}},
}

// sockTypeMask leaves out SOCK_CLOEXEC and SOCK_NONBLOCK.
const sockTypeMask = 0xf

// socketRules allow pairs of connected sockets, and with network the internet
// and the kernel's account of it. Sockets with a path lead to services that act
// for the user, such as a session bus; datagram pairs can be turned to one.
func socketRules(network bool, refused verdict) []callRule {
	family := func(f uint32) condition { return condition{argument: 0, mask: ^uint32(0), value: f} }
	protocol := func(p uint32) condition { return condition{argument: 2, mask: ^uint32(0), value: p} }
	kind := func(t uint32) condition { return condition{argument: 1, mask: sockTypeMask, value: t} }
	var rules []callRule
	rule := func(call uintptr, v verdict, c ...condition) {
		rules = append(rules, callRule{call: call, verdict: v, conditions: c})
	}
	if network {
		for _, f := range []uint32{unix.AF_INET, unix.AF_INET6} {
			// Landlock does not see what other protocols connect, MPTCP and SMC among them.
			rule(unix.SYS_SOCKET, verdictAllow, family(f), kind(unix.SOCK_STREAM), protocol(0))
			rule(unix.SYS_SOCKET, verdictAllow, family(f), kind(unix.SOCK_STREAM), protocol(unix.IPPROTO_TCP))
			rule(unix.SYS_SOCKET, fails(unix.EPROTONOSUPPORT), family(f), kind(unix.SOCK_STREAM))
			rule(unix.SYS_SOCKET, verdictAllow, family(f), kind(unix.SOCK_DGRAM))
		}
		rule(unix.SYS_SOCKET, verdictAllow, family(unix.AF_NETLINK), protocol(unix.NETLINK_ROUTE))
		rules = append(rules, fastOpen...)
	} else {
		rule(unix.SYS_SOCKET, refused, family(unix.AF_INET))
		rule(unix.SYS_SOCKET, refused, family(unix.AF_INET6))
	}
	rule(unix.SYS_SOCKET, fails(unix.EPERM))
	rule(unix.SYS_SOCKETPAIR, verdictAllow, family(unix.AF_UNIX), kind(unix.SOCK_STREAM))
	rule(unix.SYS_SOCKETPAIR, verdictAllow, family(unix.AF_UNIX), kind(unix.SOCK_SEQPACKET))
	rule(unix.SYS_SOCKETPAIR, fails(unix.EPERM))
	return rules
}
