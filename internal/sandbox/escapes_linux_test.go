package sandbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/creack/pty"

	"github.com/openclaw/openclaw-go/internal/sandbox"
	"golang.org/x/sys/unix"
)

// escape is something a command must not be able to do. It runs as a process
// of its own in the sandbox, and once more outside of it: there it must
// succeed, or it would prove nothing.
type escape struct {
	name string
	try  func(p prison) error // nil: it got out
	// open are layers that cannot prevent it; docs/security.md says so.
	open []sandbox.Layer
	// helpless says that it may fail outside too: the kernel or the test's user
	// may not have what it needs.
	helpless bool
}

// prison is what an escape knows of its surroundings.
type prison struct {
	home    string // with secrets, a workspace and other files
	gateway int    // the process that started the command
	tcp     string // addresses on which the gateway listens
	udp     string
	mptcp   string
	fd      int    // a file that the gateway has open
	tty     string // a terminal of the user's
}

func (p prison) file(name string) string { return filepath.Join(p.home, name) }

const (
	prisonVariable = "SANDBOX_TEST_PRISON" // home, gateway, addresses; separated by "|"
	escapeVariable = "SANDBOX_TEST_ESCAPE" // the name of the escape to try
	refusedCode    = 10
)

func reads(path func(p prison) string) func(prison) error {
	return func(p prison) error { return readAll(path(p)) }
}

// readAll reads at least one byte of a file.
func readAll(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.ReadFull(f, make([]byte, 1))
	return err
}

func ofGateway(name string) func(prison) string {
	return func(p prison) string { return fmt.Sprintf("/proc/%d/%s", p.gateway, name) }
}

