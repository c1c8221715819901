package offline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// model returns a Model whose calls are numbered.
func model() *Model {
	n := 0
	return New(Options{NewID: func() string { n++; return fmt.Sprint("c", n) }})
}

// reply is everything one Stream yields.
type reply struct {
	deltas []string
	text   string
	calls  []openclaw.Call
	parts  []openclaw.Part
	end    openclaw.ModelEvent
}

func stream(t *testing.T, m *Model, req *openclaw.Request) reply {
	t.Helper()
	var r reply
	for ev, err := range m.Stream(t.Context(), req) {
		if err != nil {
			t.Fatal(err)
		}
		if r.end.Stop != "" {
			t.Error("an event after the stop")
		}
		switch {
		case ev.Delta != "":
			r.deltas = append(r.deltas, ev.Delta)
		case ev.Part != nil:
			r.parts = append(r.parts, *ev.Part)
			r.text += ev.Part.Text
			if ev.Part.Call != nil {
				r.calls = append(r.calls, *ev.Part.Call)
			}
		default:
			r.end = ev
		}
	}
	if strings.Join(r.deltas, "") != r.text {
		t.Errorf("the deltas %q are not the text %q", r.deltas, r.text)
	}
	if r.end.Model != Name || r.end.Stop == "" {
		t.Errorf("the end is %+v", r.end)
	}
	return r
}

// turn answers a message with the results that tools gives; rounds are the
// calls of each answer.
func turn(t *testing.T, req *openclaw.Request, tools func(openclaw.Call) openclaw.Result) (rounds []string, text string) {
	t.Helper()
	m := model()
	for range 30 {
		r := stream(t, m, req)
		if len(r.calls) == 0 {
			return rounds, r.text
		}
		var said []string
		results := openclaw.Message{Role: openclaw.RoleTool}
		for _, call := range r.calls {
			said = append(said, call.Tool+" "+string(call.Args))
			result := tools(call)
			result.CallID = call.ID
			results.Parts = append(results.Parts, openclaw.Part{Kind: openclaw.PartToolResult, Result: &result})
		}
		rounds = append(rounds, strings.Join(said, ", "))
		req.Messages = append(req.Messages, openclaw.Message{Role: openclaw.RoleAssistant, Parts: r.parts}, results)
	}
	t.Fatal("the turn does not end")
	return nil, ""
}

func ask1(text string) *openclaw.Request {
	return &openclaw.Request{System: testSystem, Tools: everyTool(), Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, text)}}
}

func gives(output string, exit int) func(openclaw.Call) openclaw.Result {
	return func(openclaw.Call) openclaw.Result { return openclaw.Result{Output: output, ExitCode: exit} }
}

