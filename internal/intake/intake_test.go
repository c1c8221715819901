package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// member is one entry of an archive.
type member struct {
	name, text string
	mode       fs.FileMode // 0: 0644
	target     string      // of a link
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode | 0o644)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(m.text + m.target)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var tarTypes = map[fs.FileMode]byte{
	0: tar.TypeReg, fs.ModeDir: tar.TypeDir, fs.ModeSymlink: tar.TypeSymlink, fs.ModeDevice: tar.TypeBlock, fs.ModeNamedPipe: tar.TypeFifo,
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: tarTypes[m.mode.Type()], Linkname: m.target, Mode: int64(m.mode.Perm() | 0o644), Size: int64(len(m.text))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func newStage(t testing.TB) *Stage {
	t.Helper()
	s, err := NewStage(filepath.Join(t.TempDir(), "skills"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// tree lists the files below a directory with their rights and texts.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		found[filepath.ToSlash(rel)] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var good = []member{
	{name: "a/SKILL.md", text: "text"}, {name: "a/run.sh", text: "#!/bin/sh\n", mode: 0o755}, {name: "a/empty", text: ""},
	{name: "a/.git/config", text: "x\x00"}, {name: "__MACOSX/a/._x", text: "\x00"}, {name: "a/.DS_Store", text: "\x00"},
}

func TestFetch(t *testing.T) {
	want := map[string]string{"a/SKILL.md": "-rw------- text", "a/run.sh": "-rwx------ #!/bin/sh\n", "a/empty": "-rw------- "}
	dir := t.TempDir()
	for _, m := range good {
		path := filepath.Join(dir, "folder", m.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(m.text), m.mode|0o644)); err != nil {
			t.Fatal(err)
		}
	}
	packed := append([]member{{name: "a/", mode: fs.ModeDir | 0o755}}, good...)
	for name, data := range map[string][]byte{
		"a.zip": zipOf(t, packed...), "a.tar": tarOf(t, packed...), "a.tar.gz": gzipOf(t, tarOf(t, packed...)), "A.TGZ": gzipOf(t, tarOf(t, packed...)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []string{"folder", "a.zip", "a.tar", "a.tar.gz", "A.TGZ"} {
		s := newStage(t)
		if err := s.Fetch(t.Context(), filepath.Join(dir, source)); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, tree(t, s.Dir())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// hostile are members that refuse the whole archive, and what is said.
var hostile = []struct {
	name    string
	members []member
	want    string
}{
	{"leads out", []member{{name: "../evil", text: "x"}}, "leads out"},
	{"leads out and in again", []member{{name: "a/../../skills/evil", text: "x"}}, "leads out"},
	{"dots inside", []member{{name: "a/../b", text: "x"}}, "leads out"},
	{"absolute", []member{{name: "/etc/evil", text: "x"}}, "leads out"},
	{"backslashes", []member{{name: `..\evil`, text: "x"}}, "leads out"},
	{"drive", []member{{name: "c:evil", text: "x"}}, "not for file names"},
	{"control character", []member{{name: "a\x1b[2J", text: "x"}}, "not for file names"},
	{"direction", []member{{name: "a\u202egpj.sh", text: "x"}}, "not for file names"},
	{"symbolic link", []member{{name: "a", mode: fs.ModeSymlink, target: "/etc/passwd"}}, "link or a device"},
	{"link, then a file through it", []member{{name: "a", mode: fs.ModeSymlink, target: "/tmp"}, {name: "a/evil", text: "x"}}, "link or a device"},
	{"device", []member{{name: "a", mode: fs.ModeDevice}}, "link or a device"},
	{"pipe", []member{{name: "a", mode: fs.ModeNamedPipe}}, "link or a device"},
	{"twice", []member{{name: "a", text: "x"}, {name: "./a", text: "y"}}, "twice"},
	{"file as a directory", []member{{name: "a", text: "x"}, {name: "a/b", text: "y"}}, "twice"},
	{"binary", []member{{name: "a", text: "x\x00"}}, "not UTF-8 text"},
	{"other encoding", []member{{name: "a", text: "caf\xe9"}}, "not UTF-8 text"},
	{"large file", []member{{name: "a", text: strings.Repeat("a", maxFile+1)}}, "over 1 MiB"},
	{"large in all", many(11, strings.Repeat("a", maxFile)), "over 10 MiB"},
	{"many files", many(maxFiles+1, ""), "over 500 files"},
	{"deep", []member{{name: strings.Repeat("a/", maxDepth) + "b", text: "x"}}, "too deep"},
	{"long name", []member{{name: strings.Repeat("a", maxPath+1), text: "x"}}, "too long"},
}

func many(n int, text string) []member {
	list := make([]member, n)
	for i := range list {
		list[i] = member{name: "f" + strings.Repeat("x", i%100) + string(rune('a'+i/100)), text: text}
	}
	return list
}

func TestHostileArchives(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			for name, data := range map[string][]byte{"x.zip": zipOf(t, c.members...), "x.tgz": gzipOf(t, tarOf(t, c.members...))} {
				source := filepath.Join(t.TempDir(), name)
				if err := os.WriteFile(source, data, 0o600); err != nil {
					t.Fatal(err)
				}
				s := newStage(t)
				err := s.Fetch(t.Context(), source)
				if e, ok := errors.AsType[*openclaw.Error](err); !ok || !strings.Contains(e.Message, c.want) {
					t.Errorf("%s: %v, want %q", name, err, c.want)
				}
				if entries, err := os.ReadDir(filepath.Dir(s.into)); err != nil || len(entries) != 1 {
					t.Errorf("%s: something is outside: %v, %v", name, entries, err)
				}
			}
		})
	}
	if _, err := os.Stat("/etc/evil"); err == nil {
		t.Error("/etc/evil is there")
	}
}

func TestHardLinkInTar(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}), w.Close()); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(source, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newStage(t).Fetch(t.Context(), source); err == nil || !strings.Contains(err.Error(), "link or a device") {
		t.Errorf("a hard link: %v", err)
	}
}

// A few kilobytes that unpack to far more than is taken.
func TestBombs(t *testing.T) {
	bomb := tarOf(t, member{name: "a", text: strings.Repeat("\x00", 16<<20)})
	for name, data := range map[string][]byte{
		"x.tgz": gzipOf(t, bomb), "y.tgz": gzipOf(t, bytes.Repeat([]byte{0}, 16<<20)), "x.zip": zipOf(t, member{name: "a", text: strings.Repeat("a", 16<<20)}),
	} {
		source := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(source, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := newStage(t)
		err := s.Fetch(t.Context(), source)
		if name != "y.tgz" && err == nil { // which is an empty archive with much padding
			t.Errorf("%s was taken", name)
		}
		if got := len(tree(t, s.Dir())); got > 0 {
			t.Errorf("%s: %d files", name, got)
		}
	}
}

func TestHostileDirectories(t *testing.T) {
	link := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(link, "a")); err != nil {
		t.Fatal(err)
	}
	pipe := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipe, "a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		link: "link or a device", pipe: "link or a device", filepath.Join(pipe, "a"): "neither a directory nor an archive",
		filepath.Join(pipe, "absent"): "there is no", "": "there is no",
	} {
		if err := newStage(t).Fetch(t.Context(), source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newStage(t).Fetch(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestPlace(t *testing.T) {
	into := filepath.Join(t.TempDir(), "skills")
	place := func(text string, replace bool) (string, error) {
		s, err := NewStage(into)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := os.WriteFile(filepath.Join(s.Dir(), "SKILL.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.Place(s.Dir(), "one", replace)
	}
	path, err := place("first", false)
	if err != nil || path != filepath.Join(into, "one") {
		t.Fatal(path, err)
	}
	if _, err := place("second", false); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("placed over another: %v", err)
	}
	if _, err := place("third", true); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"one/SKILL.md": "-rw------- third"}, tree(t, into)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s := newStage(t)
	for _, name := range []string{"", ".", "..", "a/b", ".hidden"} {
		if _, err := s.Place(s.Dir(), name, true); err == nil {
			t.Errorf("placed at %q", name)
		}
	}
	if err := Remove(into, filepath.Join(into, "one")); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(into); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestSweep(t *testing.T) {
	into := t.TempDir()
	for name, age := range map[string]time.Duration{".install-1": 2 * abandoned, ".removed-2": 2 * abandoned, ".install-3": time.Hour, "mine": 2 * abandoned} {
		path := filepath.Join(into, name)
		then := time.Now().Add(-age)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewStage(into)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(into)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{".install-3", "mine"}, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzArchives(f *testing.F) {
	f.Add("x.zip", zipOf(f, good...))
	f.Add("x.tar", tarOf(f, good...))
	f.Add("x.tgz", gzipOf(f, tarOf(f, good...)))
	for _, c := range hostile[:12] {
		f.Add("x.zip", zipOf(f, c.members...))
		f.Add("x.tar", tarOf(f, c.members...))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		parent := t.TempDir()
		s, err := NewStage(filepath.Join(parent, "skills"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		in := &sink{root: s.root}
		switch filepath.Ext(name) {
		case ".zip":
			err = in.zip(t.Context(), data)
		case ".tgz":
			r, gzErr := gzip.NewReader(bytes.NewReader(data))
			if gzErr != nil {
				return
			}
			err = in.tar(t.Context(), r)
		default:
			err = in.tar(t.Context(), bytes.NewReader(data))
		}
		if _, ok := errors.AsType[*openclaw.Error](err); err != nil && !ok {
			t.Errorf("an error that is not for people: %v", err)
		}
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("outside: %v, %v", entries, err)
		}
		for name := range tree(t, s.Dir()) {
			if info, err := os.Lstat(filepath.Join(s.Dir(), name)); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	})
}
