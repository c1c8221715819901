package offline

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// place is a directory that somebody named.
type place struct {
	path  string // "~" and "~/…" are below the home directory; a relative path is below the workspace
	label string // what it is called in an answer
}

var (
	home      = place{"~", "your home directory"}
	workspace = place{".", "the workspace"}
)

// homeFolders are the usual folders of a home directory.
var homeFolders = []string{"Desktop", "Documents", "Downloads", "Movies", "Music", "Pictures", "Public", "Templates", "Videos"}

// folderPattern takes articles and the word for a directory off a name.
var folderPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:(?:my|the|your|our|this|user's)\s+)?(?:user\s+)?((?:folder|directory|dir)\s+(?:called\s+|named\s+)?)?(.+?)(\s+(?:folder|directory|dir))?$`)
})

// place reads the name of a directory: in quotes, one of the well-known ones, a
// path, or a plain name that is called a folder. With loose, a path may have
// spaces in it.
func (q quotes) place(s string, loose bool) (place, bool) {
	m := folderPattern().FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return place{}, false
	}
	name, called := m[2], m[1] != "" || m[3] != ""
	if text, ok := q.content(name); ok {
		return place{path: text}, usablePath(text)
	}
	switch strings.ToLower(name) {
	case "home", "~", "~/", "$home":
		return home, true
	case "workspace", ".", "./", "here":
		return workspace, true
	case "working", "current", "current working":
		return workspace, called
	case "directory", "folder":
		return workspace, strings.EqualFold(strings.Fields(s)[0], "this")
	case "root":
		return place{"/", "the root directory"}, called
	}
	for _, f := range homeFolders {
		if strings.EqualFold(f, name) {
			return place{"~/" + f, "your " + f + " folder"}, true
		}
	}
	if isPath(name, loose) || called && isName(name) {
		return place{path: name}, usablePath(name)
	}
	return place{}, false
}

// isPath says whether s is written as a path.
func isPath(s string, loose bool) bool {
	if strings.ContainsAny(s, "\x01\n") || strings.Contains(s, "://") {
		return false
	}
	rooted := s == ".." || slices.ContainsFunc([]string{"/", "~/", "./", "../"}, func(p string) bool { return strings.HasPrefix(s, p) })
	if strings.ContainsAny(s, " \t") {
		return loose && rooted && !separatesRequests(s)
	}
	return rooted || strings.Contains(s, "/")
}

// separatesRequests says whether s has words that rather stand between two
// requests than in a path.
func separatesRequests(s string) bool {
	for _, m := range separatorPattern().FindAllString(s, -1) {
		if strings.Trim(m, " \t,;.!?") != "" {
			return true
		}
	}
	return false
}

// isName says whether s is one plain name.
func isName(s string) bool {
	return !strings.ContainsAny(s, " \t\n\x01/\"'`<>|;&$*?:,")
}

func usablePath(p string) bool {
	return strings.TrimSpace(p) != "" && len(p) <= 4096 && !strings.Contains(p, "\n")
}

// filePattern takes articles and the word "file" off a name.
var filePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:(?:my|the|a|your)\s+)?(?:new\s+)?((?:text\s+)?file\s+(?:called\s+|named\s+)?)?(.+?)(\s+file)?$`)
})

// inPattern finds "notes.txt in my home directory".
var inPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(.+?)\s+(?:in|from|inside)\s+(.+)$`)
})

// bareFiles are files that are known without an extension.
var bareFiles = []string{"readme", "license", "makefile", "dockerfile", "changelog", "contributing"}

// file reads the name of a file: in quotes, a path, a name with an extension,
// a plain name that is called a file, or with named any plain name.
func (q quotes) file(s string, loose, named bool) (string, bool) {
	s = strings.TrimSpace(s)
	if m := inPattern().FindStringSubmatch(s); m != nil {
		name, okName := q.file(m[1], false, named)
		dir, okDir := q.place(m[2], loose)
		if okName && okDir && !path.IsAbs(name) && !strings.HasPrefix(name, "~") {
			return join(dir.path, name), true
		}
	}
	m := filePattern().FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	name, called := m[2], m[1] != "" || m[3] != "" || named
	if text, ok := q.content(name); ok {
		return text, usablePath(text)
	}
	known := hasExtension(name) || slices.Contains(bareFiles, strings.ToLower(name))
	if strings.Contains(name, "/") {
		rooted := strings.ContainsAny(name[:1], "/~.")
		return name, isPath(name, loose) && (rooted || called || known) && usablePath(name)
	}
	if isName(name) && (called || known) {
		return name, usablePath(name) && name != "." && name != ".."
	}
	return "", false
}

// join puts a name below a directory and keeps "~" and "." as they are meant.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

// hasExtension says whether a name ends as file names do: a dot, then up to
// eight letters or digits with a letter first. ".bashrc" is one, "3.14" is not.
func hasExtension(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || dot == len(name)-1 || len(name)-dot > 9 {
		return false
	}
	for i, r := range name[dot+1:] {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}
