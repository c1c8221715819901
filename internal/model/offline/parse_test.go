package offline

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// testSystem has the list of skills as package skill writes it.
const testSystem = "You are an agent.\n\n# Skills\nInstructions for particular tasks: name, description, file.\n- backup: Saves things. (/skills/backup/SKILL.md)\n\n# More\n- not: one (/x)"

// everyTool are the specs of all tools.
func everyTool() []openclaw.ToolSpec {
	var specs []openclaw.ToolSpec
	for _, name := range []string{toolFind, toolList, toolSave, toolSearch, toolForget, toolRead, toolShell, toolWrite} {
		specs = append(specs, openclaw.ToolSpec{Name: name})
	}
	return specs
}

// kindNames are the kinds of ask without a call.
var kindNames = map[kind]string{
	kindSkill: "skill", kindSkills: "skills", kindAsked: "asked", kindHello: "hello", kindThanks: "thanks", kindHelp: "help", kindAbout: "about",
}

// calls returns what a message leads to, one line for each call.
func calls(text string) []string {
	steps, unknown := parse(text)
	if unknown != "" {
		return []string{"(nothing)"}
	}
	var out []string
	for _, step := range steps {
		for _, a := range step {
			ways := options(a, readCatalog(testSystem))
			if len(ways) == 0 {
				out = append(out, "("+kindNames[a.kind]+")")
				continue
			}
			way, _ := choose(ways, everyTool())
			out = append(out, way.tool+" "+string(encode(way.args)))
		}
	}
	return out
}

func TestPhrases(t *testing.T) {
	data, err := os.ReadFile("testdata/phrases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var messages, want []string
	tested := 0
	check := func() {
		for _, m := range messages {
			tested++
			if diff := cmp.Diff(want, calls(m)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", m, diff)
			}
		}
		messages, want = nil, nil
	}
	for line := range strings.Lines(string(data) + "\nend") {
		line = strings.TrimRight(line, "\n")
		switch rest, indented := strings.CutPrefix(line, "    "); {
		case indented:
			want = append(want, rest)
		case line == "" || strings.HasPrefix(line, "# "):
		default:
			if len(want) > 0 {
				check()
			}
			messages = append(messages, line)
		}
	}
	if tested < 200 {
		t.Errorf("only %d messages were tested: is the file read to its end?", tested)
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // the steps, divided by " | "
	}{
		{"lines are one step", "show the date\n\nlist files in /tmp", "date, ls /tmp"},
		{"bullets are one step", "- show the date\n* [ ] list /tmp\n- [x] list /var", "date, ls /tmp"},
		{"numbers are steps", "1. show the date\n2) list /tmp and /var\n3. ls ~", "date | ls /tmp, ls /var | ls ~"},
		{"then divides", "show the date and list /tmp, then list /var", "date, ls /tmp | ls /var"},
		{"a run line is whole", "run: echo \"a\nlist /tmp\nrun: echo b\"", "echo \"a, ls /tmp, echo b\""},
		{"after manners", "Hello!\nshow the date\nThank you", "date"},
		{"all or nothing", "show the date\nand something else", "?and something else"},
		{"a log is no list of requests", "2026-01-02 12:00 error\ndate\nuptime", "?2026-01-02 12:00 error"},
		{"too many", strings.Repeat("show the date\n", 21), "?more than 20 requests at once"},
		{"too long", "list files in /" + strings.Repeat("x", maxText), "?this message"},
		{"blank", " \n\t", "?this message"},
		{"a fence", "```\nshow the date\n```", "?```\nshow the date\n```"},
		{"quotes over lines", "write \"a\nb\" to x.txt", "x.txt=a\nb"},
		{"the following", "Write the following to x.txt:\n\nshow the date\nrun: ls\n", "x.txt=show the date\nrun: ls"},
		{"the following, fenced", "save this as \"x y.txt\":\n```go\na\n```\n", "x y.txt=a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps, unknown := parse(c.text)
			var got []string
			for _, step := range steps {
				var asks []string
				for _, a := range step {
					if a.kind == kindWrite {
						asks = append(asks, a.path+"="+a.text)
						continue
					}
					way := options(a, nil)[0].args
					asks = append(asks, way.(shellArgs).Command)
				}
				got = append(got, strings.Join(asks, ", "))
			}
			said := strings.Join(got, " | ")
			if unknown != "" {
				said = "?" + unknown
			}
			if diff := cmp.Diff(c.want, said); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestShellPath(t *testing.T) {
	for in, want := range map[string]string{
		"~": "~", "~/a b": "~/'a b'", "~bob": "'~bob'", "/a/b": "/a/b", "-rf": "./-rf", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "a\nb": "'a\nb'", "é": "'é'",
	} {
		if got := shellPath(in); got != want {
			t.Errorf("shellPath(%q) = %s, want %s", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"list files in /tmp; rm -rf ~", "write \"a\" to 'b c' and then run: x", "1. remember that x\n2. use skill y: z",
		"\x010\x01", "“”\"`'", "show the first 3 lines of x.txt", "find *.go, *.md and also date. Then\n\n- [x] ls",
		"write the following to a.txt:\n```\nx\n```", "how many .PDF files are in 'my $(x)' folder?",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps, unknown := parse(text)
		n := 0
		for _, step := range steps {
			if len(step) == 0 {
				t.Error("an empty step")
			}
			for _, a := range step {
				n++
				if strings.ContainsAny(a.path+a.pattern, "\x01\n") || strings.Contains(a.text, "\x01") {
					t.Errorf("masked or broken text in %+v", a)
				}
				for _, way := range options(a, nil) {
					checkCall(t, a, way)
				}
				if a.kind == 0 && unknown == "" {
					t.Errorf("an ask without a kind: %+v", a)
				}
			}
		}
		if unknown == "" && (n == 0 || n > maxAsks) {
			t.Errorf("%d requests", n)
		}
	})
}

// checkCall checks that what the user's text put into a command is one quoted
// word each time.
func checkCall(t *testing.T, a ask, way option) {
	t.Helper()
	if args := encode(way.args); !utf8.Valid(args) || string(args) == "{}" {
		t.Errorf("arguments %q of %+v", args, a)
	}
	shell, ok := way.args.(shellArgs)
	if !ok || a.kind == kindRun || a.kind == kindInfo && !strings.HasPrefix(shell.Command, "du ") {
		return
	}
	outside, inside := "", false
	for i := 0; i < len(shell.Command); i++ {
		switch c := shell.Command[i]; {
		case c == '\'':
			inside = !inside
		case !inside && c == '\\' && strings.HasPrefix(shell.Command[i:], `\''`):
			i++
		case !inside:
			outside += string(c)
		}
	}
	outside = strings.TrimSuffix(outside, " | wc -l")
	if a.kind == kindAppend {
		outside = strings.Replace(outside, " >> ", " ", 1)
	}
	if inside || strings.ContainsAny(outside, "|&;<>()$`\\\"*?[]#!{}\n") {
		t.Errorf("command %q of %s", shell.Command, fmt.Sprintf("%+v", a))
	}
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"What files are in my home directory?", "Write me a poem about the sea and the stars, then tell me how long it took."} {
		b.Run(text[:8], func(b *testing.B) {
			for b.Loop() {
				parse(text)
			}
		})
	}
}