func errnoOf(_ uintptr, _ uintptr, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func opens(path string, flags int) func(prison) error {
	return func(prison) error {
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
}

func dials(network string, address func(p prison) string) func(prison) error {
	return func(p prison) error {
		c, err := net.DialTimeout(network, address(p), 5*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("x"))
		return err
	}
}

var onlyLandlock = []sandbox.Layer{sandbox.LayerLandlock}

var escapes = slices.Concat(localEscapes, networkEscapes)

// localEscapes reach files, processes and the kernel.
var localEscapes = []escape{
	// files
	{name: "read a secret", try: reads(func(p prison) string { return p.file(".ssh/id_ed25519") })},
	{name: "read a secret deep below", try: reads(func(p prison) string { return p.file("a/b/c/token") })},
	{name: "read the gateway's database", try: reads(func(p prison) string { return p.file(".openclaw/openclaw.db") })},
	{name: "read a new file of the gateway", try: reads(func(p prison) string { return p.file(".openclaw/anything.key") })},
	{name: "read a secret through a symbolic link", try: func(p prison) error {
		if err := os.Symlink(p.file(".ssh/id_ed25519"), "link"); err != nil {
			return err
		}
		return readAll("link")
	}},
	{name: "read a secret through a link to its folder", try: func(p prison) error {
		if err := os.Symlink(p.file(".ssh"), "folder"); err != nil {
			return err
		}
		return readAll("folder/id_ed25519")
	}},
	{name: "read a secret through a hard link", try: func(p prison) error {
		if err := os.Link(p.file(".ssh/id_ed25519"), "hard"); err != nil {
			return err
		}
		return readAll("hard")
	}},
	{name: "read a secret after moving it", try: func(p prison) error {
		if err := os.Rename(p.file("a/b/c/token"), "moved"); err != nil {
			return err
		}
		defer os.Rename("moved", p.file("a/b/c/token"))
		return readAll("moved")
	}},
	{name: "read a secret through /proc/self/root", try: reads(func(p prison) string { return "/proc/self/root" + p.file(".ssh/id_ed25519") })},
	{name: "read a secret by its file handle", helpless: true, try: func(p prison) error {
		h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, p.file(".ssh/id_ed25519"), 0)
		if err != nil {
			return err
		}
		dir, err := os.Open("/")
		if err != nil {
			return err
		}
		defer dir.Close()
		fd, err := unix.OpenByHandleAt(int(dir.Fd()), h, unix.O_RDONLY)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}},
	{name: "run a program from memory and read a secret", try: func(p prison) error {
		program, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			return err
		}
		fd, err := unix.MemfdCreate("program", 0)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), "program")
		if _, err := f.Write(program); err != nil {
			return err
		}
		cmd := exec.Command(fmt.Sprintf("/proc/self/fd/%d", fd))
		cmd.ExtraFiles = []*os.File{f}
		cmd.Path = "/proc/self/fd/3"
		cmd.Env = append(os.Environ(), escapeVariable+"=read a secret")
		return cmd.Run()
	}},
	{name: "write a file outside", try: func(p prison) error {
		defer os.Remove(p.file("made"))
		return os.WriteFile(p.file("made"), nil, 0o600)
	}},
	{name: "write to a file outside", try: func(p prison) error {
		f, err := os.OpenFile(p.file("note"), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}},
	{name: "empty a file outside", try: func(p prison) error { return os.Truncate(p.file("victim"), 0) }},
	{name: "remove a file outside", try: func(p prison) error { return os.Remove(p.file("removable")) }},
	{name: "move a file out", try: func(p prison) error {
		if err := os.WriteFile("mine", nil, 0o600); err != nil {
			return err
		}
		defer os.Remove(p.file("mine"))
		return os.Rename("mine", p.file("mine"))
	}},
	{name: "change the mode of a file outside", open: onlyLandlock, try: func(p prison) error { return os.Chmod(p.file("note"), 0o640) }},
	{name: "change the mode of a secret", open: onlyLandlock, try: func(p prison) error { return os.Chmod(p.file(".ssh/id_ed25519"), 0o640) }},
	{name: "change the times of a file outside", open: onlyLandlock, try: func(p prison) error {
		return os.Chtimes(p.file("note"), time.Time{}, time.Unix(1, 0))
	}},
	{name: "set an attribute of a file outside", open: onlyLandlock, helpless: true, try: func(p prison) error {
		return unix.Setxattr(p.file("note"), "user.openclaw", []byte("x"), 0)
	}},
	{name: "read a disk", helpless: true, try: func(prison) error {
		disks, _ := filepath.Glob("/dev/[vs]d[a-z]")
		if len(disks) == 0 {
			return syscall.ENOENT
		}
		return readAll(disks[0])
	}},
	{name: "make a device of a disk", helpless: true, try: func(prison) error {
		var st unix.Stat_t
		if err := unix.Stat("/", &st); err != nil {
			return err
		}
		if err := unix.Mknod("disk", unix.S_IFBLK|0o600, int(st.Dev)); err != nil {
			return err
		}
		return readAll("disk")
	}},
	{name: "read the memory of the machine", helpless: true, try: func(prison) error { return readAll("/dev/mem") }},
	{name: "read the memory of the kernel", helpless: true, try: func(prison) error { return readAll("/proc/kcore") }},
	{name: "change the kernel's settings", helpless: true, try: opens("/proc/sys/kernel/core_pattern", os.O_WRONLY)},
	{name: "leave a file in shared memory", try: func(p prison) error {
		name := fmt.Sprintf("/dev/shm/openclaw-test-%d", p.gateway)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			return err
		}
		if os.Getppid() == 1 { // shared memory of its own
			return syscall.ENOENT
		}
		return os.Remove(name)
	}},

	// the gateway and other processes
	{name: "read the gateway's environment", try: reads(ofGateway("environ"))},
	{name: "open the gateway's memory", try: func(p prison) error {
		f, err := os.OpenFile(ofGateway("mem")(p), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}},
	{name: "read a secret through the gateway's root", try: func(p prison) error {
		return readAll(ofGateway("root")(p) + p.file(".ssh/id_ed25519"))
	}},
	{name: "see the gateway's directory", try: func(p prison) error {
		_, err := os.ReadDir(ofGateway("cwd")(p))
		return err
	}},
	{name: "open a descriptor of the gateway", try: func(p prison) error {
		f, err := os.OpenFile(ofGateway("fd/"+strconv.Itoa(p.fd))(p), os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}},
	{name: "take a descriptor of the gateway", try: func(p prison) error {
		fd, err := unix.PidfdOpen(p.gateway, 0)
		if err != nil {
			return err
		}
		_, err = unix.PidfdGetfd(fd, 1, 0)
		return err
	}},
	{name: "send the gateway a signal", try: func(p prison) error { return syscall.Kill(p.gateway, 0) }},
	{name: "send the gateway a signal by descriptor", try: func(p prison) error {
		fd, err := unix.PidfdOpen(p.gateway, 0)
		if err != nil {
			return err
		}
		return unix.PidfdSendSignal(fd, 0, nil, 0)
	}},
	{name: "trace the gateway", try: func(p prison) error {
		return errnoOf(syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(p.gateway), 0, 0, 0, 0))
	}},
	{name: "read the gateway's memory", try: func(p prison) error {
		var b [1]byte
		local := unix.Iovec{Base: &b[0], Len: 1}
		maps, err := os.ReadFile(ofGateway("maps")(p))
		if err != nil {
			return errnoOf(syscall.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(p.gateway), 0, 0, 0, 0, 0))
		}
		start, _, _ := strings.Cut(string(maps), "-")
		base, _ := strconv.ParseUint(start, 16, 64)
		_, err = unix.ProcessVMReadv(p.gateway, []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(base), Len: 1}}, 0)
		return err
	}},
	{name: "limit the gateway", try: func(p prison) error {
		var now unix.Rlimit
		return unix.Prlimit(p.gateway, unix.RLIMIT_CPU, nil, &now)
	}},
	{name: "meet the gateway in System V memory", try: func(p prison) error {
		return errnoOf(syscall.RawSyscall(unix.SYS_SHMGET, uintptr(p.gateway), 0, 0))
	}},

	// another view of the system
	{name: "make a user namespace", helpless: true, try: func(prison) error {
		return errnoOf(syscall.RawSyscall(unix.SYS_UNSHARE, unix.CLONE_FS|unix.CLONE_NEWNS|unix.CLONE_NEWUTS, 0, 0))
	}},
	{name: "clone into namespaces", helpless: true, try: func(prison) error {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{escapeVariable + "=nothing"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
		return cmd.Run()
	}},
	{name: "clone3", helpless: true, try: func(prison) error {
		// Sizes that are no structure's: a kernel that has the call says EINVAL.
		err := errnoOf(syscall.RawSyscall(unix.SYS_CLONE3, 0, 0, 0))
		if errors.Is(err, syscall.EINVAL) {
			return nil
		}
		return err
	}},
	{name: "join a namespace", helpless: true, try: func(p prison) error {
		f, err := os.Open(ofGateway("ns/uts")(p))
		if err != nil {
			f, err = os.Open("/proc/self/ns/uts")
		}
		if err != nil {
			return err
		}
		return unix.Setns(int(f.Fd()), 0)
	}},
	{name: "mount", helpless: true, try: func(prison) error {
		if err := os.Mkdir("mnt", 0o700); err != nil {
			return err
		}
		if err := unix.Mount("none", "mnt", "tmpfs", 0, ""); err != nil {
			return err
		}
		return unix.Unmount("mnt", 0)
	}},
	{name: "unmount", helpless: true, try: func(prison) error {
		err := unix.Unmount("/proc", unix.MNT_EXPIRE|unix.MNT_DETACH) // never valid together
		if err == unix.EINVAL {
			return nil
		}
		return err
	}},
	{name: "copy a mount", helpless: true, try: func(prison) error {
		_, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE)
		return err
	}},
	{name: "chroot", helpless: true, try: func(prison) error { return unix.Chroot("/") }},

	// the kernel
	{name: "keys of the kernel", try: func(prison) error {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_PROCESS_KEYRING, true)
		return err
	}},
	{name: "bpf", helpless: true, try: func(prison) error {
		var attr [128]byte
		attr[0], attr[4], attr[8], attr[12] = 2, 4, 4, 1 // an array of one int
		return errnoOf(syscall.RawSyscall(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)))
	}},
	{name: "userfaultfd", helpless: true, try: func(prison) error {
		return errnoOf(syscall.RawSyscall(unix.SYS_USERFAULTFD, 1, 0, 0))
	}},
	{name: "performance counters", helpless: true, try: func(p prison) error {
		_, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: 112}, p.gateway, -1, -1, 0)
		return err
	}},
	{name: "x32 calls", helpless: true, try: func(prison) error {
		return errnoOf(syscall.RawSyscall(0x40000000|unix.SYS_GETPID, 0, 0, 0))
	}},
	{name: "i386 calls", helpless: true, try: func(prison) error { return call32() }},
	{name: "type into a terminal", helpless: true, try: func(prison) error {
		f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			return err
		}
		c := byte('x')
		return errnoOf(syscall.RawSyscall(unix.SYS_IOCTL, f.Fd(), unix.TIOCSTI, uintptr(unsafe.Pointer(&c))))
	}},

	{name: "print on another terminal", try: func(p prison) error {
		fd, err := unix.Open(p.tty, unix.O_WRONLY|unix.O_NOCTTY, 0)
		if err != nil {
			return err
		}
		_, err = unix.Write(fd, []byte("x"))
		return err
	}},
	{name: "read what is typed at another terminal", try: func(p prison) error {
		_, err := unix.Open(p.tty, unix.O_RDONLY|unix.O_NOCTTY, 0)
		return err
	}},

	// more than a share
	{name: "a huge file", try: func(prison) error {
		defer os.Remove("huge")
		if err := os.WriteFile("huge", nil, 0o600); err != nil {
			return err
		}
		return os.Truncate("huge", 9<<30)
	}},
	{name: "very many open files", try: func(prison) error {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 10_000, Max: 10_000})
		for range 5000 {
			if _, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "a core dump", try: func(prison) error {
		return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
	}},
}

