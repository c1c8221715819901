package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
	"golang.org/x/sys/unix"
)

const noNamespaces = "SANDBOX_TEST_NO_NAMESPACES"

// runWithoutNamespaces is a gateway on a machine whose owner has forbidden user
// namespaces.
func runWithoutNamespaces() int {
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		fmt.Println(err)
		return 1
	}
	home := os.Getenv(noNamespaces)
	for _, without := range [][]sandbox.Layer{nil, {sandbox.LayerBubblewrap}} {
		r, err := sandbox.New(sandbox.Options{Without: without})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		box, err := r.Box(sandbox.Rules{Workspace: home + "/work", Blocked: []string{home + "/secret"}})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(box.Layer(), box.Gaps())
		job := shellJob("cd "+home+"; cat note; cat secret; echo x >made", os.Stdout)
		job.Stderr = nil
		if _, err := box.Run(context.Background(), job); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return 0
}

// A machine that forbids user namespaces gets bwrap if it works nevertheless, as
// it does for root, else the next layer, and is told so.
func TestUserNamespacesForbidden(t *testing.T) {
	found := layers(t)
	if found[sandbox.LayerNamespaces] == nil || found[sandbox.LayerLandlock] == nil {
		t.Skip("this machine has no user namespaces or no Landlock, so the other tests show it")
	}
	home := t.TempDir()
	for _, name := range []string{"note", "secret"} {
		if err := os.WriteFile(home+"/"+name, []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{noNamespaces + "=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER, // the setting holds inside of it
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		AmbientCaps: []uintptr{unix.CAP_SYS_RESOURCE}, // to forbid, also if this is not root
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	const none = `landlock \[.*no user namespaces \(fork.*\), nor can bwrap make any \(%s\)\]\nnote\n`
	first := fmt.Sprintf(none, ".*bwrap.*")
	if found[sandbox.LayerBubblewrap] != nil && os.Getuid() == 0 {
		first = `bubblewrap \[\]\nnote\n`
	}
	if want := "^" + first + fmt.Sprintf(none, "not to be used") + "$"; !regexp.MustCompile(want).Match(out.Bytes()) {
		t.Errorf("got %q, want %q", &out, want)
	}
	if _, err := os.Stat(home + "/made"); err == nil {
		t.Error("a file was made outside")
	}
}
