package skill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// newCorpusIndex returns an index of one root, on the machine of the corpus.
func newCorpusIndex(root string) *Index {
	return New(Options{Roots: []Root{{Path: root}}, Machine: corpusMachine, Recheck: time.Nanosecond})
}

func TestWhoMayAsk(t *testing.T) {
	root := tempRoot(t)
	put(t, root, "free/SKILL.md", front("free", "d"))
	put(t, root, "hidden/SKILL.md", "---\nname: hidden\ndescription: d\ndisable-model-invocation: true\n---\nB")
	put(t, root, "inner/SKILL.md", "---\nname: inner\ndescription: d\nuser-invocable: false\n---\nB")
	put(t, root, "off/SKILL.md", "---\nname: off\ndescription: d\nmetadata: {openclaw: {requires: {bins: [absent]}}}\n---\nB")
	x := newCorpusIndex(root)
	for _, c := range []struct{ name, invoke, use string }{
		{"free", "", ""},
		{"FREE", "", ""},
		{"hidden", "", `the skill "hidden" is for people to invoke only (disable-model-invocation)`},
		{"inner", `the skill "inner" is not to be invoked by people (user-invocable: false)`, ""},
		{"off", `the skill "off" is off: it needs the program "absent"`, `the skill "off" is off: it needs the program "absent"`},
		{"fre", `no skill is named "fre"; did you mean "free"?`, `no skill is named "fre"; did you mean "free"?`},
	} {
		check := func(err error, want string) {
			e, _ := errors.AsType[*openclaw.Error](err)
			if want == "" != (err == nil) || e != nil && (e.Message != want || e.Code != openclaw.CodeSkillNotFound) {
				t.Errorf("%s: %v, want %q", c.name, err, want)
			}
		}
		_, err := x.Invoke(c.name)
		check(err, c.invoke)
		_, err = x.Use(c.name)
		check(err, c.use)
	}
	if loaded, skipped := x.Counts(); loaded != 3 || skipped != 1 {
		t.Errorf("Counts = %d, %d", loaded, skipped)
	}
}

