package intake

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needGit skips a test where git is missing.
func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI_FOREIGN") == "1" {
			t.Fatal("git is not installed")
		}
		t.Skip("git is not installed")
	}
}

// newRepository makes a repository of one commit with the files in dir.
func newRepository(t *testing.T, dir string) string {
	t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet", "."}, {"add", "--all"},
		{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgSign=false", "commit", "--quiet", "--message=x"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return "file://" + dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		t.Fatal(err)
	}
}

func TestRepository(t *testing.T) {
	needGit(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a/SKILL.md"), "text")
	source := newRepository(t, dir)
	ran := filepath.Join(t.TempDir(), "ran")
	for _, hook := range []string{"post-checkout", "post-merge", "reference-transaction", "upload-pack"} {
		write(t, filepath.Join(dir, ".git/hooks", hook), "#!/bin/sh\ntouch "+ran+"\n")
	}
	s := newStage(t)
	if err := s.Fetch(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a/SKILL.md": "-rwx------ text"}, tree(t, s.Dir())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a hook ran")
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 1 {
		t.Errorf("the clone is left: %v, %v", entries, err)
	}
}

func TestRepositoryWithLink(t *testing.T) {
	needGit(t)
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "SKILL.md")); err != nil {
		t.Fatal(err)
	}
	if err := newStage(t).Fetch(t.Context(), newRepository(t, dir)); err == nil || !strings.Contains(err.Error(), "link or a device") {
		t.Errorf("a link in a repository: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for source, want := range map[string]string{
		"https://example.com/x.git": "https", "ssh://git@example.com/x": "ssh", "git@example.com:x/y.git": "ssh", "file:///x": "file",
		"ext::sh -c touch% /tmp/x": "", "http://example.com/x": "", "git://example.com/x": "", "ftp://x/y": "",
		"ssh://-oProxyCommand=x/y": "", "--upload-pack=x://y": "", "fd::17": "", "file::/x": "", "https://%zz": "",
	} {
		got, err := protocolOf(source)
		if !isRepository(source) || got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %v, %q, %v; want %q", source, isRepository(source), got, err, want)
		}
	}
	for _, source := range []string{"x", "./x.zip", "/a/b", "a:b", "-x"} {
		if isRepository(source) {
			t.Errorf("%s is taken for a repository", source)
		}
	}
}

func TestRepositoryThatIsNotThere(t *testing.T) {
	needGit(t)
	err := newStage(t).Fetch(t.Context(), "file://"+filepath.Join(t.TempDir(), "none"))
	if err == nil || !strings.Contains(err.Error(), "git cannot fetch the repository: fatal: ") {
		t.Errorf("%v", err)
	}
}
