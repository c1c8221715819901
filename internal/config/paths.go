package config

import (
	"errors"
	"path/filepath"
	"strings"
)

// directories are what file names of the configuration are relative to.
type directories struct {
	user string // ~
	home string // ~/.openclaw
}

// resolve makes the file name of a configuration absolute: ~/.openclaw is the
// home directory of the gateway, wherever that was moved, ~ is the user's, and
// a relative name is below the former. "" stays empty.
func (d directories) resolve(name string) (string, error) {
	switch {
	case name == "":
		return "", nil
	case strings.ContainsRune(name, 0):
		return "", errors.New("must be a file name; it contains a NUL character")
	case name == "~/.openclaw" || strings.HasPrefix(name, "~/.openclaw/"):
		return filepath.Join(d.home, name[len("~/.openclaw"):]), nil
	case name == "~" || strings.HasPrefix(name, "~/"):
		return filepath.Join(d.user, name[1:]), nil
	case strings.HasPrefix(name, "~"):
		return "", errors.New("must be a file name such as ~/work or /srv/work; the home directories of other users are not known")
	case filepath.IsAbs(name):
		return filepath.Clean(name), nil
	}
	return filepath.Join(d.home, name), nil
}

// placeForm is the form of the paths that nobody shall reach. One that blocks
// nothing, or not what its author thought, must not pass in silence.
const placeForm = "place"

func (f field) isPath() bool { return f.form == "path" || f.form == placeForm }

// checkPlace says what is wrong with such a path.
func checkPlace(text string) *fault {
	switch {
	case strings.ContainsAny(text, "*?"):
		return &fault{message: "must be a file or folder, with all that is in it; wildcards mean nothing here, in " + quote(text)}
	case text != "" && !filepath.IsAbs(text) && !strings.HasPrefix(text, "~"):
		return &fault{message: "must be absolute or begin with ~/, not " + quote(text), suggestion: "~/" + text}
	}
	return nil
}
