package skill

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// view is what all files together came to.
type view struct {
	byName   map[string]*Skill
	at       map[string]int // of a name in list, while that grows
	list     []Info
	problems []Problem
	loaded   int
	skipped  int
	catalog  string
}

// scan looks through all roots and makes a new view. The caller holds mu.
func (x *Index) scan() {
	cache := make(map[string]entry)
	v := view{byName: make(map[string]*Skill), at: make(map[string]int)}
	for i := range x.roots {
		root := &x.roots[i]
		files, problems := root.find()
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
			v.add(e, root, x.machine)
		}
	}
	slices.SortStableFunc(v.list, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	v.at, v.catalog = nil, x.write(v.list)
	x.cache, x.view = cache, v
	x.logProblems(v.problems)
}

// find lists the files of a root that look like skills.
func (r *Root) find() ([]found, []Problem) {
	if r.Files == nil {
		return findSkills(r.Path)
	}
	names, err := fs.Glob(r.Files, "*/SKILL.md")
	if err != nil { // the pattern is right
		return nil, nil
	}
	files := make([]found, len(names))
	for i, name := range names {
		files[i].path = r.Path + "/" + name
	}
	return files, nil
}

// bytes reads a file that find has found.
func (r *Root) bytes(file string) ([]byte, error) {
	if r.Files == nil {
		return readFile(r.Path, file)
	}
	return fs.ReadFile(r.Files, strings.TrimPrefix(file, r.Path+"/"))
}

// read reads a file that is new or has changed.
func (x *Index) read(root *Root, f found) entry {
	s, problems := x.load(root, f.path)
	if s != nil {
		s.Body = "" // read again when it is used
	}
	return entry{f.stamp, s, problems}
}

// logProblems logs what it has not logged before.
func (x *Index) logProblems(problems []Problem) {
	logged := make(map[string]bool, len(problems))
	for _, p := range problems {
		text := p.String()
		if !x.logged[text] && !logged[text] {
			x.log.Warn("skill file", "file", p.File, "line", p.Line, "reason", p.Reason, "skipped", p.Skipped)
		}
		logged[text] = true
	}
	x.logged = logged
}

// load reads one file; a nil Skill comes with a Problem that is Skipped.
func (x *Index) load(root *Root, file string) (*Skill, []Problem) {
	data, err := root.bytes(file)
	if err != nil {
		why := reason(err)
		switch {
		case errors.Is(err, errNotRegular):
			why = errNotRegular.Error()
		case errors.Is(err, errTooLarge):
			why = errTooLarge.Error()
		case errors.Is(err, fs.ErrNotExist):
			why = "it is gone"
		}
		return nil, []Problem{{File: file, Reason: why, Skipped: true}}
	}
	s, problems := parse(file, data)
	if s == nil {
		return nil, problems
	}
	s.Source, s.root = root.Path, root
	if root.Files != nil {
		s.Dir = ""
	}
	if root.Agent && len(s.triggers) > 0 {
		s.triggers = nil
		p := Problem{File: file, Reason: "its triggers do not count, since the agent itself can write here; move it to skills.path"}
		s.Warnings, problems = append(s.Warnings, p), append(problems, p)
	}
	return s, problems
}

// add puts a file into the view. The first skill of a name counts.
func (v *view) add(e entry, root *Root, machine Machine) {
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
	s := *e.skill
	if other := v.byName[s.Name]; other != nil {
		p := Problem{File: s.File, Reason: "the name " + quoted(s.Name) + " is taken by " + other.File, Skipped: true}
		v.problems = append(v.problems, p)
		v.skipped++
		info := &v.list[v.at[s.Name]]
		info.Warnings = append(info.Warnings, "another skill of this name is not used: "+s.File)
		return
	}
	s.Missing = machine.missing(s.Requires)
	if s.Missing == "" {
		v.loaded++
	} else {
		v.skipped++
	}
	info := Info{
		Name: s.Name, Description: oneLine(s.Description), Source: root.Path, File: s.File,
		Enabled: s.Missing == "", Reason: s.Missing, UserOnly: s.UserOnly, ModelOnly: s.ModelOnly,
	}
	for _, p := range s.Warnings {
		info.Warnings = append(info.Warnings, p.String())
	}
	v.byName[s.Name], v.at[s.Name] = &s, len(v.list)
	v.list = append(v.list, info)
}

// skip lists a file that does not load.
func (v *view) skip(p Problem, root *Root) {
	v.problems = append(v.problems, p)
	v.skipped++
	own := Slug(ownName(p.File, !isSkillFile(filepath.Base(p.File))))
	v.list = append(v.list, Info{Name: cmp.Or(own, Slug(path.Base(p.File))), Source: root.Path, File: p.File, Reason: p.String()})
}
