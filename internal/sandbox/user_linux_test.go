package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

const ordinaryUser = "SANDBOX_TEST_ORDINARY_USER"

// runAsOrdinaryUser says how a user without any capabilities is confined.
func runAsOrdinaryUser(workspace string) int {
	r, err := sandbox.New(sandbox.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	box, err := r.Box(sandbox.Rules{Workspace: workspace})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(box.Layer(), box.Gaps())
	if _, err := box.Run(context.Background(), shellJob("grep CapEff: /proc/self/status", os.Stdout)); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// An exec takes capabilities from everybody but root, also those of a user
// namespace; nobody is confined less for that.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: the other tests show it")
	}
	if layers(t)[sandbox.LayerNamespaces] == nil {
		t.Skip("this machine has no user namespaces")
	}
	const nobody = 65534
	home, err := os.MkdirTemp("", "openclaw-test-") // t.TempDir is in a directory that is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{ordinaryUser + "=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if want := "namespaces []\nCapEff:\t" + strings.Repeat("0", 16) + "\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}
