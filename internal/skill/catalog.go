package skill

import "strings"

// The bounds of a Catalog: it is part of every prompt.
const (
	maxCatalog     = 4 << 10 // bytes
	maxCatalogLine = 160     // code points of a description
)

const catalogHead = "# Skills\nInstructions for particular tasks: name, description, file. Read the file before you do such a task.\n"

// Catalog returns the skills as a model is told of them at the start: a
// heading, and a line "- name: description (file)" for each. Descriptions are
// cut, and left out when there are many skills; it is "" when there are none.
// The bytes are the same until a skill changes.
func (x *Index) Catalog() string {
	full, names := catalogHead, catalogHead
	none := true
	for _, info := range x.look(false).list {
		if !info.Enabled {
			continue
		}
		none = false
		full += "- " + info.Name + ": " + cut(info.Description, maxCatalogLine) + " (" + oneLine(info.File) + ")\n"
		if line := "- " + info.Name + " (" + oneLine(info.File) + ")\n"; len(names)+len(line) <= maxCatalog {
			names += line
		}
	}
	switch {
	case none:
		return ""
	case len(full) <= maxCatalog:
		return strings.TrimRight(full, "\n")
	}
	return strings.TrimRight(names, "\n")
}
