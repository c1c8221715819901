package sandbox_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// The temporary directory of a job goes with it also when its gateway is
// killed, and what even a supervisor had to leave goes at the next start.
func TestTemporaryDirectoryOfAKilledGateway(t *testing.T) {
	for layer := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			temp, workspace := t.TempDir(), t.TempDir()
			gateway := exec.Command("/proc/self/exe")
			gateway.Env = []string{
				gatewayScript + "=mkdir -p $TMPDIR/a/b; touch $TMPDIR/a/f; chmod 0 $TMPDIR/a/b $TMPDIR/a; (setsid sleep 60 &); echo ready; sleep 60",
				gatewayWorkspace + "=" + workspace, gatewayLayer + "=" + string(layer), "TMPDIR=" + temp, "PATH=" + os.Getenv("PATH"),
			}
			out, err := gateway.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := gateway.Start(); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(out)
			if line, err := reader.ReadString('\n'); line != "ready\n" {
				t.Fatalf("the gateway said %q, %v", line, err)
			}
			if there, _ := filepath.Glob(temp + "/openclaw-job-*"); len(there) != 1 {
				t.Fatalf("while it runs: %v", there)
			}
			if err := gateway.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, reader)
			_ = gateway.Wait()
			left := []string{""}
			for end := time.Now().Add(2 * time.Second); len(left) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
				left, _ = filepath.Glob(temp + "/*") // the supervisor may still be at it
				if layer == sandbox.LayerBubblewrap && len(left) == 1 {
					left, _ = filepath.Glob(left[0] + "/*") // it goes at the next start
				}
			}
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestRemoveStale(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	r := newRunner(t)
	box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	old := func(name string) {
		t.Helper()
		path := filepath.Join(temp, name)
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(path, "x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	old("openclaw-job-stale")
	old("other")
	if err := os.Mkdir(filepath.Join(temp, "openclaw-job-young"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("other", filepath.Join(temp, "openclaw-job-link")); err != nil {
		t.Fatal(err)
	}
	stop, in := io.Pipe()
	job := shellJob(`touch -d '1 hour ago' "$TMPDIR"; echo ready; read x; touch "$TMPDIR/still" && echo there`, nil)
	swept := make(chan int, 1)
	out := &watch{text: "ready", seen: func() { swept <- r.RemoveStale(); in.Close() }}
	job.Stdin, job.Stdout, job.Stderr = stop, out, out
	if _, err := box.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if n := <-swept; n != 1 || out.buf.String() != "ready\nthere\n" {
		t.Errorf("%d removed; the job said %q", n, &out.buf)
	}
	entries, err := os.ReadDir(temp)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 3 {
		t.Errorf("left are %q, %v", names, err)
	}
}
