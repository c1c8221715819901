package policy

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
)

func newPolicy(t testing.TB, c Config) *Policy {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shellAction(command string, needs ...openclaw.Needs) *openclaw.Action {
	a := &openclaw.Action{Argv: []string{"/bin/bash", "-c", command}, Dir: "/work"}
	if len(needs) > 0 {
		a.Needs = needs[0]
	}
	return a
}

// fakeTool is a tool whose calls need what the test says.
type fakeTool struct {
	name   string
	action *openclaw.Action
	ran    *[]openclaw.Call
}

func (f fakeTool) Spec() openclaw.ToolSpec { return openclaw.ToolSpec{Name: f.name} }
func (f fakeTool) Run(_ context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	*f.ran = append(*f.ran, *call)
	return &openclaw.Result{}, nil
}

// actingTool is a fakeTool with an action.
type actingTool struct{ fakeTool }

func (f actingTool) Action(*openclaw.Call) (*openclaw.Action, error) {
	a := *f.action
	return &a, nil
}

// answers is an Asker that gives one answer.
type answers struct {
	decision, by string
	asked        []openclaw.ApprovalRequested
	within       time.Duration
}

func (a *answers) Ask(_ context.Context, q openclaw.ApprovalRequested, within time.Duration) (openclaw.ApprovalResolved, error) {
	a.asked, a.within = append(a.asked, q), within
	return openclaw.ApprovalResolved{ApprovalID: "a1", Decision: a.decision, By: a.by}, nil
}

func TestAlwaysDeny(t *testing.T) {
	tests := []struct {
		deny, tool string
		runs       bool
	}{
		{"shell", "shell", false},
		{"shell", "shells", true},
		{"memory_*", "memory_save", false},
		{"*", "read_file", false},
		{"Shell", "shell", true},
	}
	for _, test := range tests {
		t.Run(test.deny+" "+test.tool, func(t *testing.T) {
			var ran []openclaw.Call
			// What is denied is not allowed by anything else.
			p := newPolicy(t, Config{AlwaysDeny: []string{test.deny}, AutoApprove: []string{"*"}, Mode: Auto})
			_, err := p.Wrap([]openclaw.Tool{fakeTool{name: test.tool, ran: &ran}})[0].Run(t.Context(), &openclaw.Call{Tool: test.tool})
			if (len(ran) == 1) != test.runs || (err == nil) != test.runs {
				t.Fatalf("ran %d times with error %v, want it to run: %v", len(ran), err, test.runs)
			}
			if !test.runs && (openclaw.CodeOf(err) != openclaw.CodeApprovalDenied || !strings.Contains(err.Error(), test.deny)) {
				t.Errorf("error %v does not name the rule", err)
			}
		})
	}
}

func TestBadRulesAreRefused(t *testing.T) {
	for _, text := range []string{"[x", "", "  ", "shell(", "shell()", "shell( )", "shell(ls", "(ls)", "read_file(x)", "shell('ls)"} {
		for _, c := range []Config{{AutoApprove: []string{text}}, {AlwaysDeny: []string{text}}} {
			if _, err := New(c); openclaw.CodeOf(err) != openclaw.CodeInvalidMessage || !strings.Contains(err.Error(), "permissions.") {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	if _, err := New(Config{Blocked: []string{" "}}); err == nil {
		t.Error("a blank blocked command was accepted")
	}
}

// The precedence: denied, approved by rule, approved before, then the mode,
// and that only for what needs more than the sandbox gives.
func TestPrecedence(t *testing.T) {
	network := openclaw.Needs{Network: true}
	bare := func() bool { return true }
	everything := Config{Mode: Deny, AutoApprove: []string{"shell(ls *)"}, AlwaysDeny: []string{"shell(ls -x)"}}
	tests := []struct {
		name   string
		config Config
		action *openclaw.Action
		want   Decision
		rule   string
	}{
		{"nothing needed", Config{Mode: Deny}, shellAction("ls"), Runs, ""},
		{"no action", Config{Mode: Deny}, nil, Runs, ""},
		{"denied beats approved", everything, shellAction("ls -x", network), Denies, "permissions.always_deny: shell(ls -x)"},
		{"denied without a need", everything, shellAction("ls -x"), Denies, "permissions.always_deny: shell(ls -x)"},
		{"approved beats the mode", everything, shellAction("ls -l", network), Runs, "permissions.auto_approve: shell(ls *)"},
		{"mode deny", everything, shellAction("cat", network), Denies, "permissions.mode: deny"},
		{"mode ask", Config{}, shellAction("cat", network), Asks, "permissions.mode: ask"},
		{"mode auto", Config{Mode: Auto}, shellAction("cat", network), Runs, "permissions.mode: auto"},
		{"blocked beats approved", Config{Blocked: []string{"ls"}, AutoApprove: []string{"shell"}}, shellAction("ls"), Denies, "hands.shell.blocked_commands: ls"},
		{"no sandbox", Config{Unconfined: bare}, shellAction("ls"), Asks, "permissions.mode: ask"},
		{"no sandbox, approved", Config{Unconfined: bare, AutoApprove: []string{"shell(ls)"}}, shellAction("ls"), Runs, "permissions.auto_approve: shell(ls)"},
		{"asks for no sandbox", Config{AutoApprove: []string{"shell(ls)", "shell"}}, shellAction("ls", openclaw.Needs{Unconfined: true}), Asks, "permissions.mode: ask"},
		{"asks for what is so", Config{Unconfined: bare, AutoApprove: []string{"shell(ls)"}}, shellAction("ls", openclaw.Needs{Unconfined: true}), Runs, "permissions.auto_approve: shell(ls)"},
		{"no sandbox, a file", Config{Unconfined: bare}, &openclaw.Action{}, Runs, ""},
		{"a file elsewhere", Config{}, &openclaw.Action{Needs: openclaw.Needs{Write: []string{"/etc/x"}}}, Asks, "permissions.mode: ask"},
		{"variables", Config{AutoApprove: []string{"shell(ls)"}}, &openclaw.Action{Argv: []string{"/bin/sh", "-c", "ls"}, Env: []string{"PATH=/x"}, Needs: network}, Asks, "permissions.mode: ask"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newPolicy(t, tt.config).Judge("main", "shell", tt.action)
			if got.Decision != tt.want || got.Rule != tt.rule {
				t.Errorf("%s by %q, want %s by %q", got.Decision, got.Rule, tt.want, tt.rule)
			}
		})
	}
}

// What is asked for is what runs, whatever the arguments say by then.
func TestWhatRunsIsWhatWasApproved(t *testing.T) {
	var ran []openclaw.Call
	action := shellAction("curl x", openclaw.Needs{Network: true})
	action.Reason, action.Env = "to look\nat it", []string{"A=b"}
	tool := newPolicy(t, Config{Timeout: time.Minute}).Wrap([]openclaw.Tool{actingTool{fakeTool{"shell", action, &ran}}})[0]
	asker := &answers{decision: openclaw.DecideOnce, by: openclaw.ByClient}
	call := &openclaw.Call{ID: "c1", Tool: "shell", Args: json.RawMessage(`{"command":"curl x"}`), Session: "main", Asker: asker,
		Approved: shellAction("rm -rf ~", openclaw.Needs{Unconfined: true})} // not the caller's to say
	if _, err := tool.Run(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	want := []openclaw.ApprovalRequested{{
		CallID: "c1", Tool: "shell", Args: call.Args, Reason: `it needs network; the agent says: "to look at it"`,
		Argv: action.Argv, Dir: action.Dir, Env: action.Env, Needs: []string{"network"},
	}}
	if diff := cmp.Diff(want, asker.asked); diff != "" || asker.within != time.Minute {
		t.Errorf("asked within %v (-want +got):\n%s", asker.within, diff)
	}
	if len(ran) != 1 || !cmp.Equal(ran[0].Approved, action) {
		t.Errorf("ran %+v", ran)
	}
}

func TestNotApproved(t *testing.T) {
	for by, want := range map[string]string{
		openclaw.ByNobody: "nobody is there", openclaw.ByTimeout: "in time", openclaw.ByClient: "denied by the user",
	} {
		var ran []openclaw.Call
		action := shellAction("x", openclaw.Needs{Unconfined: true})
		tool := newPolicy(t, Config{}).Wrap([]openclaw.Tool{actingTool{fakeTool{"shell", action, &ran}}})[0]
		_, err := tool.Run(t.Context(), &openclaw.Call{Tool: "shell", Asker: &answers{decision: openclaw.DecideDeny, by: by}})
		if openclaw.CodeOf(err) != openclaw.CodeApprovalDenied || !strings.Contains(err.Error(), want) || len(ran) > 0 {
			t.Errorf("%s: ran %d times, %v", by, len(ran), err)
		}
	}
	// A tool that is run by something without a person to ask.
	var ran []openclaw.Call
	tool := newPolicy(t, Config{}).Wrap([]openclaw.Tool{actingTool{fakeTool{"shell", shellAction("x", openclaw.Needs{Network: true}), &ran}}})[0]
	if _, err := tool.Run(t.Context(), &openclaw.Call{Tool: "shell"}); openclaw.CodeOf(err) != openclaw.CodeApprovalDenied || len(ran) > 0 {
		t.Errorf("without an asker: ran %d times, %v", len(ran), err)
	}
}

func TestReasonIsBounded(t *testing.T) {
	a := shellAction("x", openclaw.Needs{Network: true})
	a.Reason = strings.Repeat("ä", 1000)
	if got := reason(a); len(got) > maxReason+100 || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