// runEscape is the process that tries to get out.
func runEscape(name string) int {
	if name == "nothing" {
		return 0
	}
	f := strings.Split(os.Getenv(prisonVariable), "|")
	gateway, _ := strconv.Atoi(f[1])
	p := prison{home: f[0], gateway: gateway, tcp: f[2], udp: f[3], mptcp: f[4], tty: f[6]}
	p.fd, _ = strconv.Atoi(f[5])
	runtime.LockOSThread() // some of it holds for a thread only
	for _, e := range escapes {
		if e.name != name {
			continue
		}
		if err := e.try(p); err != nil {
			fmt.Printf("refused: %v\n", err)
			return refusedCode
		}
		return 0
	}
	fmt.Println("no such escape")
	return 1
}

// newPrison makes the surroundings of a test: secrets, and a gateway that
// listens in all ways.
func newPrison(t *testing.T) (prison, sandbox.Rules) {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := prison{home: home, gateway: os.Getpid()}
	for _, name := range []string{
		".ssh/id_ed25519", "a/b/c/token", "a/b/c/plain", "note", "victim", "removable",
		".openclaw/openclaw.db", ".openclaw/anything.key", ".openclaw/skills/greet/SKILL.md", ".openclaw/workspace/mine.txt",
	} {
		if err := os.MkdirAll(filepath.Dir(p.file(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.file(name), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listen := func(network, address string) string {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.Addr().String()
	}
	p.tcp, p.mptcp = listen("tcp", "127.0.0.1:0"), listen("tcp", "127.0.0.1:0") // Go listens with MPTCP
	listen("unix", p.file("socket"))
	listen("unix", "@"+home)
	for network, address := range map[string]string{"udp": "127.0.0.1:0", "unixgram": p.file("datagrams")} {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if network == "udp" {
			p.udp = c.LocalAddr().String()
		}
	}
	held, err := os.Open(p.file("note"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	p.fd = int(held.Fd())
	id, err := unix.SysvShmGet(p.gateway, 4096, unix.IPC_CREAT|0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close(); tty.Close() })
	p.tty = tty.Name()
	return p, sandbox.Rules{
		Workspace: p.file(".openclaw/workspace"), State: p.file(".openclaw"), Shared: []string{p.file(".openclaw/skills")},
		Blocked: []string{p.file(".ssh"), p.file("a/b/c/token"), p.file("does/not/exist"), p.file(".openclaw/openclaw.db")},
	}
}

// stronger are the layers above one, which a Runner must not use to get there.
var stronger = map[sandbox.Layer][]sandbox.Layer{
	sandbox.LayerNamespaces: nil,
	sandbox.LayerBubblewrap: {sandbox.LayerNamespaces},
	sandbox.LayerLandlock:   {sandbox.LayerNamespaces, sandbox.LayerBubblewrap},
}

// layers are what this machine can confine with, each with a Runner for it.
func layers(t testing.TB) map[sandbox.Layer]*sandbox.Runner {
	t.Helper()
	list := map[sandbox.Layer]*sandbox.Runner{}
	for _, without := range stronger {
		r, err := sandbox.New(sandbox.Options{Without: without})
		if err != nil {
			t.Fatal(err)
		}
		box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		switch layer := box.Layer(); layer {
		case sandbox.LayerNone, sandbox.LayerSeccomp:
			t.Logf("no Landlock on this machine: %q", box.Gaps())
		default:
			list[layer] = r
		}
	}
	if _, found := list[sandbox.LayerBubblewrap]; !found {
		t.Log("bwrap is not installed or does not work here, so its layer is not tried")
	}
	return list
}

func (p prison) job(name string, out io.Writer) sandbox.Job {
	return sandbox.Job{
		Argv: []string{"/proc/self/exe"}, Dir: p.file(".openclaw/workspace"), Stdout: out, Stderr: out,
		Env: []string{
			escapeVariable + "=" + name, "PATH=" + os.Getenv("PATH"),
			fmt.Sprintf("%s=%s|%d|%s|%s|%s|%d|%s", prisonVariable, p.home, p.gateway, p.tcp, p.udp, p.mptcp, p.fd, p.tty),
		},
	}
}

func TestEscapes(t *testing.T) {
	found := layers(t)
	if len(found) == 0 {
		t.Skip("no layer of this machine confines files: the kernel lacks Landlock")
	}
	t.Run("outside", func(t *testing.T) {
		for _, e := range escapes {
			t.Run(e.name, func(t *testing.T) { tryOutside(t, e) })
		}
	})
	for layer, r := range found {
		t.Run(string(layer), func(t *testing.T) {
			for _, e := range escapes {
				t.Run(e.name, func(t *testing.T) { tryEscape(t, r, layer, e) })
			}
		})
	}
}

func tryEscape(t *testing.T, r *sandbox.Runner, layer sandbox.Layer, e escape) {
	p, rules := newPrison(t)
	box, err := r.Box(rules)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	exit, err := box.Run(t.Context(), p.job(e.name, &out))
	if err != nil {
		t.Fatal(err)
	}
	open := false
	for _, l := range e.open {
		open = open || l == layer
	}
	switch {
	case exit.Code == 0 && !open:
		t.Errorf("it got out")
	case exit.Code != 0 && open:
		t.Errorf("the layer does prevent it, and docs/security.md says that it does not: %s", &out)
	case exit.Code != 0 && exit.Code != refusedCode && exit.Signal == 0:
		t.Errorf("ended with %+v: %s", exit, &out)
	}
	t.Logf("inside: %+v %s", exit, bytes.TrimSpace(out.Bytes()))
}

// tryOutside proves that an escape works where nothing prevents it.
func tryOutside(t *testing.T, e escape) {
	p, _ := newPrison(t)
	var out bytes.Buffer
	exit, err := newRunner(t).Run(t.Context(), p.job(e.name, &out))
	switch {
	case err == nil && exit.Code == 0:
	case e.helpless:
		t.Skipf("this machine prevents it by itself: %s", bytes.TrimSpace(out.Bytes()))
	default:
		t.Errorf("it fails where nothing prevents it, so it proves nothing: %+v, %v: %s", exit, err, &out)
	}
}
