package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/openclaw/openclaw-go"
)

const writeParameters = `{"type":"object","properties":{` +
	`"path":{"type":"string"},` +
	`"content":{"type":"string"}},` +
	`"required":["path","content"]}`

// writeFile is the tool write_file.
type writeFile struct {
	space *space
	spec  openclaw.ToolSpec
}

// Spec implements openclaw.Tool.
func (t *writeFile) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool.
func (t *writeFile) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Path    string  `json:"path"`
		Content *string `json:"content"`
	}
	if err := parseArgs(call, &args, `{"path": "notes.txt", "content": "text\n"}`); err != nil {
		return nil, err
	}
	switch {
	case args.Content == nil:
		return nil, badArgs(`the argument "content" is missing; "" makes an empty file`)
	case len(*args.Content) > maxFile:
		return nil, badArgs("the content is %d bytes long, the limit is %d; write it in parts with a shell command", len(*args.Content), maxFile)
	case strings.HasSuffix(args.Path, "/"):
		return nil, badArgs("%s names a folder; name the file to write", args.Path)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.space.writing.Lock()
	defer t.space.writing.Unlock()
	p, err := t.space.locateFor(call, args.Path, forCreating)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.replace([]byte(*args.Content)); err != nil {
		return nil, err
	}
	done := "made"
	if p.info != nil {
		done = "replaced"
	}
	return &openclaw.Result{
		CallID: call.ID,
		Output: fmt.Sprintf("%s %s, %d bytes\n", done, args.Path, len(*args.Content)),
	}, nil
}

// replace puts content in the place of what is there, in one step that also
// survives a power cut: either the old or the new content is there, never a part
// of it. The mode of an existing file stays, and its owner if the system allows;
// further hard links to it keep the old content.
func (p *place) replace(content []byte) error {
	mode := fs.FileMode(0o644)
	if p.info != nil {
		if err := mustBeFile(p.info, p.shown); err != nil {
			return err
		}
		mode = p.info.Mode().Perm()
	}
	temp := ".openclaw-" + rand.Text() + ".tmp"
	if err := p.fill(temp, content, mode); err != nil {
		return p.writeError(errors.Join(err, p.discard(temp)))
	}
	if err := p.unchanged(); err != nil {
		return errors.Join(err, p.discard(temp))
	}
	if err := p.dir.Rename(temp, p.name); err != nil {
		return p.writeError(errors.Join(err, p.discard(temp)))
	}
	d, err := p.dir.Open(".")
	if err != nil {
		return p.writeError(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // not every file system can
		return p.writeError(err)
	}
	return nil
}

func (p *place) discard(temp string) error {
	if err := p.dir.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeError explains why the system refused to write.
func (p *place) writeError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &openclaw.Error{Code: openclaw.CodeInternal, Message: "the disk is full; " + p.shown + " is as it was", Err: err}
	}
	return systemError(p.shown, err)
}

// fill makes the file temp with content on the disk.
func (p *place) fill(temp string, content []byte, mode fs.FileMode) (err error) {
	f, err := p.dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode&0o700|0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if p.info != nil {
		if old, ok := p.info.Sys().(*syscall.Stat_t); ok {
			_ = f.Chown(int(old.Uid), int(old.Gid)) // only root may change the owner
		}
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Sync()
}

// unchanged says whether what is at the place is still what was found there.
func (p *place) unchanged() error {
	now, err := p.dir.Lstat(p.name)
	switch {
	case p.info == nil && errors.Is(err, fs.ErrNotExist):
		return nil
	case p.info == nil || err != nil:
		return errChanged(p.shown)
	case !os.SameFile(p.info, now) || now.Size() != p.info.Size() || !now.ModTime().Equal(p.info.ModTime()):
		return errChanged(p.shown)
	}
	return nil
}
