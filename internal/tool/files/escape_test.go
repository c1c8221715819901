package files

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trap fills the workspace with ways out.
func trap(t testing.TB, h *house) {
	t.Helper()
	h.link(t, filepath.Join(h.home, ".ssh/id"), "file-link")
	h.link(t, filepath.Join(h.home, ".ssh"), "folder-link")
	h.link(t, "../../.ssh", "relative-link")
	h.link(t, "relative-link/keys/../id", "link-to-link")
	h.link(t, h.outside, "outside-link")
	h.link(t, "/", "root-link")
	h.link(t, "/proc/self/root", "proc-link")
	h.link(t, "/dev/zero", "device-link")
	h.link(t, "/proc/self/fd", "fd-link")
	h.link(t, "loop", "loop")
	h.link(t, filepath.Join(h.home, ".ssh/new"), "dangling-blocked")
	h.link(t, filepath.Join(h.outside, "new"), "dangling-outside")
	h.link(t, filepath.Join(h.home, "new"), "dangling-home")
	for name, target := range map[string]string{"hard-key": ".ssh/id", "hard-deep": ".ssh/keys/deep", "hard-config": ".openclaw/config.yml"} {
		if err := os.Link(filepath.Join(h.home, target), filepath.Join(h.workspace, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(h.workspace, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(h.workspace) // the address of a socket is short
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Chdir(wd)
}

// waysOut are paths that lead to what must not be read.
func waysOut(h *house) []string {
	return []string{
		"~/.ssh/id",
		"~/.ssh",
		"~/.ssh/",
		"~/.ssh/.",
		"~//.ssh///id",
		"~/Documents/../.ssh/id",
		"~/.SSH/id",
		"~/.Ssh/ID",
		"~/.aws/credentials",
		"../../.ssh/id",
		"../config.yml",
		"../CONFIG.yml",
		filepath.Join(h.home, ".ssh/id"),
		filepath.Join(h.outside, "file"),
		"../../../outside/file",
		"/etc/passwd",
		"/",
		"/proc/self/environ",
		"/proc/self/root" + h.home + "/.ssh/id",
		"/proc/self/cwd/id",
		"/proc/self/fd/0",
		"/proc/thread-self/root" + h.home + "/.ssh/id",
		"/dev/stdin",
		"fd-link/0",
		"/dev/zero",
		"/dev/fd/0",
		"~root/.ssh/id",
		"~/../outside/file",
		"file-link",
		"folder-link",
		"folder-link/id",
		"relative-link/id",
		"link-to-link",
		"outside-link/file",
		"root-link/etc/passwd",
		"root-link" + h.home + "/.ssh/id",
		"proc-link/etc/passwd",
		"device-link",
		"loop",
		"loop/x",
		"hard-key",
		"hard-deep",
		"hard-config",
		"fifo",
		"socket",
		"notes.txt\x00.jpg",
		"",
		" ",
	}
}

func TestNothingBlockedCanBeRead(t *testing.T) {
	h := newHouse(t)
	trap(t, h)
	for _, path := range waysOut(h) {
		if res, err := h.call(t, "read_file", args{"path": path}); err == nil {
			t.Errorf("read_file %q returned %q", path, res.Output)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("read_file %q: the error gives the content away", path)
		}
		if path == "" || path == " " {
			continue // the workspace
		}
		for _, tool := range []string{"list_files", "find_files"} {
			if res, err := h.call(t, tool, args{"path": path}); err == nil {
				t.Errorf("%s %q returned %q", tool, path, res.Output)
			}
		}
		if res, err := h.call(t, "edit_file", args{"path": path, "old": "TOP", "new": "NO"}); err == nil {
			t.Errorf("edit_file %q returned %q", path, res.Output)
		}
	}
}

func TestSearchesStayInside(t *testing.T) {
	h := newHouse(t)
	trap(t, h)
	for _, path := range []string{"~", ".", "~/.openclaw"} {
		if got := h.output(t, "find_files", args{"path": path, "content": "SECRET"}); got != "[nothing found]\n" {
			t.Errorf("content below %s: %q", path, got)
		}
		if got := h.output(t, "find_files", args{"path": path, "pattern": "{id,deep,file,passwd}"}); got != "[nothing found]\n" {
			t.Errorf("names below %s: %q", path, got)
		}
		for line := range strings.Lines(h.output(t, "list_files", args{"path": path, "depth": 8})) {
			name, _, _ := strings.Cut(line, " -> ") // where a link leads is no secret
			if strings.Contains(name, ".ssh/id") || strings.Contains(name, "keys") {
				t.Errorf("list_files %s shows a blocked file: %s", path, line)
			}
		}
	}
	if got := h.output(t, "list_files", args{"path": "~"}); !strings.Contains(got, ".ssh/\t(blocked)\n") {
		t.Errorf("a blocked folder has lost its name:\n%s", got)
	}
}

func TestNothingOutsideCanBeWritten(t *testing.T) {
	h := newHouse(t, filepath.Join("~/.openclaw/workspace/private"))
	trap(t, h)
	before := h.snapshot(t)
	paths := append(waysOut(h),
		"~/new",
		"~/Documents/report.txt",
		"~/.bashrc",
		"~/.ssh/authorized_keys",
		"~/.aws/new/credentials",
		"../new",
		"../config.yml",
		filepath.Join(h.outside, "new"),
		filepath.Join(h.data, "../outside/new"),
		h.data+"-new/file",
		"dangling-blocked",
		"dangling-outside",
		"dangling-home",
		"folder-link/new",
		"outside-link/new/deep",
		"root-link/tmp/openclaw-escaped",
		"private",
		"private/new",
		"Private/new/deep",
		"fifo/new",
		"notes.txt/new",
		"/dev/null",
		"/proc/self/oom_score_adj",
	)
	for _, path := range paths {
		if strings.HasPrefix(path, "hard-") {
			continue // see TestHardLinksAreNotWrittenThrough
		}
		if res, err := h.call(t, "write_file", args{"path": path, "content": "escaped"}); err == nil {
			t.Errorf("write_file %q returned %q", path, res.Output)
		}
	}
	if diff := cmp.Diff(before, h.snapshot(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// What is blocked may come later than the tools, and than links to it.
func TestBlockedLater(t *testing.T) {
	h := newHouse(t, "~/later", "~/folder")
	h.link(t, filepath.Join(h.home, "later"), "link")
	h.link(t, filepath.Join(h.home, "folder"), "folder-link")
	h.put(t, "home/.openclaw/workspace/plain", secret)
	if got := h.output(t, "read_file", args{"path": "plain"}); got != secret {
		t.Fatalf("before: %q", got)
	}
	h.put(t, "home/later", secret)
	h.put(t, "home/folder/deep", secret)
	if err := os.Link(filepath.Join(h.home, "later"), filepath.Join(h.workspace, "hard")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(h.workspace, "plain"), filepath.Join(h.home, "folder/moved")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"~/later", "link", "hard", "plain", "folder-link/deep", "~/folder/deep", "/proc/self/root" + h.home + "/later"} {
		for tool, more := range map[string]args{
			"read_file": {}, "write_file": {"content": "x"}, "edit_file": {"old": "TOP", "new": "NO"}, "list_files": {}, "find_files": {"content": "SECRET"},
		} {
			more["path"] = path
			if res, err := h.call(t, tool, more); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s %s: %+v, %v", tool, path, res, err)
			}
		}
	}
	if got := h.output(t, "find_files", args{"path": "~", "content": "SECRET"}); got != "[nothing found]\n" {
		t.Errorf("content below the home directory: %q", got)
	}
	for _, name := range []string{"home/later", "home/folder/deep", "home/folder/moved"} {
		if got, err := os.ReadFile(filepath.Join(h.dir, name)); string(got) != secret {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestHardLinksAreNotWrittenThrough(t *testing.T) {
	h := newHouse(t)
	trap(t, h)
	for _, name := range []string{"hard-key", "hard-deep", "hard-config"} {
		if _, err := h.call(t, "write_file", args{"path": name, "content": "escaped"}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	for _, name := range []string{".ssh/id", ".ssh/keys/deep", ".openclaw/config.yml"} {
		if got, err := os.ReadFile(filepath.Join(h.home, name)); string(got) != secret {
			t.Errorf("%s is now %q, %v", name, got, err)
		}
	}
}

// A file with two names is nothing bad by itself.
func TestOwnHardLinksWork(t *testing.T) {
	h := newHouse(t)
	if err := os.Link(filepath.Join(h.workspace, "notes.txt"), filepath.Join(h.workspace, "copy")); err != nil {
		t.Fatal(err)
	}
	if got := h.output(t, "read_file", args{"path": "copy"}); got != "one\ntwo\nthree\n" {
		t.Errorf("got %q", got)
	}
	h.output(t, "write_file", args{"path": "copy", "content": "new"})
	if got := h.output(t, "read_file", args{"path": "notes.txt"}); got != "one\ntwo\nthree\n" {
		t.Errorf("the other name has %q", got)
	}
}

func TestBlockedFolderThroughASymlink(t *testing.T) {
	h := newHouse(t)
	// ~/.gnupg is a link into a folder that can be read: what it points to is
	// blocked as well.
	h.put(t, "home/Documents/keys/ring", secret)
	if err := os.Symlink("Documents/keys", filepath.Join(h.home, ".gnupg")); err != nil {
		t.Fatal(err)
	}
	h.options.Blocked = append(h.options.Blocked, "~/.gnupg")
	h.open(t)
	for _, path := range []string{"~/.gnupg/ring", "~/Documents/keys/ring", "~/Documents/Keys/ring"} {
		if res, err := h.call(t, "read_file", args{"path": path}); err == nil {
			t.Errorf("%s: %q", path, res.Output)
		}
	}
}

func TestReplacedWorkspaceIsRefused(t *testing.T) {
	h := newHouse(t)
	for _, target := range []string{h.outside, filepath.Join(h.home, ".ssh"), "/"} {
		if err := os.RemoveAll(h.workspace); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, h.workspace); err != nil {
			t.Fatal(err)
		}
		for _, tool := range []string{"list_files", "find_files"} {
			if res, err := h.call(t, tool, args{}); err == nil {
				t.Errorf("%s: %q", tool, res.Output)
			}
		}
		if _, err := h.call(t, "write_file", args{"path": "new", "content": "x"}); err == nil {
			t.Errorf("a file was written to %s", target)
		}
	}
}

// Whoever changes names while they are followed does not get further.
func TestRacingSymlinks(t *testing.T) {
	h := newHouse(t, "~/.openclaw/workspace/private")
	h.put(t, "home/.openclaw/workspace/real/id", "harmless")
	h.put(t, "home/.openclaw/workspace/private/id", secret)
	swap, target := filepath.Join(h.workspace, "swap"), filepath.Join(h.workspace, "real")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(target, swap) // a folder …
			_ = os.Rename(swap, target)
			_ = os.Symlink("private", swap) // … then a link, near
			_ = os.Remove(swap)
			_ = os.Symlink(filepath.Join(h.home, ".ssh"), swap) // … and far
			_ = os.Remove(swap)
		}
	})
	got := 0
	for i := range 1000 {
		if res, err := h.call(t, "read_file", args{"path": "swap/id"}); err == nil {
			got++
			if res.Output != "harmless" {
				t.Errorf("read %q", res.Output)
				break
			}
		}
		if i%20 == 0 { // a write waits for the disk
			_, _ = h.call(t, "write_file", args{"path": "swap/new", "content": "x"})
		}
	}
	close(stop)
	wg.Wait()
	for _, folder := range []string{filepath.Join(h.home, ".ssh"), filepath.Join(h.workspace, "private")} {
		if _, err := os.Stat(filepath.Join(folder, "new")); err == nil {
			t.Errorf("a file was written to %s", folder)
		}
	}
	t.Logf("%d reads met the folder", got)
}

func FuzzLocate(f *testing.F) {
	for _, s := range []string{"notes.txt", "../../.ssh/id", "~/.SSH/x", "folder-link/../id", "proc-link/self/root/etc", "a/b/../../c", "/", "outside-link//file", "hard-key"} {
		f.Add(s)
	}
	h := newHouse(f)
	trap(f, h)
	s, err := newSpace(h.options)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, why := range []purpose{forReading, forWriting} {
			p, err := s.locate(name, why)
			if err != nil {
				continue
			}
			defer p.close()
			roots := []string{h.home, h.data}
			if why == forWriting {
				roots = []string{h.workspace, h.data}
			}
			inside := false
			for _, r := range roots {
				_, ok := below(r, p.path)
				inside = inside || ok
			}
			if !inside || strings.Contains(strings.ToLower(p.path)+"/", "/.ssh/") {
				t.Errorf("%q led to %q", name, p.path)
			}
			if p.info == nil {
				continue
			}
			if real, err := filepath.EvalSymlinks(p.path); err != nil || real != p.path {
				t.Errorf("%q led to %q, which is %q, %v", name, p.path, real, err)
			}
		}
	})
}

// What is opened must be what was looked at.
func TestOpeningWhatHasChanged(t *testing.T) {
	h := newHouse(t)
	h.put(t, "home/.openclaw/workspace/private/id", secret)
	h.put(t, "home/.openclaw/workspace/folder/id", "harmless")
	dir, err := os.OpenRoot(h.workspace)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	folder, err := dir.Lstat("folder")
	if err != nil {
		t.Fatal(err)
	}
	file, err := dir.Lstat("notes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"folder": "private", "notes.txt": "private/id"} {
		if err := os.RemoveAll(filepath.Join(h.workspace, name)); err != nil {
			t.Fatal(err)
		}
		h.link(t, target, name)
	}
	if d, err := openDir(dir, "folder", folder, "folder"); err == nil {
		_ = d.Close()
		t.Error("a folder that became a link was opened")
	}
	if f, err := openFile(dir, "notes.txt", file, "notes.txt"); err == nil {
		_ = f.Close()
		t.Error("a file that became a link was opened")
	}
}
