package config

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func seeds(f *testing.F) []string {
	f.Helper()
	full, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		f.Fatal(err)
	}
	return []string{
		string(full), "", "# c", "---\n...\n", "gateway: {port: 1}\n", "gateway:\r\n  port: ${P:-1} # c\r\n", "a: &a [*a]",
		"brain:\n  model: |+\n   x\n\n", "gateway:\n- a: 1\n", "brain: {model: \"${A:-${B}}$${C}\"}", "gateway:\n  allowed_hosts:\n  - a\n  -\n",
		"{gateway: {}}", "? gateway\n: port: 1\n", "gateway: # c\n", "gateway: ~", "\ufeffgateway:\n  port: 'x'\n", "gateway:\n  port:\n", "channels: {a: [{b: !x c}]}",
		"gateway: {port, }\n", "gateway: !!map {port: 1}\n", "gateway: &g\n  port: 1\n", "brain:\n  model: a\n   b\n", "gateway: {port: 1, # c\n}\n", "gateway:\u2028 {port: 1}",
	}
}

// Whatever a file contains, it gives a configuration or says where it is wrong.
func FuzzLoad(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	src := &source{
		path: "config.yml", dirs: directories{"/home/u", "/home/u/.openclaw"},
		env: newEnvironment([]string{"A=a", "TOKEN=hunter2"}),
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, _, err := src.load([]byte(text))
		if (cfg == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", cfg, err)
		}
		if err == nil {
			cfg.Inert()
			for _, e := range cfg.List() {
				if Format(e.Value) == "" && e.Value != "" {
					t.Errorf("%s has the value %#v", e.Key, e.Value)
				}
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		last := len(lineStarts([]byte(text)))
		for _, p := range problems {
			if !p.IsFile() || p.Column < 1 || p.Message == "" || p.Line > last {
				t.Errorf("%+v", p)
			}
			if strings.Contains(p.String(), "hunter2") {
				t.Errorf("shows a variable: %s", p)
			}
		}
	})
}

// An edit gives the key its value, and removes no line that is a comment.
func FuzzEdit(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, "gateway.port", "80")
		f.Add(s, "brain.model", "x: #y")
		f.Add(s, "gateway.allowed_hosts[0]", "h")
		f.Add(s, "providers.p.base_url", "http://h")
		f.Add(s, "gateway.allowed_hosts", "a,b")
	}
	f.Fuzz(func(t *testing.T, text, key, value string) {
		doc := &Document{src: &source{path: "config.yml", dirs: directories{"/home/u", "/home/u/.openclaw"}}, text: []byte(text)}
		if err := doc.Set(key, value); err != nil {
			if string(doc.Text()) != text {
				t.Fatalf("a refused edit changed the text: %v", err)
			}
			return
		}
		after := string(doc.Text())
		if !utf8.ValidString(after) {
			t.Fatalf("not UTF-8: %q", after)
		}
		again, ok, err := doc.Get(key)
		if err != nil {
			t.Fatalf("Get after Set: %v\n%s", err, after)
		}
		if key == "brain.model" && value != "" && (again != value || !ok) {
			t.Fatalf("%q became %q in\n%s", value, again, after)
		}
		twice := &Document{src: doc.src, text: doc.Text()}
		if err := twice.Set(key, value); err == nil && !strings.Contains(key, "[") && string(twice.Text()) != after {
			t.Fatalf("the same edit again changes\n%q to\n%q", after, twice.Text())
		}
	})
}

func FuzzDotEnv(f *testing.F) {
	for _, s := range []string{"A=b\n", "export A='b' # c\r\n", "A=\"\\n\\\"\"", "=\n\x00", "# c\n\nA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, broken := parseDotEnv(text)
		if n := len(entries) + len(broken); n > strings.Count(text, "\n")+1 {
			t.Fatalf("%d results of %q", n, text)
		}
		for _, e := range entries {
			if !isVariableName(e.name) || strings.ContainsRune(e.value, 0) {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"${A}", "$${A}", "${A:-${B:-c}}", "${", "$", "}${A}{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := expand(text, func(name string) (string, bool) { return "<" + name + ">", true })
		if err == nil && !strings.Contains(text, "${") && e.text != text {
			t.Errorf("%q became %q", text, e.text)
		}
		if escaped, err := expand(strings.ReplaceAll(text, "${", "$${"), nil); err != nil || !strings.Contains(text, "$${") && escaped.text != text {
			t.Errorf("%q escaped became %q, %v", text, escaped.text, err)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{"a.b", "a[0].b", `a."b.c"`, "a..b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		parts, err := splitKey(key)
		if err != nil {
			return
		}
		joined := ""
		for _, p := range parts {
			joined = joinKey(joined, p)
		}
		again, err := splitKey(joined)
		if err != nil || strings.Join(again, "\x00") != strings.Join(parts, "\x00") {
			t.Errorf("%q splits into %q, which joins to %q", key, parts, joined)
		}
	})
}
