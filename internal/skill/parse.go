package skill

import (
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// maxDescription is the most code points a description has.
const maxDescription = 1024

// parse reads the text of a skill's file. The name falls back to the file's or
// the directory's own, the description to the first paragraph; each fallback
// is a warning. It returns a nil Skill when one of the problems is Skipped.
func parse(file string, data []byte) (*Skill, []Problem) {
	single := !isSkillFile(filepath.Base(file))
	doc, bad := split(data)
	if bad == nil && single && doc.frontLine == 0 {
		bad = &Problem{Reason: "no front matter; a skill in a single file needs one with name and description"}
	}
	if bad != nil {
		return nil, placed(file, []Problem{{Line: bad.Line, Reason: bad.Reason, Skipped: true}})
	}

	s := &Skill{File: file, Dir: filepath.Dir(file), Body: doc.body}
	fields, problems := readFront(doc)
	if doc.frontLine == 0 {
		problems = append(problems, Problem{Line: 1, Reason: "no front matter; name and description are taken from the directory and the text"})
	}
	warn := func(p Problem) { problems = append(problems, p) }
	s.Name = readName(fields["name"], doc, ownName(file, single), warn)
	s.Description = readDescription(fields["description"], doc, warn)
	s.Requires = readRequires(fields["metadata"], warn)
	s.Triggers, s.triggers = readTriggers(fields["triggers"], warn)
	s.Allowed, s.Tools = readAllowed(fields, warn)
	s.ModelOnly = !truth(fields["user-invocable"].node, true)
	s.UserOnly = truth(fields["disable-model-invocation"].node, false)
	switch {
	case s.Name == "":
		warn(Problem{Line: doc.frontLine, Reason: "no usable name; add a line `name: my-skill`", Skipped: true})
	case s.Description == "":
		warn(Problem{Line: doc.frontLine, Reason: "no description and no text to take one from; add a line `description: …`", Skipped: true})
	default:
		if strings.TrimSpace(s.Body) == "" {
			warn(Problem{Line: doc.bodyLine, Reason: "no instructions follow the front matter"})
		}
		s.Warnings = placed(file, problems)
		return s, s.Warnings
	}
	return nil, placed(file, problems)
}

// placed sets the file of each problem.
func placed(file string, problems []Problem) []Problem {
	for i := range problems {
		problems[i].File = file
	}
	return problems
}

// isSkillFile says whether a directory's file of this name makes it a skill.
func isSkillFile(name string) bool { return strings.EqualFold(name, "SKILL.md") }

// ownName is the name a skill has by its place.
func ownName(file string, single bool) string {
	if single {
		return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	return filepath.Base(filepath.Dir(file))
}

func readName(f field, doc document, own string, warn func(Problem)) string {
	name := Slug(f.text)
	switch {
	case name == "" && doc.frontLine > 0:
		warn(Problem{Line: max(f.line, doc.frontLine), Reason: "no usable name; " + quoted(Slug(own)) + " is taken from the path"})
	case name != "" && name != f.text:
		warn(Problem{Line: f.line, Reason: "the name " + quoted(f.text) + " becomes " + quoted(name)})
	}
	if name == "" {
		return Slug(own)
	}
	return name
}

func readDescription(f field, doc document, warn func(Problem)) string {
	if f.text == "" {
		if doc.frontLine > 0 {
			warn(Problem{Line: max(f.line, doc.frontLine), Reason: "no description; the first paragraph is taken"})
		}
		return firstParagraph(doc.body)
	}
	if utf8.RuneCountInString(f.text) > maxDescription {
		warn(Problem{Line: f.line, Reason: "the description is over 1024 characters; the rest is cut off"})
	}
	return cut(f.text, maxDescription)
}

// firstParagraph returns the first paragraph of a Markdown text on one line,
// or else its first heading.
func firstParagraph(body string) string {
	var heading string
	var words []string
	fenced := false
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~"):
			fenced = !fenced
		case fenced:
		case strings.HasPrefix(line, "#"):
			if heading == "" {
				heading = oneLine(strings.TrimLeft(line, "# "))
			}
		case line != "" && strings.Trim(line, "-*_= ") != "":
			words = append(words, line)
			continue
		}
		if len(words) > 0 {
			break
		}
	}
	if len(words) > 0 {
		return cut(oneLine(strings.Join(words, " ")), maxDescription)
	}
	return cut(heading, maxDescription)
}
