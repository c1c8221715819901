package shell

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
)

// desk is a shell and a process tool with one Host.
type desk struct {
	t       *testing.T
	host    *Host
	shell   *Tool
	process *Process
}

func newDesk(t *testing.T, o Options) *desk {
	t.Helper()
	d := &desk{t: t, host: NewHost("")}
	o.Host = d.host
	d.shell, d.process = newTool(t, o), NewProcess(d.host)
	t.Cleanup(d.host.Close)
	return d
}

// begin starts a command in the background of a conversation.
func (d *desk) begin(session string, args map[string]any) string {
	d.t.Helper()
	args["background"] = true
	res, err := d.shell.Run(d.t.Context(), callIn(session, args))
	if err != nil {
		d.t.Fatal(err)
	}
	id := regexp.MustCompile(`job-[A-Z2-7]{6}`).FindString(res.Output)
	if id == "" {
		d.t.Fatalf("no job in %q", res.Output)
	}
	return id
}

// ask calls process and returns what the model reads.
func (d *desk) ask(session string, args map[string]any) string {
	res, err := d.process.Run(d.t.Context(), callIn(session, args))
	if err != nil {
		return "error: " + err.Error()
	}
	return res.Output
}

func callIn(session string, args map[string]any) *openclaw.Call {
	data, _ := json.Marshal(args)
	return &openclaw.Call{ID: "c1", Session: session, Args: data}
}

type m = map[string]any

func TestBackground(t *testing.T) {
	before := goleak.IgnoreCurrent()
	fds := descriptors(t)
	t.Run("", func(t *testing.T) {
		d := newDesk(t, Options{})
		id := d.begin("a", m{"command": "read x; echo got $x; read y || echo end; exit 3"})
		if got := d.ask("b", m{"action": "poll", "job": id}); !strings.Contains(got, "has no job") {
			t.Errorf("another conversation reads %q", got)
		}
		if got := d.ask("b", m{"action": "list"}); got != "[this conversation has no jobs]\n" {
			t.Errorf("another conversation lists %q", got)
		}
		for _, step := range []struct {
			args m
			want string
		}{
			{m{"action": "list"}, `^ID runs, for [0-9.]+ s: read x; echo got`},
			{m{"action": "poll", "job": id, "wait_ms": 0}, `^\[ID runs, for [0-9.]+ s\]\n$`},
			{m{"action": "write", "job": id, "input": "hello\n"}, `^got hello\n\[ID runs, for [0-9.]+ s\]\n$`},
			{m{"action": "poll", "job": id, "wait_ms": 0}, `^\[ID runs`},
			{m{"action": "write", "job": id, "end": true}, `^end\n\[ID ended with exit code 3, after [0-9.]+ s\]\n$`},
			{m{"action": "poll", "job": id}, `^\[ID ended with exit code 3`},
			{m{"action": "write", "job": id, "input": "x"}, `error: ID reads nothing any more`},
			{m{"action": "kill", "job": id}, `^\[ID ended with exit code 3`},
			{m{"action": "list"}, `^ID ended with exit code 3, after [0-9.]+ s: read x`},
		} {
			got := strings.ReplaceAll(d.ask("a", step.args), id, "ID")
			if !regexp.MustCompile(step.want).MatchString(got) {
				t.Errorf("%v: %q, want %s", step.args, got, step.want)
			}
		}
		d.begin("a", m{"command": "sleep 100"}) // Close ends it
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if now := descriptors(t); now > fds {
		t.Errorf("%d descriptors, then %d", fds, now)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}

// The next result of the shell tells of a job that has ended, once.
func TestNewsOfJobs(t *testing.T) {
	d := newDesk(t, Options{})
	id := d.begin("a", m{"command": "echo done"})
	j, err := d.host.find("a", id)
	if err != nil {
		t.Fatal(err)
	}
	<-j.done
	for _, want := range []bool{true, false} {
		res, err := d.shell.Run(t.Context(), callIn("a", m{"command": "echo x"}))
		if err != nil || strings.Contains(res.Output, "["+id+" ended with exit code 0") != want {
			t.Errorf("%+v, %v; news: %v", res, err, want)
		}
	}
	if got := d.ask("a", m{"action": "poll", "job": id}); !strings.HasPrefix(got, "done\n[") {
		t.Errorf("its output is %q", got)
	}
}

func TestJobsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(d *desk, id string)
		want string
	}{
		"kill":   {func(d *desk, id string) { d.ask("a", m{"action": "kill", "job": id}) }, "was killed, with all it had started"},
		"time":   {func(*desk, string) { time.Sleep(2 * time.Minute) }, "was stopped after 1m0s, with all it had started"},
		"close":  {func(d *desk, _ string) { d.host.Close() }, "was killed, with all it had started"},
		"forget": {func(d *desk, _ string) { _ = d.host.Forget("a") }, "has no job"},
		"other":  {func(d *desk, _ string) { _ = d.host.Forget("b") }, "runs, for"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, Options{Exec: blockUntilDone, JobTimeout: time.Minute})
			ctx, cancel := context.WithCancel(t.Context())
			res, err := d.shell.Run(ctx, callIn("a", m{"command": "sleep 100", "background": true, "timeout_ms": 1e9}))
			if err != nil {
				t.Fatal(err)
			}
			cancel() // the turn has ended
			synctest.Wait()
			id := strings.Fields(strings.Trim(res.Output, "["))[0]
			if got := d.ask("a", m{"action": "poll", "job": id}); !strings.HasPrefix(got, "so far\n["+id+" runs") {
				t.Errorf("%s: before, %q", name, got)
			}
			tt.end(d, id)
			if got := d.ask("a", m{"action": "poll", "job": id, "wait_ms": 0}); !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
			if name == "close" {
				if _, err := d.shell.Run(t.Context(), callIn("a", m{"command": "x", "background": true})); openclaw.CodeOf(err) != openclaw.CodeShuttingDown {
					t.Errorf("after it: %v", err)
				}
			}
			d.host.Close()
		})
	}
}

func TestJobsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{Exec: blockUntilDone, MaxJobs: 2})
		for i := range maxRunning {
			d.begin(fmt.Sprint(i/2), m{"command": "x"})
		}
		for _, session := range []string{"0", "new"} {
			if _, err := d.shell.Run(t.Context(), callIn(session, m{"command": "x", "background": true})); err == nil || !strings.Contains(err.Error(), "too many") {
				t.Errorf("session %s: %v", session, err)
			}
		}
		first := d.host.list("0")[0]
		for i := range maxKnown {
			d.host.list(fmt.Sprint(i % 32))[0].cancel(errKilled)
			synctest.Wait()
			time.Sleep(time.Second)
			d.begin("more", m{"command": "x"})
			d.host.list("more")[len(d.host.list("more"))-1].cancel(errKilled)
			synctest.Wait()
		}
		if n := len(d.host.jobs); n > maxKnown {
			t.Errorf("%d jobs are known", n)
		}
		if _, err := d.host.find("0", first.id); err == nil {
			t.Error("the one that ended first is still known")
		}
		d.host.Close()
	})
}

// What is written to a job that was approved to do more needs an approval, too.
func TestWritingToAnApprovedJob(t *testing.T) {
	d := newDesk(t, Options{})
	call := callIn("a", m{"command": "cat", "background": true})
	call.Approved = &openclaw.Action{Argv: []string{"/bin/sh", "-c", "cat"}, Dir: "/", Needs: openclaw.Needs{Network: true}}
	res, err := d.shell.Run(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Fields(strings.Trim(res.Output, "["))[0]
	write := callIn("a", m{"action": "write", "job": id, "input": "no"})
	if _, err := d.process.Run(t.Context(), write); openclaw.CodeOf(err) != openclaw.CodeApprovalDenied {
		t.Errorf("without an approval: %v", err)
	}
	action, err := d.process.Action(write)
	if err != nil || !action.Needs.Network || strings.Join(action.Argv, " ") != "/bin/sh -c cat <<< no" {
		t.Fatalf("%+v, %v", action, err)
	}
	action.Argv[4] = "yes\n"
	write.Approved = action
	if res, err := d.process.Run(t.Context(), write); err != nil || !strings.HasPrefix(res.Output, "yes\n[") {
		t.Errorf("%+v, %v", res, err)
	}
	for _, args := range []m{{"action": "poll", "job": id}, {"action": "list"}, {"action": "write", "job": id, "end": true}} {
		if action, err := d.process.Action(callIn("a", args)); action != nil || err != nil {
			t.Errorf("%v: %+v, %v", args, action, err)
		}
	}
}

func TestJobThatDoesNotRead(t *testing.T) {
	d := newDesk(t, Options{})
	id := d.begin("a", m{"command": "sleep 100"})
	j, _ := d.host.find("a", id)
	in, _ := j.input.(*os.File)
	conn, err := in.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) { // the pipe is full
		for err = nil; err == nil; {
			_, err = syscall.Write(int(fd), make([]byte, 4096))
		}
	})
	patience = 10 * time.Millisecond
	defer func() { patience = 5 * time.Second }()
	if got := d.ask("a", m{"action": "write", "job": id, "input": "x"}); !strings.Contains(got, "does not read what is written to it; it took 0 of 1 bytes") {
		t.Errorf("got %q", got)
	}
}

