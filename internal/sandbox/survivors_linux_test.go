package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

func TestMain(m *testing.M) {
	if script := os.Getenv(gatewayScript); script != "" {
		os.Exit(runAsGateway(script))
	}
	if os.Getenv(noNamespaces) != "" {
		os.Exit(runWithoutNamespaces())
	}
	if home := os.Getenv(ordinaryUser); home != "" {
		os.Exit(runAsOrdinaryUser(home))
	}
	if name := os.Getenv(escapeVariable); name != "" {
		os.Exit(runEscape(name))
	}
	os.Exit(m.Run())
}

var marks atomic.Int64

// mark returns a number of seconds to sleep that no other process has on its
// command line.
func mark() string {
	return fmt.Sprintf("98%07d%04d", os.Getpid(), marks.Add(1))
}

// marked lists the processes that have m on their command line.
func marked(t *testing.T, m string) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err == nil && bytes.Contains(line, []byte(m)) {
			found = append(found, fmt.Sprintf("%d %q", pid, line))
		}
	}
	return found
}

// Each script leaves processes behind and then exits, or prints "ready" and
// goes on until it is cancelled. M is the mark.
var survivors = []struct {
	name, script string
	kills        bool // the script kills its supervisor
}{
	{name: "background child", script: `sleep M &`},
	{name: "output held open", script: `(echo held; sleep M) & echo over`},
	{name: "nohup", script: `nohup sleep M >/dev/null 2>&1 &`},
	{name: "setsid", script: `setsid sleep M & setsid -f sleep M`},
	{name: "double fork", script: `( ( sleep M & ) & ) ; ( setsid sh -c "(sleep M &)" & )`},
	{name: "own process groups", script: `set -m; sleep M & sleep M | sleep M &`},
	{name: "ignores every signal it can", script: `(trap "" HUP INT TERM QUIT USR1 TSTP; setsid sh -c "sleep M; sleep M") &`},
	{name: "stopped", script: `setsid sh -c 'kill -STOP $$; sleep M' & sleep M & kill -STOP $!`},
	{name: "no environment", script: `env -i setsid sleep M &`},
	{name: "200 processes", script: `i=0; while [ $i -lt 200 ]; do setsid sleep M & i=$((i+1)); done`},
	{name: "a chain of 60 sessions", script: `f() { [ $1 -gt 0 ] || return; setsid sh -c "$2" M $(($1-1)) "$2" & }
		f 60 'f() { [ $1 -gt 0 ] || return; setsid sh -c "$2" M $(($1-1)) "$2" & }; f $1 "$2"; sleep M'`},
	{name: "forks when asked to stop", script: `trap 'setsid sleep M & setsid sleep M &' TERM; echo ready; while :; do sleep 0.01; done # M`},
	{name: "ignores the request to stop", script: `trap "" TERM; (setsid sleep M &); echo ready; while :; do sleep M; done`},
	{name: "waits", script: `setsid sleep M & echo ready; wait`},
	{name: "keeps forking", script: `trap "" TERM; echo ready; i=0; while [ $i -lt 400 ]; do i=$((i+1)); setsid sleep M & sleep M & done; wait`},
	{name: "stops its supervisor", script: `setsid sleep M & kill -STOP $PPID; echo ready; sleep M`},
	{name: "signals its supervisor", script: `kill -TERM $PPID; kill -HUP $PPID; kill -INT $PPID; setsid sleep M & echo ready; sleep M`},
	{name: "kills its supervisor", script: `setsid sleep M & (setsid sh -c "sleep M; sleep M" &) ; sleep M & kill -KILL $PPID; sleep M`, kills: true},
}

func TestNothingSurvives(t *testing.T) {
	r := newRunner(t)
	t.Run("none", func(t *testing.T) { nothingSurvives(t, r.Run, false) })
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			nothingSurvives(t, box.Run, true)
		})
	}
}

