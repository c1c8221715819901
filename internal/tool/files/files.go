// Package files is the tools that read, write, edit, list and find files.
//
// They reach what the user can read in the workspace, the home directory and
// the writable folders, and write to the workspace and the writable folders
// only. Blocked paths win over all of these. Every path is followed from an open
// root directory, one name at a time, so that symbolic links, "..", races and
// hard links to blocked files do not lead out.
//
// A path outside of these folders needs an approval, which the tools say
// (Action) and do not ask for. They keep nothing between calls but a lock that
// makes one change at a time, and do not guard what a shell command does.
package files

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// Options configure the tools. Workspace is required.
type Options struct {
	Workspace string // absolute path; made, with mode 0700, when it is first used
	Home      string // absolute path, what "~" means and what can be read; "": the user's
	// Writable and Blocked are absolute paths, or begin with "~/". A blocked
	// folder is blocked with all below it.
	Writable []string
	Blocked  []string
	// State is a folder in which no command writes, whatever folder that may be
	// written it is in: links in there are the owner's own. "": there is none.
	State string
	// Readable are further folders to read, written alike.
	Readable []string
	// MaxOutput is how many bytes one call returns; 0: 64 KiB.
	MaxOutput int
}

const (
	defaultMaxOutput = 64 << 10
	minOutput        = 256
	maxFile          = 10 << 20 // the most to write, and to edit
	maxPath          = 4096
)

// systemPaths are blocked in any case: nothing in them is a file of the user's,
// and parts of them lead anywhere (/proc/self/root). It matters where the home
// directory is "/".
var systemPaths = []string{"/proc", "/sys", "/dev"}

//go:embed *.md
var texts embed.FS

// space is the part of the file system that the tools reach. It does not
// change.
type space struct {
	workspace string
	home      string
	roots     []root
	blocked   []string // as given, and with symbolic links resolved
	maxOutput int

	writing *sync.Mutex // held from reading a file to replacing it
}

// New returns the tools edit_file, find_files, list_files, read_file and
// write_file, or what is wrong with opts. They are safe for concurrent use.
func New(opts Options) ([]openclaw.Tool, error) {
	s, err := newSpace(opts)
	if err != nil {
		return nil, err
	}
	return []openclaw.Tool{
		&editFile{space: s, spec: specOf("edit_file", editParameters)},
		&findFiles{space: s, spec: repeatable(specOf("find_files", findParameters))},
		&listFiles{space: s, spec: repeatable(specOf("list_files", listParameters))},
		&readFile{space: s, spec: repeatable(specOf("read_file", readParameters))},
		&writeFile{space: s, spec: specOf("write_file", writeParameters)},
	}, nil
}

func specOf(name, parameters string) openclaw.ToolSpec {
	text, err := texts.ReadFile(name + ".md")
	if err != nil {
		panic(err) // not compiled in
	}
	return openclaw.ToolSpec{
		Name:        name,
		Description: strings.TrimSpace(string(text)),
		Parameters:  json.RawMessage(parameters),
	}
}

// repeatable marks a tool that changes nothing.
func repeatable(spec openclaw.ToolSpec) openclaw.ToolSpec {
	spec.Repeatable = true
	return spec
}

func newSpace(opts Options) (*space, error) {
	if opts.Home == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("files: Home: %w", err)
		}
		opts.Home = home
	}
	if opts.MaxOutput == 0 {
		opts.MaxOutput = defaultMaxOutput
	}
	if opts.MaxOutput < minOutput {
		return nil, fmt.Errorf("files: MaxOutput must be at least %d bytes", minOutput)
	}
	if !filepath.IsAbs(opts.Workspace) || !filepath.IsAbs(opts.Home) {
		return nil, errors.New("files: Workspace and Home must be absolute paths")
	}
	s := &space{
		workspace: filepath.Clean(opts.Workspace),
		home:      filepath.Clean(opts.Home),
		maxOutput: opts.MaxOutput,
		writing:   new(sync.Mutex),
	}
	for _, b := range slices.Concat(systemPaths, opts.Blocked) {
		path, err := s.configured("Blocked", b)
		if err != nil {
			return nil, err
		}
		s.blocked = append(s.blocked, path)
		if real := paths.Real(path); real != path {
			s.blocked = append(s.blocked, real)
		}
	}
	if err := s.addRoots(opts); err != nil {
		return nil, err
	}
	if s.isBlocked(s.workspace) || s.isBlocked(s.roots[0].real) {
		return nil, errors.New("files: the workspace is in a blocked path; move one of the two")
	}
	return s, nil
}

func (s *space) configured(option, path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = s.home + path[1:]
	}
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("files: %s: %q must be an absolute path or begin with ~/", option, path)
	}
	return filepath.Clean(path), nil
}
