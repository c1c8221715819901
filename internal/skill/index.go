package skill

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-go"
)

// DefaultRecheck is how old an Index may let its answers become.
const DefaultRecheck = time.Second

// Options are what an Index starts from. The zero value finds no skills.
type Options struct {
	// Roots are the directories searched, the first one's skills before those
	// of the next. One that does not exist yet is looked for again later.
	Roots  []string
	Logger *slog.Logger // nil: nothing is logged
	// Recheck is how long List, Counts, Problems and Catalog may answer from
	// what they saw before; 0: DefaultRecheck.
	Recheck time.Duration
}

// Index knows the skills under some roots. It looks at the disk when it is
// asked and its knowledge is too old, and reads only files that have changed.
// It starts no goroutine and needs no closing. Safe for concurrent use.
type Index struct {
	roots   []string
	log     *slog.Logger
	recheck time.Duration

	mu    sync.Mutex
	asked time.Time        // when the disk was last looked at
	cache map[string]entry // by path
	view  view
}

// entry is what one file came to.
type entry struct {
	stamp    stamp
	skill    *Skill // without its body; nil: not loaded
	problems []Problem
}

// view is what all files together came to.
type view struct {
	byName   map[string]*Skill
	list     []Info
	problems []Problem
	skipped  int
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
	return &Index{roots: slices.Clone(o.Roots), log: o.Logger, recheck: o.Recheck}
}

// Get looks at the disk and returns the skill of that name (see Slug) as its
// file is now. The error is an *openclaw.Error with CodeSkillNotFound: the
// details hold the nearest names under "nearest".
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
		s, problems := load(known.Source, known.File)
		if s != nil && s.Name == slug {
			return s, nil
		}
		x.forget(known.File, problems)
	}
	return nil, notFound(name, x.look(true))
}

// List returns all skills, by name: those that can be used, and, not enabled,
// those whose file does not load.
func (x *Index) List() []Info { return slices.Clone(x.look(false).list) }

// Problems returns everything that is wrong with the files, warnings included.
func (x *Index) Problems() []Problem { return slices.Clone(x.look(false).problems) }

// Counts returns how many skills can be used and how many files were skipped.
func (x *Index) Counts() (loaded, skipped int) {
	v := x.look(false)
	return len(v.byName), v.skipped
}

func notFound(name string, v view) error {
	names := make([]string, 0, len(v.byName))
	for n := range v.byName {
		names = append(names, n)
	}
	slices.Sort(names)
	near := nearest(name, names)
	message := "no skill is named " + quoted(name) + "; `openclaw skill list` shows those there are"
	if i := slices.IndexFunc(v.list, func(i Info) bool { return !i.Enabled && i.Name == Slug(name) }); i >= 0 {
		message = "the skill " + quoted(name) + " does not load; `openclaw skill list` shows why"
	} else if len(near) > 0 {
		message = "no skill is named " + quoted(name) + "; did you mean " + quoted(near[0]) + "?"
	}
	return &openclaw.Error{Code: openclaw.CodeSkillNotFound, Message: message, Details: map[string]any{"nearest": near}}
}

// forget drops what is known of a file, so that the next look reads it again.
func (x *Index) forget(file string, problems []Problem) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.cache, file)
	x.logProblems(problems)
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

// scan looks through all roots and makes a new view. The caller holds mu.
func (x *Index) scan() {
	cache := make(map[string]entry)
	v := view{byName: make(map[string]*Skill)}
	for _, root := range x.roots {
		files, problems := findSkills(root)
		for _, p := range problems {
			v.skip(p, root)
		}
		for _, f := range files {
			if _, twice := cache[f.path]; twice { // a root inside another root
				continue
			}
			e, known := x.cache[f.path]
			if !known || e.stamp != f.stamp {
				e = x.read(root, f)
			}
			cache[f.path] = e
			v.add(e, root)
		}
	}
	slices.SortStableFunc(v.list, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	x.cache, x.view = cache, v
}

// read reads a file that is new or has changed.
func (x *Index) read(root string, f found) entry {
	s, problems := load(root, f.path)
	x.logProblems(problems)
	if s != nil {
		s.Body = "" // read again when it is used
	}
	return entry{f.stamp, s, problems}
}

func (x *Index) logProblems(problems []Problem) {
	for _, p := range problems {
		x.log.Warn("skill file", "file", p.File, "line", p.Line, "reason", p.Reason, "skipped", p.Skipped)
	}
}

// load reads one file; a nil Skill comes with a Problem that is Skipped.
func load(root, path string) (*Skill, []Problem) {
	data, err := readFile(root, path)
	if err != nil {
		why := reason(err)
		if errors.Is(err, errNotRegular) || errors.Is(err, errTooLarge) {
			why = err.Error()
		} else if errors.Is(err, fs.ErrNotExist) {
			why = "it is gone"
		}
		return nil, []Problem{{File: path, Reason: why, Skipped: true}}
	}
	s, problems := parse(path, data)
	if s != nil {
		s.Source = root
	}
	return s, problems
}

// add puts a file into the view. The first skill of a name counts.
func (v *view) add(e entry, root string) {
	for _, p := range e.problems {
		if p.Skipped {
			v.skip(p, root)
		} else {
			v.problems = append(v.problems, p)
		}
	}
	if e.skill == nil {
		return
	}
	if other := v.byName[e.skill.Name]; other != nil {
		v.problems = append(v.problems, Problem{File: e.skill.File, Reason: "the name " + quoted(e.skill.Name) + " is taken by " + other.File, Skipped: true})
		v.skipped++
		return
	}
	v.byName[e.skill.Name] = e.skill
	v.list = append(v.list, Info{Name: e.skill.Name, Description: oneLine(e.skill.Description), Source: root, File: e.skill.File, Enabled: true})
}

// skip lists a file that does not load.
func (v *view) skip(p Problem, root string) {
	v.problems = append(v.problems, p)
	v.skipped++
	own := Slug(ownName(p.File, !isSkillFile(filepath.Base(p.File))))
	v.list = append(v.list, Info{Name: own, Source: root, File: p.File, Reason: p.String()})
}
