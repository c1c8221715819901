package skill

import (
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// Invoke returns the skill that a person asks for. One that is off or not for
// people is CodeSkillNotFound like one that is not there, and the message says
// why.
func (x *Index) Invoke(name string) (*Skill, error) {
	return x.usable(name, func(s *Skill) string {
		if s.ModelOnly {
			return "is not to be invoked by people (user-invocable: false)"
		}
		return ""
	})
}

// Use returns the skill that a model asks for; the errors are as of Invoke.
func (x *Index) Use(name string) (*Skill, error) {
	return x.usable(name, func(s *Skill) string {
		if s.UserOnly {
			return "is for people to invoke only (disable-model-invocation)"
		}
		return ""
	})
}

func (x *Index) usable(name string, refused func(*Skill) string) (*Skill, error) {
	s, err := x.Get(name)
	if err != nil {
		return nil, err
	}
	why := refused(s)
	if s.Missing != "" {
		why = "is off: " + s.Missing
	}
	if why == "" {
		return s, nil
	}
	return nil, &openclaw.Error{
		Code: openclaw.CodeSkillNotFound, Message: "the skill " + quoted(s.Name) + " " + why,
		Details: map[string]any{"nearest": []string{}, "reason": why},
	}
}

// Slash is a message that begins with the name of a skill, such as
// "/daily-notes buy milk". The zero value is any other message.
type Slash struct {
	Name  string // as Slug has it
	Args  string // the rest, where the skill is known
	Known bool   // there is such a skill, be it on or off
	Near  string // where it is not known the likeliest name, "" for none
}

// Slash takes a message apart.
func (x *Index) Slash(message string) Slash {
	message = strings.TrimSpace(message)
	end := strings.IndexAny(message, " \t\n")
	if end < 0 {
		end = len(message)
	}
	word, isSlash := strings.CutPrefix(message[:end], "/")
	slug := Slug(word)
	if !isSlash || slug == "" || slug != strings.ToLower(strings.ReplaceAll(word, "_", "-")) {
		return Slash{}
	}
	v := x.look(false)
	if v.byName[slug] != nil {
		return Slash{Name: slug, Args: strings.TrimSpace(message[end:]), Known: true}
	}
	s := Slash{Name: slug}
	if n := nearest(slug, v.invocable()); len(n) > 0 {
		s.Near = n[0]
	}
	return s
}

// Match returns the name of the skill that one of its triggers makes fit the
// message best, "" for none. Skills that are off or for people only never do.
func (x *Index) Match(message string) string {
	message = heard(message)
	lower := strings.ToLower(message)
	best, most := "", 0
	v := x.look(false)
	for _, info := range v.list {
		if !info.Enabled || info.UserOnly {
			continue
		}
		for _, t := range v.byName[info.Name].triggers {
			if w := t.weight(message, lower); w > most {
				best, most = info.Name, w
			}
		}
	}
	return best
}

// invocable are the names that people can ask for.
func (v view) invocable() []string {
	var names []string
	for name, s := range v.byName {
		if s.Missing == "" && !s.ModelOnly {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func notFound(name string, v view) error {
	near := nearest(name, v.invocable())
	message := "no skill is named " + quoted(name) + "; `openclaw skill list` shows those there are"
	if i := slices.IndexFunc(v.list, func(i Info) bool { return !i.Enabled && i.Name == Slug(name) }); i >= 0 {
		message = "the skill " + quoted(name) + " does not load; `openclaw skill list` shows why"
	} else if len(near) > 0 {
		message = "no skill is named " + quoted(name) + "; did you mean " + quoted(near[0]) + "?"
	}
	return &openclaw.Error{Code: openclaw.CodeSkillNotFound, Message: message, Details: map[string]any{"nearest": near}}
}
