package intake

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

const (
	cloneTime = 2 * time.Minute
	cloneSize = 100 << 20 // bytes on the disk
	cloneLook = 200 * time.Millisecond
)

// scpForm is the address form user@host:path.
var scpForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^:]+$`)
})

// isRepository says whether source is the address of something that only git
// could fetch; repository decides whether it may.
func isRepository(source string) bool {
	return strings.Contains(source, "://") || strings.Contains(source, "::") || scpForm().MatchString(source)
}

// protocolOf returns the one transport that git may use for source.
func protocolOf(source string) (string, error) {
	if scpForm().MatchString(source) {
		return "ssh", nil
	}
	u, err := url.Parse(source)
	if err != nil || strings.Contains(source, "::") || strings.HasPrefix(u.Host, "-") || strings.HasPrefix(source, "-") {
		return "", refuse("%.100q is no address of a git repository that can be used", source)
	}
	switch u.Scheme {
	case "https", "ssh", "file":
		return u.Scheme, nil
	}
	return "", refuse("%.100q: only https, ssh and file are taken as transports of a git repository", source)
}

// repository takes in the newest commit of a repository. Nothing is ever
// checked out: the files come from git archive, through the same checks as
// those of any archive, so that no hook, filter or link of the repository has
// an effect, and submodules stay empty.
func (in *sink) repository(ctx context.Context, source, dir string) error {
	transport, err := protocolOf(source)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("git")
	if err != nil {
		return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "git is not installed; download the repository as an archive and install that", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, cloneTime)
	defer cancel()
	g := git{program, transport, filepath.Join(dir, "repository.git")}
	if err := g.clone(ctx, source); err != nil {
		return err
	}
	defer os.RemoveAll(g.dir)
	cmd := g.command(ctx, "--git-dir="+g.dir, "archive", "--format=tar", "HEAD")
	files, err := cmd.StdoutPipe()
	if err != nil {
		return failed("cannot run git", err)
	}
	if err := cmd.Start(); err != nil {
		return failed("cannot run git", err)
	}
	err = in.tar(ctx, files)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(files, 1<<20)) // the padding at the end
	}
	_ = files.Close()
	if waitErr := cmd.Wait(); err == nil && waitErr != nil {
		err = failed("git could not read the repository", waitErr)
	}
	return err
}

// git is how the program is run for one source.
type git struct{ program, transport, dir string }

// clone fetches the newest commit, as long as it stays small.
func (g git) clone(ctx context.Context, source string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := g.command(ctx, "clone", "--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags",
		"--no-recurse-submodules", "--template=", "--", source, g.dir)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return failed("cannot run git", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	look := time.NewTicker(cloneLook)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			if err != nil {
				return &openclaw.Error{Code: openclaw.CodeNotFound, Message: "git cannot fetch the repository: " + fault(said.String()), Err: err}
			}
			return nil
		case <-look.C:
			if sizeOf(g.dir) > cloneSize {
				cancel(refuse("the repository is over 100 MiB; download the skill alone and install that"))
			}
		}
	}
}

// command is git with nothing of the repository's own switched on, and nobody
// to ask for a password.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	safe := []string{
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never",
		"-c", "protocol." + g.transport + ".allow=always", "-c", "submodule.recurse=false",
	}
	cmd := exec.CommandContext(ctx, g.program, append(safe, args...)...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL="+g.transport, "GIT_LFS_SKIP_SMUDGE=1", "GIT_ASKPASS=")
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// fault is the line of what git said that tells what went wrong.
func fault(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	line := lines[len(lines)-1]
	for _, l := range lines {
		if strings.HasPrefix(l, "fatal: ") {
			line = l
			break
		}
	}
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "")
	}
	return cmp.Or(strings.TrimSpace(line), "it gave no reason")
}

// sizeOf is how many bytes the files below a directory have, as far as they
// can be seen.
func sizeOf(dir string) (size int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // git makes and removes files meanwhile
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	return size
}
