package sandbox_test

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// networkEscapes reach something that listens.
var networkEscapes = []escape{
	{name: "TCP", try: dials("tcp", func(p prison) string { return p.tcp })},
	{name: "UDP", try: dials("udp", func(p prison) string { return p.udp })},
	{name: "MPTCP", helpless: true, try: func(p prison) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
		if err != nil {
			return err
		}
		a, err := net.ResolveTCPAddr("tcp", p.mptcp)
		if err != nil {
			return err
		}
		return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: a.Port})
	}},
	// Data in the first packet: no connect, which is all that Landlock sees.
	{name: "TCP Fast Open", try: func(p prison) error {
		fd, to, err := socketTo(p, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, to)
	}},
	{name: "TCP Fast Open by a message", try: func(p prison) error {
		fd, to, err := socketTo(p, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		return unix.Sendmsg(fd, []byte("x"), nil, to, unix.MSG_FASTOPEN)
	}},
	{name: "TCP Fast Open by several messages", try: func(p prison) error {
		fd, to, err := socketTo(p, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		name := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: uint16(to.Port>>8 | to.Port&0xff<<8), Addr: to.Addr}
		data := []byte("x")
		part := unix.Iovec{Base: &data[0], Len: 1}
		message := struct {
			head unix.Msghdr
			sent uint64
		}{head: unix.Msghdr{Name: (*byte)(unsafe.Pointer(&name)), Namelen: unix.SizeofSockaddrInet4, Iov: &part, Iovlen: 1}}
		return errnoOf(syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&message)), 1, unix.MSG_FASTOPEN, 0, 0))
	}},
	// It connects inside of the kernel.
	{name: "SMC", helpless: true, try: func(p prison) error {
		const smc = 256 // IPPROTO_SMC, from Linux 6.11
		fd, to, err := socketTo(p, smc)
		if err != nil {
			return err
		}
		return unix.Connect(fd, to)
	}},
	{name: "TCP through io_uring", try: func(prison) error {
		var params [120]byte
		return errnoOf(syscall.RawSyscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0))
	}},
	{name: "raw packets", helpless: true, try: func(prison) error {
		_, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		return err
	}},
	{name: "a socket with a path", try: dials("unix", func(p prison) string { return p.file("socket") })},
	{name: "an abstract socket", try: dials("unix", func(p prison) string { return "@" + p.home })},
	{name: "a datagram pair turned to a path", try: func(p prison) error {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		return unix.Sendto(pair[0], []byte("x"), 0, &unix.SockaddrUnix{Name: p.file("datagrams")})
	}},
}

// socketTo returns a stream socket of a protocol, and where the gateway listens.
func socketTo(p prison, protocol int) (fd int, to *unix.SockaddrInet4, err error) {
	a, err := net.ResolveTCPAddr("tcp", p.tcp)
	if err != nil {
		return -1, nil, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, protocol)
	return fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: a.Port}, err
}
