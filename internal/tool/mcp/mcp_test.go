package mcp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/openclaw/openclaw-go"
)

func TestProgram(t *testing.T) {
	t.Setenv("OPENCLAW_AUTH_TOKEN", "not-for-servers")
	h, logged := newHost(t, Options{MaxOutput: 1000})
	start(t, h, program("Test-1", "greeting"))
	want := []string{
		"test_1__crash", "test_1__echo", "test_1__echo_21be5502", "test_1__env", "test_1__fail", "test_1__get_sum", "test_1__grow",
		"test_1__long", "test_1__media", "test_1__slow",
	}
	if diff := cmp.Diff(want, names(h)); diff != "" {
		t.Fatalf("-want +got:\n%s\n%s", diff, logged)
	}
	spec := find(t, h, "test_1__get_sum").Spec()
	if got := string(spec.Parameters); !strings.HasPrefix(got, `{"additionalProperties":false,"properties":{"a":{"type":"integer"}`) || spec.Repeatable {
		t.Errorf("%s, repeatable %v", got, spec.Repeatable)
	}
	if spec := find(t, h, "test_1__echo_21be5502").Spec(); spec.Description != "Tool echo." || !spec.Repeatable {
		t.Errorf("%+v", spec)
	}
	if got := output(t, find(t, h, "test_1__get_sum"), `{"a":2,"b":3}`); got != "5" {
		t.Errorf("sum %q", got)
	}
	if got := output(t, find(t, h, "test_1__echo"), `{"text":"hi"}`); got != "Echo hi" {
		t.Errorf("echo %q", got)
	}
	if got := output(t, find(t, h, "test_1__media"), `{}`); got != "[image, image/png, 3 bytes, not shown]\n[audio, audio/wav, 1 bytes, not played]\n"+
		"[resource a file: file:///a]\n[resource file:///b]\ninside\n[resource file:///c, image/gif, 2 bytes, not shown]" {
		t.Errorf("media %q", got)
	}
	for name, want := range map[string]string{"test_1__fail": "it went wrong", "test_1__get_sum": "validating"} {
		res, err := call(t.Context(), t, find(t, h, name), `{"a":"x"}`)
		if err != nil || res.ExitCode != openclaw.ExitFailed || !strings.Contains(res.Output, want) {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
	res, err := call(t.Context(), t, find(t, h, "test_1__long"), `{}`)
	if err != nil || !res.Truncated || res.OutputBytes != 200_000 || len(res.Output) > 1100 || !strings.HasSuffix(res.Output, "[cut: 1000 of 200000 bytes; ask for less at once]") {
		t.Errorf("long: %d bytes, %v", len(res.Output), err)
	}
	env := output(t, find(t, h, "test_1__env"), `{}`)
	if strings.Contains(env, "not-for-servers") || !strings.Contains(env, "KEY=hunter2-hunter2") || !strings.Contains(env, "PATH=") {
		t.Errorf("environment:\n%s", env)
	}
	if strings.Contains(logged.String(), "hunter2") {
		t.Errorf("a secret is logged:\n%s", logged)
	}
}

func TestListsOfTools(t *testing.T) {
	h, _ := newHost(t, Options{})
	s := program("s", "ok")
	s.Allowed, s.Blocked = []string{"echo", "env", "none"}, []string{"env"}
	start(t, h, s)
	if got := names(h); !slices.Equal(got, []string{"s__echo"}) {
		t.Errorf("%v", got)
	}
}

func TestToolsChange(t *testing.T) {
	h, _ := newHost(t, Options{})
	start(t, h, program("s", "ok"))
	before, fail := h.Version(), find(t, h, "s__fail")
	output(t, find(t, h, "s__grow"), `{}`)
	eventually(t, "the new tool", func() bool { return slices.Contains(names(h), "s__grown") })
	if slices.Contains(names(h), "s__fail") || h.Version() == before {
		t.Errorf("%v, version %d", names(h), h.Version())
	}
	if got := output(t, find(t, h, "s__grown"), `{}`); got != "new" {
		t.Errorf("%q", got)
	}
	_, err := call(t.Context(), t, fail, `{}`) // a turn that began before has it still
	wantError(t, err, "refused the call", "fail")
}

// A server that dies takes one call along, and is there for the next.
func TestCrash(t *testing.T) {
	h, logged := newHost(t, Options{})
	start(t, h, program("s", "ok"))
	crash, echo := find(t, h, "s__crash"), find(t, h, "s__echo")
	for range 2 {
		_, err := call(t.Context(), t, crash, `{}`)
		wantError(t, err, "the MCP server s ended or broke the connection during the call", "not known")
		eventually(t, "an answer", func() bool {
			res, err := call(t.Context(), t, echo, `{"text":1}`)
			return err == nil && res.Output == "Echo 1"
		})
	}
	if !strings.Contains(logged.String(), "exit code 3") {
		t.Errorf("the log:\n%s", logged)
	}
}

func TestDeadServer(t *testing.T) {
	h, logged := newHost(t, Options{FirstPause: time.Hour})
	start(t, h, program("s", "dead"), program("good", "ok"), Server{Name: "missing", Command: "no-such-program-anywhere"})
	if got := names(h); len(got) != 10 || !strings.HasPrefix(got[0], "good__") {
		t.Errorf("%v", got)
	}
	for _, want := range []string{"exit code 3; it wrote: cannot start: the key [secret] is wrong[0m", "there is no program no-such-program-anywhere in PATH"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, logged)
		}
	}
}

