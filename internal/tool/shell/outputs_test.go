package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
)

// newShelved returns a desk whose host keeps files in the directory returned.
func newShelved(t *testing.T, o Options) (*desk, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "outputs")
	d := &desk{t: t, host: NewHost(dir)}
	o.Host = d.host
	d.shell, d.process = newTool(t, o), NewProcess(d.host)
	t.Cleanup(d.host.Close)
	return d, dir
}

// keptIn lists the files below a directory.
func keptIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (d *desk) run(session string, args map[string]any) *openclaw.Result {
	d.t.Helper()
	res, err := d.shell.Run(d.t.Context(), callIn(session, args))
	if err != nil {
		d.t.Fatal(err)
	}
	return res
}

func TestLongOutputIsKept(t *testing.T) {
	d, dir := newShelved(t, Options{MaxOutput: 1024, Outputs: Outputs{MaxFile: 20_000}})
	if res := d.run("a", m{"command": "seq 100"}); res.Truncated || len(keptIn(t, dir)) > 0 {
		t.Errorf("a short one: %+v", res)
	}
	res := d.run("a", m{"command": `printf '\033[31mred\033[0m caf\303'; printf '\251\n'; seq 1000`})
	files := keptIn(t, dir)
	if len(files) != 1 || !res.Truncated || !strings.HasPrefix(res.Output, "red café\n1\n") ||
		!strings.HasSuffix(res.Output, "\n1000\n[all of it is in "+files[0]+"; read_file pages through it]\n") {
		t.Fatalf("%+v, %v", res, files)
	}
	data, err := os.ReadFile(files[0])
	if want := "red café\n" + numbers(1000); err != nil || string(data) != want {
		t.Errorf("%d bytes, want %d, %v", len(data), len(want), err)
	}
	for path, mode := range map[string]os.FileMode{files[0]: 0o600, filepath.Dir(files[0]): 0o700, dir: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	res = d.run("b", m{"command": "seq 10000", "pty": true})
	if !regexp.MustCompile(`\[the first 20000 bytes of it are in .*; read_file`).MatchString(res.Output) {
		t.Errorf("too long a one: %q", res.Output)
	}
	if err := d.host.Forget("a"); err != nil {
		t.Error(err)
	}
	left := keptIn(t, dir)
	if len(left) != 1 || left[0] == files[0] {
		t.Fatalf("of the other conversation: %v", left)
	}
	if data, _ := os.ReadFile(left[0]); len(data) != 20_000 || strings.Contains(string(data), "\r") {
		t.Errorf("%d bytes", len(data))
	}
	if len(d.host.shelf.inUse) != 0 {
		t.Errorf("in use: %v", d.host.shelf.inUse)
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

func TestOutputOfAJobIsKept(t *testing.T) {
	d, dir := newShelved(t, Options{MaxOutput: 1024})
	id := d.begin("a", m{"command": "seq 1000; read x; seq 1001 2000; echo long line without an end | tr -d '\\n'"})
	first := d.ask("a", m{"action": "poll", "job": id, "wait_ms": 20000})
	if !strings.Contains(first, "[all of it is in "+dir) {
		t.Errorf("got %q", first)
	}
	d.host.Sweep(Outputs{MaxTotal: 1, MaxAge: 1}) // leaves what is in use
	d.ask("a", m{"action": "write", "job": id, "end": true})
	j, err := d.host.find("a", id)
	if err != nil {
		t.Fatal(err)
	}
	<-j.done
	files := keptIn(t, dir)
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	if data, _ := os.ReadFile(files[0]); string(data) != numbers(2000)+"long line without an end" {
		t.Errorf("%d bytes are kept", len(data))
	}
	if last := d.ask("a", m{"action": "poll", "job": id}); !strings.Contains(last, files[0]) {
		t.Errorf("at the end: %q", last)
	}
}

func TestFilesGiveWay(t *testing.T) {
	s := shelf{dir: filepath.Join(t.TempDir(), "outputs")}
	s.sweep(Outputs{}) // there is nothing
	if err := s.forget("a"); err != nil {
		t.Error(err)
	}
	var names []string
	for i, age := range []time.Duration{time.Hour, 30 * time.Minute, 20 * time.Minute, 0} {
		f, name, err := s.create(fmt.Sprint(i), Outputs{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(strings.Repeat("x", 100)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		path := filepath.Join(s.dir, name)
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
		names = append(names, path)
		if i != 1 {
			s.done(name)
		}
	}
	left := func(limits Outputs) (list []bool) {
		s.sweep(limits)
		for _, name := range names {
			_, err := os.Stat(name)
			list = append(list, err == nil)
		}
		return list
	}
	if got := fmt.Sprint(left(Outputs{MaxAge: 2 * time.Hour})); got != "[true true true true]" {
		t.Error(got)
	}
	if got := fmt.Sprint(left(Outputs{MaxAge: 25 * time.Minute})); got != "[false true true true]" { // the second is in use
		t.Error(got)
	}
	if got := fmt.Sprint(left(Outputs{MaxTotal: 200})); got != "[false true false true]" {
		t.Error(got)
	}
	if folders, _ := filepath.Glob(filepath.Join(s.dir, "*")); len(folders) != 2 {
		t.Errorf("folders: %v", folders)
	}
	if _, err := os.Create(filepath.Join(s.dir, "blocks")); err != nil {
		t.Fatal(err)
	}
	bad := &spool{shelf: &shelf{dir: filepath.Join(s.dir, "blocks")}, room: 10, limits: Outputs{}.withDefaults()}
	bad.write(make([]byte, 20))
	bad.write(make([]byte, 20))
	bad.finish()
	if note := bad.note(); !strings.Contains(note, "could not be kept") {
		t.Errorf("a file that cannot be made: %q", note)
	}
}