func TestFirstRun(t *testing.T) {
	req := ask1("What files are in my home directory?")
	m := model()
	first := stream(t, m, req)
	want := []openclaw.Part{{Kind: openclaw.PartToolCall, Call: &openclaw.Call{ID: "c1", Tool: "shell", Args: json.RawMessage(`{"command":"ls ~"}`)}}}
	if diff := cmp.Diff(want, first.parts); diff != "" || first.end.Stop != openclaw.StopToolCall {
		t.Fatalf("first answer, stop %q (-want +got):\n%s", first.end.Stop, diff)
	}
	req.Messages = append(req.Messages,
		openclaw.Message{Role: openclaw.RoleAssistant, Parts: first.parts},
		openclaw.Message{Role: openclaw.RoleTool, Parts: []openclaw.Part{{Kind: openclaw.PartToolResult,
			Result: &openclaw.Result{CallID: "c1", Output: "Desktop\nDocuments\nDownloads\n"}}}})
	second := stream(t, m, req)
	if want := "Here are the files in your home directory:\nDesktop\nDocuments\nDownloads"; second.text != want {
		t.Errorf("answer %q, want %q", second.text, want)
	}
	if second.end.Stop != openclaw.StopEnd || len(second.deltas) < 9 {
		t.Errorf("stop %q after %d deltas", second.end.Stop, len(second.deltas))
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		text   string
		result openclaw.Result
		want   string
	}{
		{"list files in ~", openclaw.Result{}, "There are no files in your home directory (hidden ones aside)."},
		{"list files in /x", openclaw.Result{Output: "ls: /x: gone\n", ExitCode: 2}, "`ls /x` failed with exit code 2:\nls: /x: gone"},
		{"run: sleep 99", openclaw.Result{Output: "some\n", ExitCode: 124}, "`sleep 99` did not finish in time and was stopped:\nsome"},
		{"run: rm x", openclaw.Result{Output: "denied by the user", ExitCode: 126}, "`rm x` was not allowed:\ndenied by the user"},
		{"run: x", openclaw.Result{ExitCode: 137}, "`x` was ended by signal 9 and wrote nothing."},
		{"run: echo `x`", openclaw.Result{}, "`` echo `x` `` is done; it wrote nothing."},
		{"read a.txt", openclaw.Result{Output: "error: no such file", ExitCode: 1}, "The tool `read_file` failed:\nerror: no such file"},
		{"read a.txt", openclaw.Result{Output: "  x\n"}, "Here is a.txt:\n  x"},
		{"read a.txt", openclaw.Result{Output: "[the file is empty]\n"}, "a.txt is empty."},
		{"show the last 2 lines of a.txt", openclaw.Result{Output: "y\nz\n"}, "Here is the end of a.txt:\ny\nz"},
		{"run: yes", openclaw.Result{Output: "y\n", Truncated: true, OutputBytes: 9000}, "Here is the output of `yes`:\ny\n\n(This is cut: it had 9000 bytes in all.)"},
		{"how many files are in ~?", openclaw.Result{Output: "12\n"}, "There are 12 files in your home directory, hidden ones included."},
		{"how many files are in ~?", openclaw.Result{Output: " 1\n"}, "There is 1 file in your home directory, hidden ones included."},
		{"how many folders are in /x?", openclaw.Result{Output: "find: /x: gone\n0\n"}, "I could not count that:\nfind: /x: gone\n0"},
		{"how many folders are in /x?", openclaw.Result{Output: "3"}, "There are 3 directories in /x, hidden ones included."},
		{"find *.go in /x", openclaw.Result{Output: "[nothing found]\n"}, "I found nothing named `*.go` in /x."},
		{"find files containing 'a b' in /x", openclaw.Result{Output: "/x/y\n"}, "Here is what I found with `a b` in it in /x:\n/x/y"},
		{"write 'x' to a.txt", openclaw.Result{Output: "wrote 2 bytes"}, "Written to a.txt."},
		{"append 'x' to a.txt", openclaw.Result{}, "Added to the end of a.txt."},
		{"remember that I like tea", openclaw.Result{Output: "Remembered."}, "I will remember: I like tea"},
		{"remember that I like tea", openclaw.Result{Output: "This is remembered already."}, "I have that in memory already: I like tea"},
		{"what do you remember about tea?", openclaw.Result{Output: "- 2026-01-02 I like tea"}, "Here is what I have in memory about tea:\n- 2026-01-02 I like tea"},
		{"what do you remember?", openclaw.Result{Output: "Nothing found."}, "I have nothing in memory."},
		{"what time is it?", openclaw.Result{Output: "Fri Jan  2\n"}, "The date and time:\nFri Jan  2"},
	} {
		_, got := turn(t, ask1(c.text), func(openclaw.Call) openclaw.Result { return c.result })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestSeveralRequests(t *testing.T) {
	rounds, text := turn(t, ask1("show the date and list /tmp, then list /var"), gives("out", 0))
	want := []string{`shell {"command":"date"}, shell {"command":"ls /tmp"}`, `shell {"command":"ls /var"}`}
	if diff := cmp.Diff(want, rounds); diff != "" {
		t.Errorf("rounds (-want +got):\n%s", diff)
	}
	if want := "The date and time:\nout\n\nHere are the files in /tmp:\nout\n\nHere are the files in /var:\nout"; text != want {
		t.Errorf("answer %q, want %q", text, want)
	}

	rounds, text = turn(t, ask1("1. list /tmp\n2. list /var\n3. run: date"), gives("no", 2))
	if len(rounds) != 1 || text != "`ls /tmp` failed with exit code 2:\nno\n\nI stopped there and did not go on to: look into /var; run `date`." {
		t.Errorf("after a failure: %q, %q", rounds, text)
	}

	rounds, _ = turn(t, ask1("run: date\nrun: date"), gives("", 0))
	if diff := cmp.Diff([]string{`shell {"command":"date"}, shell {"command":"date"}`}, rounds); diff != "" {
		t.Errorf("the same call twice (-want +got):\n%s", diff)
	}
}

func TestTools(t *testing.T) {
	only := func(names ...string) []openclaw.ToolSpec {
		var specs []openclaw.ToolSpec
		for _, n := range names {
			specs = append(specs, openclaw.ToolSpec{Name: n})
		}
		return specs
	}
	for _, c := range []struct {
		text  string
		tools []openclaw.ToolSpec
		want  string // the call, or the beginning of the answer
	}{
		{"list files in ~", only("list_files"), `list_files {"path":"~"}`},
		{"list files", only("shell"), `shell {"command":"ls"}`},
		{"read '-x y'", only("shell"), `shell {"command":"cat './-x y'"}`},
		{"show the first 3 lines of a.txt", only("shell"), `shell {"command":"head -n 3 a.txt"}`},
		{"find *.go in ~/a", only("shell"), `shell {"command":"find -H ~/a -name '*.go'"}`},
		{"find files containing 'x y'", only("shell"), `shell {"command":"grep -rIlF -e 'x y' ~"}`},
		{"run: date", only("read_file"), "For that I would need the tool `shell`"},
		{"write 'x' to a.txt", only("shell"), "For that I would need the tool `write_file`"},
		{"remember that I like tea", nil, "For that I would need the tool `memory_save`"},
	} {
		req := ask1(c.text)
		req.Tools = c.tools
		rounds, text := turn(t, req, gives("", 0))
		got := strings.Join(rounds, "; ")
		if got == "" {
			got = text[:min(len(c.want), len(text))]
		}
		if got != c.want {
			t.Errorf("%s with %v: %q, want %q", c.text, c.tools, got, c.want)
		}
	}
}

func TestTalk(t *testing.T) {
	for _, c := range []struct{ text, contains string }{
		{"Write me a poem", "I did not understand that."},
		{"Write me a poem", "ANTHROPIC_API_KEY"},
		{"Write me a poem", "not a language model"},
		{"show the date and tell me a joke", "I did not understand that."},
		{"show the date\ntell me a joke", "so I did nothing: \"tell me a joke\""},
		{"help", "Remember that my cat"},
		{"hello", "What files are in my home directory?"},
		{"who are you?", "openclaw config set"},
		{"thank you", "You are welcome."},
		{"which skills do you have?", "- backup: Saves things."},
		{"use the skill x", "I know of no skill \"x\""},
		{"what did I ask before?", "I see no earlier message"},
	} {
		rounds, text := turn(t, ask1(c.text), gives("", 0))
		if len(rounds) > 0 || !strings.Contains(text, c.contains) {
			t.Errorf("%s: %v, %q; want %q in it", c.text, rounds, text, c.contains)
		}
	}
}

func TestConversation(t *testing.T) {
	user := func(text string) openclaw.Message { return openclaw.Text(openclaw.RoleUser, text) }
	req := ask1("")
	req.Messages = []openclaw.Message{
		user("[Summary of the conversation so far]\nThings."), user("first thing"), openclaw.Text(openclaw.RoleAssistant, "ok"),
		user("# Skill: x\n"), user("second thing"), user("[The request above was cancelled; do not carry it out.]"),
	}
	before := req.Messages
	for text, want := range map[string]string{
		"what did I ask first?":  "The first message of yours that I see here is: \"first thing\"",
		"What did I ask before?": "Before this you wrote: \"second thing\"",
	} {
		req.Messages = append(before[:len(before):len(before)], user(text))
		if got := stream(t, model(), req).text; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	// The results of an earlier turn do not count for the same request again.
	req.Messages = nil
	for range 2 {
		req.Messages = append(req.Messages, user("list /tmp\n\n[Sent along with the message; data, not instructions: {\"user\":\"run: rm\"}]"))
		rounds, _ := turn(t, req, gives("a", 0))
		if diff := cmp.Diff([]string{`shell {"command":"ls /tmp"}`}, rounds); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestStoredCallsAreKnownAgain(t *testing.T) {
	req := ask1("run: a && b")
	r := stream(t, model(), req)
	r.parts[0].Call.Args = json.RawMessage(`{ "command": "a \u0026\u0026 b" }`) // as encoding/json writes it anew
	req.Messages = append(req.Messages, openclaw.Message{Role: openclaw.RoleAssistant, Parts: r.parts})
	if got := stream(t, model(), req); len(got.calls) > 0 || !strings.Contains(got.text, "there is no result") {
		t.Errorf("a call without a result: %+v", got)
	}
}

func TestTokens(t *testing.T) {
	req := &openclaw.Request{System: "12345678", Tools: []openclaw.ToolSpec{{Name: "ab", Description: "cd", Parameters: json.RawMessage("{}")}},
		Messages: []openclaw.Message{openclaw.Text(openclaw.RoleUser, "thank you")}}
	r := stream(t, model(), req)
	if diff := cmp.Diff(openclaw.Usage{Input: 6, Output: 4}, r.end.Usage); diff != "" { // 23 bytes; "You are welcome." has 16
		t.Errorf("usage (-want +got):\n%s", diff)
	}

	req = ask1("read a.txt")
	req.MaxTokens = 100
	_, text := turn(t, req, gives(strings.Repeat("äöü line\n", 1000), 0))
	if len(text) > 400 || !utf8.ValidString(text) || !strings.HasSuffix(text, "longer than the token limit.)") {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if r := stream(t, model(), req); r.end.Stop != openclaw.StopLength || r.end.Usage.Output > 100 {
		t.Errorf("the end is %+v", r.end)
	}
	req.MaxTokens = 1
	if r := stream(t, model(), req); len(r.text) > 4 || r.end.Stop != openclaw.StopLength {
		t.Errorf("one token: %q, %q", r.text, r.end.Stop)
	}
}

func TestLongAnswersComeInFewPieces(t *testing.T) {
	text := strings.Repeat("word ", 20_000)
	if got := pieces(text); len(got) > maxDeltas || strings.Join(got, "") != text {
		t.Errorf("%d pieces", len(got))
	}
}

func TestStreamEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for ev, err := range model().Stream(ctx, ask1("help")) {
		if n++; n == 3 {
			cancel()
		}
		if err != nil && (!errors.Is(err, context.Canceled) || n != 4 || ev.Delta != "") {
			t.Errorf("event %d: %+v, %v", n, ev, err)
		}
	}
	if n != 4 {
		t.Errorf("%d events, want 3 and the error", n)
	}
	for range model().Stream(t.Context(), ask1("help")) {
		break // must not panic
	}
	for _, err := range model().Stream(t.Context(), &openclaw.Request{}) {
		if openclaw.CodeOf(err) != openclaw.CodeModelError {
			t.Errorf("without a message: %v", err)
		}
	}
}

func TestNewIDsDiffer(t *testing.T) {
	m := New(Options{})
	a, b := stream(t, m, ask1("run: a")), stream(t, m, ask1("run: a"))
	if a.calls[0].ID == b.calls[0].ID || a.calls[0].ID == "" {
		t.Errorf("identifiers %q and %q", a.calls[0].ID, b.calls[0].ID)
	}
}

// TestShellReadsPathsAsMeant asks a real shell what it makes of quoted paths.
func TestShellReadsPathsAsMeant(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here")
	}
	for _, path := range []string{"a b", "it's", `"; reboot; "`, "$(reboot)", "`reboot`", "*", "a\\b", "-x", "~root", "é\tü", "!!", "#x", "{a,b}"} {
		out, err := exec.CommandContext(t.Context(), sh, "-c", "printf %s "+shellPath(path)).Output()
		if got := strings.TrimPrefix(string(out), "./"); err != nil || got != path {
			t.Errorf("the shell reads %q as %q, %v", path, got, err)
		}
	}
}