func TestSlash(t *testing.T) {
	root := tempRoot(t)
	put(t, root, "daily-notes/SKILL.md", front("daily-notes", "d"))
	put(t, root, "off/SKILL.md", "---\nname: off\ndescription: d\nmetadata: {openclaw: {os: plan9}}\n---\nB")
	x := newCorpusIndex(root)
	for text, want := range map[string]Slash{
		"/daily-notes buy  milk\nand more ": {Name: "daily-notes", Args: "buy  milk\nand more", Known: true},
		" /Daily_Notes":                     {Name: "daily-notes", Known: true},
		"/off":                              {Name: "off", Known: true},
		"/daly-notes x":                     {Name: "daly-notes", Near: "daily-notes"},
		"/zzzzzz x":                         {Name: "zzzzzz"},
		"/compact":                          {Name: "compact"},
		"/etc/hosts says what?":             {},
		"/home.txt":                         {},
		"daily-notes x":                     {},
		"say /daily-notes":                  {},
		"/":                                 {},
		"//daily-notes":                     {},
		"":                                  {},
		"/ daily-notes":                     {},
		"/" + strings.Repeat("a", 1<<20):    {},
	} {
		if diff := cmp.Diff(want, x.Slash(text)); diff != "" {
			t.Errorf("Slash(%.40q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestMatch(t *testing.T) {
	root := tempRoot(t)
	with := func(name, more string) {
		put(t, root, name+"/SKILL.md", "---\nname: "+name+"\ndescription: d\n"+more+"\n---\nB")
	}
	with("mail", "triggers: [mail, 'urgent mail']")
	with("news", `triggers: ["/what('s| is) new/i"]`)
	with("weather", "triggers: [天気, Wetter]")
	with("silent", "triggers: mail, silence\ndisable-model-invocation: true")
	with("gated", "triggers: silence\nmetadata: {openclaw: {os: plan9}}")
	x := newCorpusIndex(root)
	for text, want := range map[string]string{
		"any MAIL for me?":                      "mail",
		"any mailman for me?":                   "",
		"e-mail":                                "mail",
		"email":                                 "",
		"What is New?":                          "news",
		"mail: what's new":                      "news",
		"urgent mail, what's new":               "mail",
		"今日の天気は?":                               "weather",
		"Wie wird das wetter?":                  "weather",
		"silence":                               "",
		"":                                      "",
		strings.Repeat("a ", maxHeard) + "mail": "",
	} {
		if got := x.Match(text); got != want {
			t.Errorf("Match(%.40q) = %q, want %q", text, got, want)
		}
	}
	with("always", "triggers: '*'")
	if got := x.Match("nothing else"); got != "always" {
		t.Errorf("Match with * = %q", got)
	}
	if got := x.Match("mail"); got != "mail" {
		t.Errorf("* wins over a keyword: %q", got)
	}
}

// An expression cannot make a message expensive, whatever it is.
func TestHostileTriggers(t *testing.T) {
	for _, text := range []string{"/(a+)+$/", "/(a|aa)*b/", "/(.*)(.*)(.*)(.*)x/", "/(\\pL{30}\\s?){10}/"} {
		trigger, bad := compile(text)
		if bad != "" {
			continue
		}
		done := make(chan struct{})
		go func() {
			trigger.weight(heard(strings.Repeat("a", 1<<20)), "")
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s does not end", text)
		}
	}
}

func TestMaterial(t *testing.T) {
	root, outside := tempRoot(t), tempRoot(t)
	put(t, root, "a/SKILL.md", front("a", "d"))
	put(t, root, "a/references/more.md", "More.\n")
	put(t, root, "a/scripts/run.sh", "#!/bin/sh\n")
	put(t, root, "a/.hidden", "x")
	put(t, root, "a/node_modules/x/x.js", "x")
	put(t, root, "a/logo.png", "\x89PNG\x00")
	put(t, root, "a/long.txt", strings.Repeat("é", maxPart))
	put(t, outside, "secret", "S")
	link(t, filepath.Join(outside, "secret"), filepath.Join(root, "a", "link"))
	if err := syscall.Mkfifo(filepath.Join(root, "a", "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, root, "b.md", front("b", "d"))
	x := newCorpusIndex(root)
	s, err := x.Use("a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"logo.png", "long.txt", "references/more.md", "scripts/run.sh"}, s.Material()); diff != "" {
		t.Errorf("Material (-want +got):\n%s", diff)
	}
	if text, whole, err := s.ReadMaterial("references/more.md"); text != "More.\n" || !whole || err != nil {
		t.Errorf("%q, %v, %v", text, whole, err)
	}
	if text, whole, err := s.ReadMaterial("long.txt"); len(text) != maxPart || whole || err != nil {
		t.Errorf("%d bytes, %v, %v", len(text), whole, err)
	}
	for _, name := range []string{"link", "../b.md", "/etc/passwd", "logo.png", "fifo", "none", "", "references"} {
		if text, _, err := s.ReadMaterial(name); openclaw.CodeOf(err) != openclaw.CodeNotFound || text != "" {
			t.Errorf("%q: %q, %v", name, text, err)
		}
	}
	single, err := x.Use("b")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := single.ReadMaterial("a/SKILL.md"); err == nil || single.Material() != nil {
		t.Error("a skill in a single file owns its whole root")
	}
	for n := range 2 * maxMaterial {
		put(t, root, fmt.Sprintf("a/more/%03d.txt", n), "x")
	}
	if got := s.Material(); len(got) != maxMaterial {
		t.Errorf("%d files of material", len(got))
	}
}

// A skill that goes away, or is edited, between the list and its use.
func TestChangesBetweenListAndUse(t *testing.T) {
	root := tempRoot(t)
	path := put(t, root, "a/SKILL.md", front("a", "d"))
	x := New(Options{Roots: []Root{{Path: root}}, Machine: corpusMachine, Recheck: time.Hour})
	if len(x.List()) != 1 || x.Match("x") != "" {
		t.Fatal("the skill is not there")
	}
	put(t, root, "a/SKILL.md", "---\nname: a\ndescription: d\nallowed-tools: Read\nmetadata: {openclaw: {requires: {bins: [absent]}}}\n---\nEdited")
	if s, err := x.Get("a"); err != nil || s.Body != "Edited" || s.Missing == "" || len(s.Tools) != 1 {
		t.Errorf("after an edit: %+v, %v", s, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Invoke("a"); openclaw.CodeOf(err) != openclaw.CodeSkillNotFound {
		t.Errorf("after the file has gone: %v", err)
	}
}

func TestMachineOfTheTest(t *testing.T) {
	m := Machine{}.filled()
	t.Setenv("OPENCLAW_TEST_GATE", "x")
	if got := m.missing(Requires{Bins: []string{"go"}, Env: []string{"OPENCLAW_TEST_GATE"}, OS: []string{m.OS}}); got != "" {
		t.Errorf("missing: %s", got)
	}
	dir := t.TempDir()
	put(t, dir, "not-executable", "#!/bin/sh\n")
	t.Setenv("PATH", dir)
	want := `it needs the program "not-executable" and the program "no; touch ` // the name is shown cut, and never run
	if got := m.missing(Requires{Bins: []string{"not-executable", "no; touch " + dir + "/ran"}, Config: []string{"x"}}); !strings.HasPrefix(got, want) {
		t.Errorf("missing: %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a requirement was run")
	}
}

func FuzzTrigger(f *testing.F) {
	for _, seed := range []string{"*", "mail", "/a/i", "/(/", "/a{1000}/", "//", "/", "/x/gimsuy", "天気", "/\\pL+/"} {
		f.Add(seed, "some mail, 天気 x")
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		if text == "" {
			return
		}
		trigger, bad := compile(text)
		if bad == "" && !trigger.all && trigger.pattern == nil && trigger.keyword == "" {
			t.Errorf("%q makes no trigger and is not refused", text)
		}
		message = heard(message)
		if bad == "" && trigger.weight(message, strings.ToLower(message)) < 0 {
			t.Errorf("weight below 0")
		}
	})
}
