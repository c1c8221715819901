package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// maxGrants bounds the file of approvals and the time to look through it.
const maxGrants = 1000

// Grant is an approval that outlives the call it was given for. It covers
// calls that are exactly the same: tool, program and arguments, directory,
// variables, needs.
type Grant struct {
	ID      string    `json:"id"`
	Session string    `json:"session,omitzero"` // "": every one
	Tool    string    `json:"tool"`
	Argv    []string  `json:"argv,omitempty"`
	Dir     string    `json:"dir,omitzero"`
	Env     []string  `json:"env,omitempty"`
	Needs   []string  `json:"needs"`
	At      time.Time `json:"at"`
}

// Grants are the approvals that outlive a call, in a file with mode 0600. The
// process owns the file; a hand may edit it while no gateway runs. It is safe
// for concurrent use.
type Grants struct {
	path string
	now  func() time.Time

	mu   sync.Mutex
	list []Grant // the oldest first
}

// OpenGrants reads the file, which need not exist; now is nil for time.Now. A
// file that cannot be read is an error: an approval that somebody revoked must
// not come back, nor one be lost unnoticed.
func OpenGrants(path string, now func() time.Time) (*Grants, error) {
	if now == nil {
		now = time.Now
	}
	g := &Grants{path: path, now: now}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return g, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &g.list)
	}
	if err != nil {
		return nil, &openclaw.Error{
			Code: openclaw.CodeInternal, Err: err,
			Message: "the file of approvals cannot be read; repair or remove " + path,
		}
	}
	return g, nil
}

// List returns the approvals, the oldest first.
func (g *Grants) List() []Grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.list)
}

// Revoke removes an approval. It fails with NOT_FOUND.
func (g *Grants) Revoke(id string) error {
	n, err := g.remove(func(x Grant) bool { return x.ID == id })
	if err == nil && n == 0 {
		err = &openclaw.Error{Code: openclaw.CodeNotFound, Message: "there is no such approval; openclaw approvals list shows those there are"}
	}
	return err
}

// Forget removes the approvals of a session that has been reset or deleted.
func (g *Grants) Forget(session string) error {
	_, err := g.remove(func(x Grant) bool { return x.Session == session && session != "" })
	return err
}

func (g *Grants) remove(match func(Grant) bool) (n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(g.list), match)
	if n = len(g.list) - len(left); n == 0 {
		return 0, nil
	}
	return n, g.store(left)
}

// add keeps an approval. The oldest of a session makes room for a new one.
func (g *Grants) add(id, session, tool string, a *openclaw.Action) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := slices.Clone(g.list)
	if len(list) >= maxGrants {
		i := slices.IndexFunc(list, func(x Grant) bool { return x.Session != "" })
		if i < 0 {
			return fmt.Errorf("%d approvals are kept already; revoke some", maxGrants)
		}
		list = slices.Delete(list, i, i+1)
	}
	return g.store(append(list, Grant{
		ID: id, Session: session, Tool: tool, Argv: a.Argv, Dir: a.Dir, Env: a.Env,
		Needs: a.Needs.Strings(), At: g.now().UTC().Truncate(time.Second),
	}))
}

// find returns the ID of an approval for exactly this; "": there is none.
func (g *Grants) find(session, tool string, a *openclaw.Action, needs openclaw.Needs) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	need := needs.Strings()
	for _, x := range g.list {
		if (x.Session == "" || x.Session == session) && x.Tool == tool && x.Dir == a.Dir &&
			slices.Equal(x.Argv, a.Argv) && slices.Equal(x.Env, a.Env) && slices.Equal(x.Needs, need) {
			return x.ID
		}
	}
	return ""
}

// store replaces the file in one step that survives a power cut.
func (g *Grants) store(list []Grant) (err error) {
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(g.path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(g.path), ".approvals-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), g.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	g.list = list
	if dir, openErr := os.Open(filepath.Dir(g.path)); openErr == nil {
		_ = dir.Sync() // not every file system can
		_ = dir.Close()
	}
	return nil
}
