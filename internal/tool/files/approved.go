package files

import (
	"os"
	"path/filepath"
	"slices"

	wire "github.com/go-json-experiment/json"
	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// Action says what a call of read_file needs beyond the folders it may read.
func (t *readFile) Action(call *openclaw.Call) (*openclaw.Action, error) {
	return t.space.action(call, forReading), nil
}

// Action says what a call of list_files needs beyond the folders it may read.
func (t *listFiles) Action(call *openclaw.Call) (*openclaw.Action, error) {
	return t.space.action(call, forReading), nil
}

// Action says what a call of write_file needs beyond the folders it may write.
func (t *writeFile) Action(call *openclaw.Call) (*openclaw.Action, error) {
	return t.space.action(call, forCreating), nil
}

// Action says what a call of edit_file needs beyond the folders it may write.
func (t *editFile) Action(call *openclaw.Call) (*openclaw.Action, error) {
	return t.space.action(call, forWriting), nil
}

// action returns the path of a call where it lies outside of the roots. A path
// that no approval opens, such as a blocked one, needs none: Run refuses it.
func (s *space) action(call *openclaw.Call, why purpose) *openclaw.Action {
	var args struct {
		Path string `json:"path"`
	}
	a := &openclaw.Action{}
	if wire.Unmarshal(call.Args, &args) != nil || args.Path == "" {
		return a
	}
	path, err := s.absolute(args.Path)
	if err != nil {
		return a
	}
	path = paths.Real(path)
	if _, _, in := s.rootOf(path, why != forReading); in || s.isBlocked(path) {
		return a
	}
	if why == forReading {
		a.Needs.Read = []string{path}
	} else {
		a.Needs.Write = []string{path}
	}
	return a
}

// locateFor is locate for a call: what somebody has approved is within reach,
// and it is exactly that path, whatever the arguments lead to by now.
func (s *space) locateFor(call *openclaw.Call, name string, why purpose) (*place, error) {
	path, approved := approvedPath(call, why)
	if !approved {
		return s.locate(name, why)
	}
	p, err := s.reaching(path, why != forReading).locate(path, why)
	if err != nil {
		return nil, err
	}
	if p.path != path {
		p.close()
		return nil, errChanged(name)
	}
	return p, nil
}

func approvedPath(call *openclaw.Call, why purpose) (string, bool) {
	if call.Approved == nil {
		return "", false
	}
	list := call.Approved.Needs.Write
	if why == forReading {
		list = call.Approved.Needs.Read
	}
	if len(list) != 1 {
		return "", false
	}
	return list[0], true
}

// reaching returns the space with one more root: the nearest folder above path
// that exists, or path itself if it is one.
func (s *space) reaching(path string, write bool) *space {
	base := path
	for base != "/" {
		if info, err := os.Stat(base); err == nil && info.IsDir() {
			break
		}
		base = filepath.Dir(base)
	}
	wide := &space{
		workspace: s.workspace, home: s.home, roots: slices.Clone(s.roots), blocked: s.blocked, maxOutput: s.maxOutput,
		writing: s.writing,
	}
	wide.roots = append(wide.roots, root{path: base, real: base, write: write})
	return wide
}
