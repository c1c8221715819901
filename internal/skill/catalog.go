package skill

import (
	"fmt"
	"path/filepath"
	"strings"
)

// maxCatalog is the most bytes of a Catalog: it is part of every prompt.
const maxCatalog = 4 << 10

const catalogHead = "# Skills\nInstructions for particular tasks: name, description, file. Before you do such a task, read them with use_skill.\n"

// Catalog returns the skills as a model is told of them at the start: a
// heading, and a line "- name: description (file)" for each that is on and for
// models. Descriptions are cut the shorter the more skills there are, then left
// out, and at last so are skills; it is "" when there are none. The bytes are
// the same until a skill changes.
func (x *Index) Catalog() string { return x.look(false).catalog }

// write makes the catalog of a list of skills.
func (x *Index) write(list []Info) string {
	var shown []Info
	for _, info := range list {
		if info.Enabled && !info.UserOnly {
			shown = append(shown, info)
		}
	}
	if len(shown) == 0 {
		return ""
	}
	for _, most := range []int{160, 100, 60, 0} {
		if text := x.lines(shown, most); len(text) <= maxCatalog {
			return text
		}
	}
	text := catalogHead
	for i, info := range shown {
		line := x.line(info, 0)
		if len(text)+len(line) > maxCatalog-40 {
			return text + fmt.Sprintf("(and %d more)", len(shown)-i)
		}
		text += line
	}
	return strings.TrimRight(text, "\n")
}

// lines is the catalog with descriptions of so many code points.
func (x *Index) lines(shown []Info, most int) string {
	var text strings.Builder
	text.WriteString(catalogHead)
	for _, info := range shown {
		if text.Len() > maxCatalog {
			break
		}
		text.WriteString(x.line(info, most))
	}
	return strings.TrimRight(text.String(), "\n")
}

func (x *Index) line(info Info, most int) string {
	line := "- " + info.Name
	if most > 0 {
		line += ": " + cut(info.Description, most)
	}
	return line + " (" + x.shown(info) + ")\n"
}

// shown is where a model finds a skill's file.
func (x *Index) shown(info Info) string {
	if !filepath.IsAbs(info.File) {
		return info.Source // inside the program
	}
	if rest, ok := strings.CutPrefix(info.File, x.home+string(filepath.Separator)); ok && x.home != "" {
		return oneLine("~/" + rest)
	}
	return oneLine(info.File)
}
