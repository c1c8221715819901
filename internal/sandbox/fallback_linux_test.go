package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

const noNamespaces = "SANDBOX_TEST_NO_NAMESPACES"

// runWithoutNamespaces is a gateway on a machine whose owner has forbidden user
// namespaces.
func runWithoutNamespaces() int {
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		fmt.Println(err)
		return 1
	}
	r, err := sandbox.New(sandbox.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	home := os.Getenv(noNamespaces)
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
	return 0
}

// A machine that forbids user namespaces gets the next layer, and is told so.
func TestUserNamespacesForbidden(t *testing.T) {
	if len(layers(t)) < 2 {
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
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if !strings.HasPrefix(out.String(), "landlock [") || !strings.Contains(out.String(), "no user namespaces") || !strings.HasSuffix(out.String(), "]\nnote\n") {
		t.Errorf("got %q", &out)
	}
	if _, err := os.Stat(home + "/made"); err == nil {
		t.Error("a file was made outside")
	}
}
