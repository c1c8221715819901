// Package prompt puts together the instructions that a model reads before any
// conversation: the built-in text, the owner's own files, the notes in the
// workspace, and the indexes of memory and skills, in this order.
//
// The same layers give the same bytes, and a text that has not changed is not
// made anew, so that the prompt caches of the providers hold. A changed file
// counts from the next call on. [Layers] owns what it has read of the files,
// and nothing else; the files belong to whoever writes them.
//
// There are two kinds of file, since the agent itself can write the workspace
// and a page that talks it into that could otherwise write instructions.
// Files in the home are the owner's: they are instructions and stay as they
// are. Files in the workspace are notes: fenced, cleaned (see package fence),
// to be followed as far as the instructions before them allow.
package prompt

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go/internal/fence"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// names are the files of both places, in the order in which they are read.
var names = []string{"SOUL.md", "AGENTS.md", "TOOLS.md", "USER.md"}

// The bounds of the layers, in bytes.
const (
	maxFile  = 8 << 10
	maxFiles = 24 << 10 // of all files together
)

// Options are what Layers are made of.
type Options struct {
	BuiltIn string // the first layer
	// Home and Workspace are folders; "" or a folder that does not exist has
	// no files.
	Home, Workspace string
	// Writable are more folders that the agent may write. A home in one of
	// them or in the workspace holds notes, not instructions.
	Writable []string
	Logger   *slog.Logger     // default: discards
	Now      func() time.Time // default: time.Now
}

// Layers makes instructions. It is safe for concurrent use.
type Layers struct {
	builtIn string
	logger  *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	folders []*folder

	last struct{ memory, skills, text string }
	made bool
}

// New returns the layers that opts describe. It reads nothing yet.
func New(opts Options) *Layers {
	l := &Layers{builtIn: strings.TrimRight(opts.BuiltIn, "\n"), logger: opts.Logger, now: opts.Now}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	home, workspace := real(opts.Home), real(opts.Workspace)
	if home != "" && home != workspace {
		owners := !paths.Within(home, workspace)
		for _, dir := range opts.Writable {
			owners = owners && !paths.Within(home, real(dir))
		}
		l.add(home, owners)
	}
	if workspace != "" {
		l.add(workspace, false)
	}
	return l
}

// real returns the folder that a path leads to, or the path itself where there
// is none yet.
func real(dir string) string {
	if dir == "" {
		return ""
	}
	return paths.Real(dir)
}

func (l *Layers) add(dir string, owners bool) {
	f := &folder{dir: dir}
	for _, name := range names {
		f.files = append(f.files, &file{dir: dir, name: name, owners: owners})
	}
	l.folders = append(l.folders, f)
}

// Text returns the instructions with the indexes of memory and skills, either
// of which may be "". It looks at every file, eight at the most, and reads
// those that have changed. A file that cannot be read is left out and logged.
func (l *Layers) Text(memory, skills string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := !l.made
	for _, f := range l.folders {
		changed = f.refresh(l.now(), l.logger) || changed
	}
	if changed || memory != l.last.memory || skills != l.last.skills {
		l.last.memory, l.last.skills, l.made = memory, skills, true
		l.last.text = l.assemble(memory, skills)
	}
	return l.last.text
}

// Identity returns the built-in layer and the owner's SOUL.md, as Text has read
// it last: who the agent is, without what it needs for conversations.
func (l *Layers) Identity() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.builtIn
	for _, folder := range l.folders {
		for _, f := range folder.files {
			if f.owners && f.name == names[0] && f.text != "" {
				text += "\n\n" + owned(f, bound(f.text, maxFile, f))
			}
		}
	}
	return text
}

// owned is a file of the owner's as the model reads it.
func owned(f *file, text string) string { return "# " + f.name + " (from the owner)\n" + text }

// assemble joins the layers that say something with a blank line.
func (l *Layers) assemble(memory, skills string) string {
	layers := []string{l.builtIn}
	left := maxFiles
	for _, folder := range l.folders {
		for _, f := range folder.files {
			if f.text == "" {
				continue
			}
			text := bound(f.text, min(maxFile, max(left, 0)), f)
			left -= len(text)
			if f.owners {
				layers = append(layers, owned(f, text))
			} else {
				layers = append(layers, fence.Wrap("Notes in the workspace, "+f.name, text))
			}
		}
	}
	for _, index := range []string{memory, skills} {
		if index != "" {
			layers = append(layers, fence.Clean(index))
		}
	}
	return strings.Join(layers, "\n\n")
}

// bound cuts a file's text to limit bytes at the end of a line, and says so
// where it is cut.
func bound(text string, limit int, f *file) string {
	if len(text) <= limit && !f.longer {
		return text
	}
	text = strings.ToValidUTF8(text[:min(limit, len(text))], "")
	text = text[:strings.LastIndexByte(text, '\n')+1]
	return text + fmt.Sprintf("[%s is cut here: it has %d bytes, of which %d are shown; read the file for the rest]",
		f.name, f.size, len(text))
}