func TestBadRequests(t *testing.T) {
	d := newDesk(t, Options{})
	for args, want := range map[string]string{
		`{}`:                              `the action "" is none`,
		`[]`:                              `such as {"action": "list"}`,
		`{"action":"stop","job":"x"}`:     `the action "stop" is none`,
		`{"action":"poll"}`:               `"job" is missing`,
		`{"action":"poll","job":"job-X"}`: "has no job",
		`{"action":"write","job":"x"}`:    "nothing to write",
		`{"action":"write","job":"x","input":"` + strings.Repeat("x", maxInput+1) + `"}`: "the limit is",
		`{"action":"poll","job":"x","wait_ms":"1"}`:                                      "must be a number",
	} {
		if _, err := d.process.Run(t.Context(), callOf(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", args, err, want)
		}
	}
	if _, err := newTool(t, Options{}).Run(t.Context(), callOf(`{"command":"x","background":true}`)); err == nil || !strings.Contains(err.Error(), "no commands in the background") {
		t.Errorf("without a host: %v", err)
	}
	if spec := d.process.Spec(); !json.Valid(spec.Parameters) || !spec.Repeatable || len(spec.Description) > 300 {
		t.Errorf("%+v", spec)
	}
	if spec := d.shell.Spec(); !json.Valid(spec.Parameters) || !strings.Contains(string(spec.Parameters), "background") {
		t.Errorf("%s", spec.Parameters)
	}
}

func TestUnfinished(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "abc": 0, "a\xc3": 1, "a\xe2\x82": 2, "a\xff": 0, "é": 0, "a\r": 1, "\x1b": 1, "\x1b[1": 3, "\x1b[1m": 0, "\x1b[1mx": 0, "\x1b]0;t": 5,
	} {
		if got := unfinished([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
	o := newOutput(1024, false, nil)
	for _, part := range []string{"caf\xc3", "\xa9 \x1b[3", "1mred\x1b[0m\n"} {
		_, _ = o.Write([]byte(part))
	}
	var all strings.Builder
	for _, last := range []bool{false, true} {
		text, _, _ := o.take(last)
		all.WriteString(text)
	}
	if all.String() != "café red\n" {
		t.Errorf("got %q", all.String())
	}
}