// nothingSurvives runs the scripts. A confined one cannot kill its supervisor.
func nothingSurvives(t *testing.T, run func(context.Context, sandbox.Job) (sandbox.Exit, error), confined bool) {
	for _, tt := range survivors {
		t.Run(tt.name, func(t *testing.T) {
			m := mark()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked time.Time
			out := &watch{text: "ready", seen: func() { asked = time.Now(); cancel() }}
			script := strings.ReplaceAll(tt.script, "M", m)
			if confined {
				script = strings.ReplaceAll(script, "kill -KILL $PPID;", "kill -KILL $PPID; echo ready;")
			}
			exit, err := run(ctx, shellJob(script, out))
			switch {
			case tt.kills && !confined:
				if err == nil || exit.Signal != syscall.SIGKILL {
					t.Errorf("got %+v, %v for a killed supervisor", exit, err)
				}
			case !asked.IsZero():
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v", err)
				}
				if d := time.Since(asked); d > time.Second {
					t.Errorf("dead %v after the request", d)
				}
			case err != nil:
				t.Errorf("got error %v", err)
			}
			if left := marked(t, m); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestOneKilledSupervisorLeavesOtherJobsAlone(t *testing.T) {
	r := newRunner(t)
	started := make(chan struct{})
	other := &watch{text: "ready", seen: func() { close(started) }}
	stop, in := io.Pipe() // the other job ends when its input does
	var wg sync.WaitGroup
	wg.Go(func() {
		job := shellJob(`setsid sleep 60 & echo ready; read line; kill -0 $! && echo alive`, other)
		job.Stdin = stop
		if exit, err := r.Run(t.Context(), job); err != nil || exit.Code != 0 {
			t.Errorf("the other job: %+v, %v", exit, err)
		}
	})
	<-started
	if _, err := r.Run(t.Context(), shellJob(`setsid sleep 60 & kill -KILL $PPID; sleep 60`, nil)); err == nil {
		t.Error("a killed supervisor is no error")
	}
	_, _ = in.Write([]byte("\n"))
	_ = in.Close()
	wg.Wait()
	if !strings.Contains(other.buf.String(), "alive") {
		t.Errorf("output %q", &other.buf)
	}
}

const gatewayScript = "SANDBOX_TEST_GATEWAY_SCRIPT"

// With a workspace the script runs in a Box, of this layer.
const (
	gatewayWorkspace = "SANDBOX_TEST_GATEWAY_WORKSPACE"
	gatewayLayer     = "SANDBOX_TEST_GATEWAY_LAYER"
)

// runAsGateway is the process that TestGatewayKilled kills.
func runAsGateway(script string) int {
	r, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return 1
	}
	job := shellJob(script, nil)
	job.Stdout = os.Stdout // held by every descendant, until none is left
	run := r.Run
	if dir := os.Getenv(gatewayWorkspace); dir != "" {
		r, err = sandbox.New(sandbox.Options{Without: stronger[sandbox.Layer(os.Getenv(gatewayLayer))]})
		box, boxErr := r.Box(sandbox.Rules{Workspace: dir})
		if err != nil || boxErr != nil {
			return 1
		}
		run = box.Run
	}
	_, _ = run(context.Background(), job)
	return 1 // the script never ends
}

func TestGatewayKilled(t *testing.T) {
	m := mark()
	script := strings.ReplaceAll(`trap "" TERM HUP; nohup sleep M & setsid -f sleep M; (setsid sh -c "(sleep M &); sleep M" &); echo ready; sleep M`, "M", m)
	gateway := exec.Command("/proc/self/exe")
	gateway.Env = []string{gatewayScript + "=" + script, "PATH=" + os.Getenv("PATH")}
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
	killed := time.Now()
	if err := gateway.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, reader) // ends when nobody holds the other end
	if d := time.Since(killed); d > time.Second {
		t.Errorf("the descendants lived on for %v", d)
	}
	_ = gateway.Wait()
	if left := marked(t, m); len(left) > 0 {
		// A process gives its descriptors back just before its command line.
		t.Logf("still ending: %v", left)
	}
}

// Set it to 10000 for a long run: make sandbox-soak.
var runs = flag.Int("runs", 40, "how many commands TestRunsLeaveNothing runs in each layer")

func TestRunsLeaveNothing(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) { runsLeaveNothing(t, r) })
	}
}

