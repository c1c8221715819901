package shell

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// dir returns the directory to run in: the one that the model names, which must
// exist, else the one that the conversation is in, as long as it can be used,
// else the workspace. There are no symbolic links in it: what is shown is the
// directory that the command gets, and no name that can lead elsewhere by then.
func (t *Tool) dir(name, current string) (string, error) {
	switch {
	case name == "" && current != "" && t.usable(current):
		return current, nil
	case name == "":
		if err := os.MkdirAll(t.opts.Workspace, 0o700); err != nil {
			return "", &openclaw.Error{Code: openclaw.CodeInternal, Message: "the workspace cannot be made; the user must look at it", Err: err}
		}
		return paths.Real(t.opts.Workspace), nil
	case name == "~" || strings.HasPrefix(name, "~/"):
		if t.home == "" {
			return "", badArgs("the home directory is not known here; use an absolute path as workdir")
		}
		name = filepath.Join(t.home, name[1:])
	case !filepath.IsAbs(name):
		name = filepath.Join(t.opts.Workspace, name)
	}
	real := paths.Real(name)
	info, err := os.Stat(real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", badArgs("workdir " + name + " does not exist; leave it out to run in the workspace")
	case err != nil:
		return "", &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "workdir cannot be used; leave it out to run in the workspace", Err: err}
	case !info.IsDir():
		return "", badArgs("workdir " + name + " is not a directory")
	}
	return real, nil
}

// usable says whether commands can start in a directory that an earlier one
// ended in: it is there, not a link that was put in its place, can be read, and
// nobody has blocked it.
func (t *Tool) usable(dir string) bool {
	if paths.Real(dir) != dir {
		return false
	}
	for _, blocked := range t.opts.Blocked {
		if paths.WithinFold(dir, blocked) || paths.WithinFold(dir, paths.Real(blocked)) {
			return false
		}
	}
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	return err == nil && info.IsDir()
}

// move notes in a result where the conversation's next command starts, if that
// changes. The command, which named no directory, should have started in
// current and did in start.
func (t *Tool) move(res *openclaw.Result, current, start string) {
	if current == "" {
		current = t.opts.Workspace
	}
	if start != current && start != paths.Real(current) {
		res.Output = addNote(res.Output, "["+current+" cannot be used any more; this ran in "+start+"]")
	}
	end := res.Dir
	if end == "" || !t.usable(end) {
		end = start
	}
	res.Dir = ""
	if paths.Real(end) == paths.Real(current) {
		return
	}
	res.Dir = end
	if end != start {
		res.Output = addNote(res.Output, "[the next command starts in "+end+"]")
	}
}
