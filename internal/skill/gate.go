package skill

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Machine is what the requirements of skills are checked against. A nil
// function is the real thing; a nil Config has nothing set.
type Machine struct {
	OS     string                      // "": runtime.GOOS
	Find   func(program string) error  // default: exec.LookPath; nothing is ever run
	Getenv func(name string) string    // default: os.Getenv
	Config func(key string) (set bool) // whether a key of the configuration is set, and to something
}

func (m Machine) filled() Machine {
	if m.OS == "" {
		m.OS = runtime.GOOS
	}
	if m.Find == nil {
		m.Find = func(program string) error {
			_, err := exec.LookPath(program)
			return err
		}
	}
	if m.Getenv == nil {
		m.Getenv = os.Getenv
	}
	if m.Config == nil {
		m.Config = func(string) bool { return false }
	}
	return m
}

// missing returns what a skill lacks on the machine, "" for nothing.
func (m Machine) missing(r Requires) string {
	if len(r.OS) > 0 && !slices.ContainsFunc(r.OS, m.is) {
		return "it is for " + strings.Join(r.OS, ", ") + ", and this is " + m.OS
	}
	if r.Always {
		return ""
	}
	var lacks []string
	for _, bin := range r.Bins {
		if !m.has(bin) {
			lacks = append(lacks, "the program "+quoted(bin))
		}
	}
	if len(r.AnyBins) > 0 && !slices.ContainsFunc(r.AnyBins, m.has) {
		lacks = append(lacks, "one of the programs "+quoted(strings.Join(r.AnyBins, ", ")))
	}
	for _, name := range r.Env {
		if m.Getenv(name) == "" {
			lacks = append(lacks, "the environment variable "+quoted(name))
		}
	}
	for _, key := range r.Config {
		if !m.Config(key) {
			lacks = append(lacks, "the configuration key "+quoted(key))
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "it needs " + strings.Join(lacks, " and ")
}

// has says whether a program is there: by its name in the PATH, or by its
// absolute path.
func (m Machine) has(program string) bool {
	if strings.ContainsRune(program, filepath.Separator) && !filepath.IsAbs(program) {
		return false // would depend on where the gateway was started
	}
	return m.Find(program) == nil
}

// is says whether name means the machine's operating system, in any of the
// spellings there are.
func (m Machine) is(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "macos", "mac", "osx", "mac os", "mac os x":
		name = "darwin"
	case "win32", "win", "win64":
		name = "windows"
	}
	return name == m.OS
}