func runsLeaveNothing(t *testing.T, r *sandbox.Runner) {
	t.Setenv("TMPDIR", t.TempDir())
	box, err := r.Box(sandbox.Rules{Workspace: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (fds, goroutines, children, files int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		lists, _ := filepath.Glob("/proc/self/task/*/children")
		for _, l := range lists {
			data, _ := os.ReadFile(l)
			children += len(bytes.Fields(data))
		}
		temporary, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), runtime.NumGoroutine(), children, len(temporary)
	}
	m := mark()
	run := func(i int) {
		var out bytes.Buffer
		job := shellJob("mkdir -m 0 $TMPDIR/x; echo x >$TMPDIR/y; setsid sleep "+m+" & echo x", &out)
		switch i % 4 {
		case 1:
			job.Argv = []string{"/nonexistent"}
		case 2:
			job.Grant.Unconfined = true
		}
		if _, err := box.Run(t.Context(), job); (err == nil) != (i%4 != 1) {
			t.Error(err)
		}
	}
	run(0) // opens what the runtime keeps, such as its poller
	fds, goroutines, children, files := count()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range *runs / 4 {
				run(i + w)
			}
		})
	}
	wg.Wait()
	fds2, goroutines2, children2, files2 := count()
	for end := time.Now().Add(time.Second); goroutines2 > goroutines && time.Now().Before(end); {
		runtime.Gosched() // a goroutine ends just after it has said that it is done
		fds2, goroutines2, children2, files2 = count()
	}
	if fds2 > fds || goroutines2 > goroutines || children2 > children || files2 > files {
		t.Errorf("descriptors %d then %d, goroutines %d then %d, child processes %d then %d, temporary files %d then %d",
			fds, fds2, goroutines, goroutines2, children, children2, files, files2)
	}
	if left := marked(t, m); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConfinement(t *testing.T) {
	// A descriptor that is not closed on exec, as whoever started the gateway
	// may have left one.
	fd, err := syscall.Dup(1)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	t.Setenv("OPENCLAW_TEST_SECRET", "xyzzy")

	tests := []struct{ name, script, want string }{
		{"no descriptors", `cd /proc/self/fd; for f in *; do [ $f -lt 3 ] || [ ! -e $f ] || echo $f; done`, ""},
		{"no new privileges", `grep NoNewPrivs: /proc/self/status`, "NoNewPrivs:\t1\n"},
		{"no terminal", `(: </dev/tty) 2>/dev/null || echo none`, "none\n"},
		{"a session of its own", `read -r a b c d e s rest </proc/$$/stat; [ $s = $$ ] && echo own`, "own\n"},
		// Signals 32 and 33 are glibc's own; a parent that uses its posix_spawn,
		// such as make, leaves them ignored.
		{"signals at their defaults", `for set in SigBlk SigIgn; do
			mask=$(sed -n "s/^$set:\t/0x/p" /proc/self/status); echo $set $((mask & ~0x180000000)); done`, "SigBlk 0\nSigIgn 0\n"},
		{"a supervisor without arguments", `tr '\0' ' ' </proc/$PPID/cmdline`, "openclaw-job "},
		{"a supervisor without secrets", `{ tr '\0' '\n' </proc/$PPID/environ | grep xyzzy || echo none; } 2>/dev/null`, "none\n"},
	}
	r := newRunner(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if _, err := r.Run(t.Context(), shellJob(tt.script, &out)); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", &out, tt.want)
			}
		})
	}
}

// A process outside of the tree that holds the output must not hold Run.
func TestOutputHeldByAStranger(t *testing.T) {
	r, err := sandbox.New(sandbox.Options{WaitDelay: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var stranger *os.File
	out := &watch{text: "pid ", seen: nil}
	ready := make(chan string, 1)
	out.text, out.seen = "\n", func() { ready <- strings.TrimSpace(out.buf.String()) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := r.Run(ctx, shellJob(`echo $$; sleep 100`, out))
		done <- err
	}()
	pid := <-ready
	stranger, err = os.OpenFile("/proc/"+pid+"/fd/1", os.O_WRONLY, 0)
	if err != nil {
		cancel()
		<-done
		t.Skipf("cannot take hold of the output: %v", err)
	}
	defer stranger.Close()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

func TestMainIgnoresImposters(t *testing.T) {
	for _, args := range [][]string{{"openclaw-job"}, {"/proc/self/fd/7", "openclaw-job"}} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = args
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "run openclaw instead") {
			t.Errorf("%q: got %v, %q", args, err, out)
		}
	}
}

// The cost of the supervisor is the difference of the two.
func BenchmarkRun(b *testing.B) {
	r := newRunner(b)
	job := shellJob("", nil)
	job.Argv = []string{"/bin/true"}
	for b.Loop() {
		if _, err := r.Run(b.Context(), job); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlainSpawn(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
