package skill

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what comes out into the corpus")

// corpusMachine is what the cases are checked on.
var corpusMachine = Machine{
	OS: "linux",
	Find: func(program string) error {
		if program == "present" || program == "/bin/present" {
			return nil
		}
		return errors.New("not found")
	},
	Getenv: func(name string) string { return map[string]string{"SET_KEY": "x"}[name] },
	Config: func(key string) bool { return key == "set.key" },
}

// TestCorpus reads the forms of skills that occur in the wild
// (testdata/corpus), each with what must come of it: whatever the list says is
// what the prompt and the invocations do.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d cases, %v; want at least 60", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			last := len(archive.Files) - 1
			if len(archive.Files) > 2 && strings.EqualFold(archive.Files[0].Name, archive.Files[1].Name) && foldsCase(t) {
				t.Skip("this disk takes upper and lower case for the same")
			}
			got := outcomes(t, archive.Files[:last])
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// corpusTexts are the files of the corpus, as seeds.
func corpusTexts(t testing.TB) []string {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there is no corpus", err)
	}
	var texts []string
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := expand(t, string(archive.Files[0].Data)); len(text) < 64<<10 {
			texts = append(texts, text)
		}
	}
	return texts
}

// foldsCase says whether the disk takes upper and lower case for the same.
func foldsCase(t *testing.T) bool {
	_, err := os.Stat(strings.ToUpper(put(t, tempRoot(t), "a", "")))
	return err == nil
}

// outcomes writes the files of a case, and returns what an Index makes of them.
func outcomes(t *testing.T, files []txtar.File) string {
	home := tempRoot(t)
	for _, f := range files {
		root := "root"
		for _, other := range []string{"second", "agent"} {
			if strings.HasPrefix(f.Name, other+"/") {
				root = "."
			}
		}
		put(t, filepath.Join(home, root), f.Name, expand(t, string(f.Data)))
	}
	x := New(Options{Home: home, Machine: corpusMachine, Roots: []Root{
		{Path: filepath.Join(home, "agent"), Agent: true}, {Path: filepath.Join(home, "root")}, {Path: filepath.Join(home, "second")},
	}})
	var out strings.Builder
	for _, info := range x.List() {
		out.WriteString(outcome(t, x, info))
	}
	for _, p := range x.Problems() {
		mark := "warns"
		if p.Skipped {
			mark = "skips"
		}
		fmt.Fprintf(&out, "%s %s\n", mark, p)
	}
	for line := range strings.Lines(strings.TrimPrefix(x.Catalog()+"\n", catalogHead)) {
		if line != "\n" {
			out.WriteString("tells " + line)
		}
	}
	return shorten(strings.ReplaceAll(out.String(), home, "~"))
}

// outcome describes one entry of the list, and checks that everything else
// agrees with it.
func outcome(t *testing.T, x *Index, info Info) string {
	told := strings.Contains(x.Catalog(), "\n- "+info.Name+": ")
	if !info.Enabled {
		if told && info.Description != "" {
			t.Errorf("%s is off and in the catalog", info.Name)
		}
		if _, err := x.Invoke(info.Name); err == nil && info.Description != "" {
			t.Errorf("%s is off and can be invoked", info.Name)
		}
		return fmt.Sprintf("off   %s: %s\n", info.Name, info.Reason)
	}
	s, err := x.Get(info.Name)
	if err != nil {
		t.Fatal(err)
	}
	if told == info.UserOnly {
		t.Errorf("%s: told is %v, for people only %v", info.Name, told, info.UserOnly)
	}
	if _, err := x.Invoke(info.Name); (err != nil) != info.ModelOnly {
		t.Errorf("%s: Invoke says %v", info.Name, err)
	}
	if _, err := x.Use(info.Name); (err != nil) != info.UserOnly {
		t.Errorf("%s: Use says %v", info.Name, err)
	}
	out := fmt.Sprintf("on    %s: %s\n", info.Name, info.Description)
	_, body, _ := strings.Cut(s.text(), "\n\n")
	out += fmt.Sprintf("body  %q\n", body)
	if s.Tools != nil {
		out += fmt.Sprintf("tools %q as %q\n", s.Allowed, s.Tools)
	}
	if len(s.Triggers) > 0 {
		out += fmt.Sprintf("heard %q: %d count\n", s.Triggers, len(s.triggers))
	}
	if info.ModelOnly {
		out += "      for models only\n"
	}
	if info.UserOnly {
		out += "      for people only\n"
	}
	return out
}

var (
	repeats = regexp.MustCompile(`\{\{(\d+) (.+?)\}\}`)
	marks   = regexp.MustCompile(`skill-[0-9a-f]{16}`)
)

// expand makes the bytes of a file: {{3 x}} stands for xxx, \r and the like
// for characters that a text file should not have.
func expand(t testing.TB, text string) string {
	text = repeats.ReplaceAllStringFunc(text, func(s string) string {
		m := repeats.FindStringSubmatch(s)
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Repeat(m[2], n)
	})
	return strings.NewReplacer(`\r`, "\r", `\t`, "\t", `\ufeff`, "\ufeff", `\x00`, "\x00", `\xe9`, "\xe9").Replace(text)
}

// shorten writes runs of one character as {{n x}}, and marker lines alike.
func shorten(text string) string {
	var out strings.Builder
	runes := []rune(marks.ReplaceAllString(text, "skill-…"))
	for i := 0; i < len(runes); {
		n := 1
		for i+n < len(runes) && runes[i+n] == runes[i] {
			n++
		}
		if n > 20 {
			fmt.Fprintf(&out, "{{%d %c}}", n, runes[i])
		} else {
			out.WriteString(string(runes[i : i+n]))
		}
		i += n
	}
	return out.String()
}

// TestBundled checks the skills inside the program as strictly as those of
// others.
func TestBundled(t *testing.T) {
	x := New(Options{Roots: []Root{Bundled()}, Machine: Machine{OS: "linux", Find: func(string) error { return nil }}})
	names, err := fs.Glob(Bundled().Files, "*/SKILL.md")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d skills, %v", len(names), err)
	}
	for _, name := range names {
		name = filepath.Dir(name)
		if file, problems, err := x.Validate(name); err != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v", file, problems, err)
		}
		if s, err := x.Invoke(name); err != nil || s.Dir != "" || len(s.Tools) == 0 || strings.Contains(s.Prompt(""), "{baseDir}") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if got := x.Catalog(); len(got) > 1500 || strings.Contains(got, "…") {
		t.Errorf("the catalog has %d bytes:\n%s", len(got), got)
	}
}