// A server that hangs is an error of the call, and is replaced.
func TestHangingServer(t *testing.T) {
	h, logged := newHost(t, Options{CallTimeout: 300 * time.Millisecond})
	start(t, h, program("s", "ok"))
	slow := find(t, h, "s__slow")
	for range tolerated {
		_, err := call(t.Context(), t, slow, `{}`)
		wantError(t, err, "did not answer within 300ms", "not known")
	}
	eventually(t, "the replacement", func() bool { return strings.Count(logged.String(), "mcp server connected") == 2 })
	if !strings.Contains(logged.String(), "it does not answer") {
		t.Errorf("the log:\n%s", logged)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := call(ctx, t, find(t, h, "s__slow"), `{}`); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

func TestServersThatNeverConnect(t *testing.T) {
	for _, tt := range []struct {
		mode, want string
		limit      time.Duration
	}{
		{"deaf", "deadline", time.Second},
		{"endless", "too long", time.Minute},
	} {
		h, logged := newHost(t, Options{StartTimeout: tt.limit, FirstPause: time.Hour})
		start(t, h, program("s", tt.mode))
		if len(h.Tools()) != 0 || !strings.Contains(logged.String(), tt.want) {
			t.Errorf("%s: %v, log:\n%s", tt.mode, names(h), logged)
		}
		h.Close()
	}
}

// A server that knows nothing newer than initialize is greeted with that, even
// if it does not say so; and so again when it comes back.
func TestServersThatOnlyInitialize(t *testing.T) {
	for _, mode := range []string{"silent", "strict"} {
		h, logged := newHost(t, Options{StartTimeout: 3 * time.Second, FirstPause: time.Hour})
		start(t, h, program("s", mode))
		if got := output(t, find(t, h, "s__echo"), `{}`); got != "echo" {
			t.Errorf("%s: %q, log:\n%s", mode, got, logged)
		}
		h.Close()
	}
}

func TestGreeting(t *testing.T) {
	var g greeting
	const most = 30 * time.Second
	unanswered := notGreeted{errors.New("no answer")}
	for i, want := range []struct {
		older, atOnce bool
		limit         time.Duration
	}{{false, true, 10 * time.Second}, {true, false, most}, {false, true, most}, {true, false, most}} {
		if older := g.options() != nil; older != want.older || g.limit(most) != want.limit {
			t.Errorf("greeting %d: older %t, limit %v", i, older, g.limit(most))
		}
		if g.other(errors.New("it ended")) || g.other(unanswered) != want.atOnce {
			t.Errorf("greeting %d: want another at once: %t", i, want.atOnce)
		}
	}
	g.other(unanswered)
	g.worked()
	if g.options() == nil || g.limit(most) != most {
		t.Error("what worked is not tried first")
	}
}

func TestShoutingServer(t *testing.T) {
	h, _ := newHost(t, Options{})
	start(t, h, program("s", "shouting"))
	if got := output(t, find(t, h, "s__get_sum"), `{"a":1,"b":1}`); got != "2" {
		t.Errorf("%q", got)
	}
}

// What a reload takes away ends when its calls have, and what it leaves stays.
func TestSet(t *testing.T) {
	h, logged := newHost(t, Options{})
	start(t, h, program("a", "ok"), program("b", "ok"))
	slow, echo, stays := find(t, h, "a__slow"), find(t, h, "a__echo"), find(t, h, "b__echo")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := call(ctx, t, slow, `{}`)
		done <- err
	}()
	running := find(t, h, "a__slow").(*tool).server
	eventually(t, "the call", func() bool {
		running.mu.Lock()
		defer running.mu.Unlock()
		return running.session != nil
	})
	time.Sleep(20 * time.Millisecond) // the call gets hold of the connection
	changed := program("c", "ok")
	start(t, h, program("b", "ok"), changed)
	if got := names(h); len(got) != 20 || got[0] != "b__crash" || find(t, h, "b__echo").(*tool).server != stays.(*tool).server {
		t.Errorf("%v", got)
	}
	_, err := call(t.Context(), t, echo, `{}`)
	wantError(t, err, "removed from the configuration")
	select {
	case err := <-done:
		t.Errorf("the call on a removed server ended: %v", err)
	default:
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	changed.Blocked = []string{"echo"}
	start(t, h, changed)
	if got := names(h); len(got) != 9 || strings.Count(logged.String(), "mcp server connected") != 4 {
		t.Errorf("%v, log:\n%s", got, logged)
	}
	h.Close()
	if err := h.Set(nil); err == nil {
		t.Error("a closed host takes servers")
	}
}

func TestStubbornServerIsKilled(t *testing.T) {
	h, _ := newHost(t, Options{})
	start(t, h, program("s", "stubborn"))
	begin := time.Now()
	h.Close()
	if spent := time.Since(begin); spent > 20*time.Second {
		t.Errorf("closing took %v", spent)
	}
}

func TestRemote(t *testing.T) {
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return newTestServer() }, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2-hunter2" {
			http.Error(w, "who are you, hunter3?", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	h, logged := newHost(t, Options{FirstPause: time.Hour})
	start(t, h,
		Server{Name: "good", URL: server.URL, Headers: map[string]string{"Authorization": "Bearer hunter2-hunter2"}},
		Server{Name: "bad", URL: server.URL, Headers: map[string]string{"Authorization": "Bearer wrong-wrong-wrong"}},
		Server{Name: "gone", URL: "http://127.0.0.1:1/mcp"},
	)
	if got := names(h); len(got) != 10 || got[0] != "good__crash" {
		t.Fatalf("%v, log:\n%s", got, logged)
	}
	if got := output(t, find(t, h, "good__get_sum"), `{"a":2,"b":3}`); got != "5" {
		t.Errorf("sum %q", got)
	}
	if strings.Contains(logged.String(), "hunter2") || strings.Contains(logged.String(), "wrong-wrong") {
		t.Errorf("a secret is logged:\n%s", logged)
	}
	h.Close()
}

// The headers of a server go to no other.
func TestRemoteRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect is followed") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	h, _ := newHost(t, Options{FirstPause: time.Hour})
	start(t, h, Server{Name: "s", URL: server.URL, Headers: map[string]string{"Authorization": "Bearer x"}})
	if len(h.Tools()) != 0 {
		t.Errorf("%v", names(h))
	}
	h.Close()
}

// An answer that never ends is cut.
func TestRemoteFlood(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	h, logged := newHost(t, Options{FirstPause: time.Hour, StartTimeout: 10 * time.Second})
	start(t, h, Server{Name: "s", URL: server.URL})
	if !strings.Contains(logged.String(), "too long") {
		t.Errorf("the log:\n%s", logged)
	}
	h.Close()
}

func TestNames(t *testing.T) {
	at := func(name string) *server { return &server{spec: Server{Name: name}} }
	all := []*tool{
		{server: at("b"), remote: "x"}, {server: at("A"), remote: "B c"}, {server: at("a"), remote: "b-c"}, {server: at("a"), remote: "é"},
		{server: at("a_"), remote: "_b"}, {server: at("a"), remote: strings.Repeat("n", 100)}, {server: at("a"), remote: strings.Repeat("n", 99)},
	}
	nameTools(all)
	seen := map[string]bool{}
	for _, tl := range all {
		n := tl.spec.Name
		if seen[n] || len(n) > maxName || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("%q", n)
		}
		seen[n] = true
	}
	if !seen["a__b_c"] || !seen["b__x"] {
		t.Errorf("%v", seen)
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"yes": 0o755, "no": 0o644} {
		if err := os.WriteFile(dir+"/"+name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"HOME=/home/x", "PATH=.:relative:" + dir}
	for command, want := range map[string]string{"yes": dir + "/yes", "/a/b": "/a/b", "~/b": "/home/x/b", "no": "", "a/b": "", "": ""} {
		if got, err := findProgram(command, env); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", command, got, err)
		}
	}
}
