package skill

import (
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// DefaultRecheck is how old an Index may let its answers become.
const DefaultRecheck = time.Second

// Root is a place where skills are found.
type Root struct {
	Path string // a directory; one that does not exist yet is looked for again later
	// Files, where it is set, are skills inside the program instead, each in a
	// directory of its own; Path is then no more than their name.
	Files fs.FS
	// Agent says that the agent itself can write here, so that no trigger of
	// these skills counts: a text that fools it once must not get into every
	// conversation.
	Agent bool
}

// Options are what an Index starts from. The zero value finds no skills.
type Options struct {
	Roots   []Root       // of two skills with one name the one of the earlier root counts
	Home    string       // the directory that a Catalog shows as ~; "": none
	Machine Machine      // what requirements are checked against
	Logger  *slog.Logger // nil: nothing is logged
	// Recheck is how long List, Counts, Problems, Catalog and Match may answer
	// from what they saw before; 0: DefaultRecheck.
	Recheck time.Duration
}

// Index knows the skills under some roots. It looks at the disk when it is
// asked and its knowledge is too old, and reads only files that have changed.
// It starts no goroutine and needs no closing. Safe for concurrent use.
type Index struct {
	roots   []Root
	home    string
	machine Machine
	log     *slog.Logger
	recheck time.Duration

	mu    sync.Mutex
	asked time.Time        // when the disk was last looked at
	cache map[string]entry // by path
	view  view
	// logged are the problems that the last scan found.
	logged map[string]bool
}

// entry is what one file came to.
type entry struct {
	stamp    stamp
	skill    *Skill // without its body; nil: not loaded
	problems []Problem
}

// New returns an Index of the skills under o.Roots. It does not touch the disk
// yet.
func New(o Options) *Index {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Recheck <= 0 {
		o.Recheck = DefaultRecheck
	}
	return &Index{
		roots: slices.Clone(o.Roots), home: o.Home, machine: o.Machine.filled(), log: o.Logger, recheck: o.Recheck,
		logged: make(map[string]bool),
	}
}

// Get looks at the disk and returns the skill of that name (see Slug) as its
// file is now, also one that is off. The error is an *openclaw.Error with
// CodeSkillNotFound: the details hold the nearest names under "nearest".
func (x *Index) Get(name string) (*Skill, error) {
	slug := Slug(name)
	// An edit may change the name between the look and the read, so a file
	// that no longer says what the look saw is looked at once more.
	for range 2 {
		v := x.look(true)
		known := v.byName[slug]
		if known == nil {
			return nil, notFound(name, v)
		}
		s, _ := x.load(known.root, known.File) // the next look tells the problems
		if s != nil && s.Name == slug {
			s.Missing = x.machine.missing(s.Requires)
			return s, nil
		}
		x.forget(known.File)
	}
	return nil, notFound(name, x.look(true))
}

// List returns all skills, by name: those that can be used, and, not enabled,
// those that lack something and those whose file does not load.
func (x *Index) List() []Info { return slices.Clone(x.look(false).list) }

// Problems returns everything that is wrong with the files, warnings included.
func (x *Index) Problems() []Problem { return slices.Clone(x.look(false).problems) }

// Counts returns how many skills can be used, and how many are off, do not load
// or have a name that is taken.
func (x *Index) Counts() (loaded, skipped int) {
	v := x.look(false)
	return v.loaded, v.skipped
}

// forget drops what is known of a file, so that the next look reads it again.
func (x *Index) forget(file string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.cache, file)
}

// look returns the current view, from the disk when now is set or the last
// look is too old.
func (x *Index) look(now bool) view {
	x.mu.Lock()
	defer x.mu.Unlock()
	if now || x.cache == nil || time.Since(x.asked) >= x.recheck {
		x.scan()
		x.asked = time.Now()
	}
	return x.view
}
