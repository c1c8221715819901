package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// The modes of Rules.
const (
	ModeAuto    = "auto"    // the strongest layer there is; "" means the same
	ModeRequire = "require" // Landlock ABI 3 and seccomp, or a Box is refused
	ModeOff     = "off"     // supervised only
)

// Rules say what confined commands reach. Paths are absolute; those that do not
// exist are no error.
//
// A command can read what the user can read and write to Workspace, Writable
// and a temporary directory of its own. The more specific path wins, except
// that nothing below a path in Blocked is ever reached.
type Rules struct {
	Mode string

	Workspace string   // required; made, with mode 0700, when it is missing
	Writable  []string // files, or directories with all below
	Blocked   []string // neither read nor written; the names are still visible

	// State is the gateway's own directory, blocked but for the workspace and
	// Shared, which are read. "": none.
	State  string
	Shared []string

	Network bool // give every command internet sockets
	// OwnPort returns the gateway's own TCP port, which stays out of reach, 0
	// while it is not known; nil: there is none.
	OwnPort func() int
}

func (r Rules) check() error {
	switch r.Mode {
	case "", ModeAuto, ModeRequire, ModeOff:
	default:
		return fmt.Errorf("sandbox: unknown mode %q", r.Mode)
	}
	if !filepath.IsAbs(r.Workspace) {
		return errors.New("sandbox: Workspace must be an absolute path")
	}
	lists := slices.Concat(r.Writable, r.Blocked, r.Shared)
	if r.State != "" {
		lists = append(lists, r.State)
	}
	for _, path := range lists {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("sandbox: %q must be an absolute path", path)
		}
	}
	for _, b := range r.Blocked {
		if paths.Within(r.Workspace, b) || paths.Within(paths.Real(r.Workspace), paths.Real(b)) {
			return &openclaw.Error{Code: openclaw.CodeInvalidMessage,
				Message: "the workspace is in the blocked path " + b + "; move one of the two"}
		}
	}
	return nil
}

// reach is what a command may do with a file, or with a directory and all
// below it.
type reach int

const (
	reachNone reach = iota
	reachRead
	reachWrite
)

// place is a path without symbolic links and what may be done there. Of two
// places one inside the other, the inner one counts.
type place struct {
	path  string
	reach reach
}

// systemSecrets hold what only services should see: credentials that systemd,
// Docker and Kubernetes hand to them, the kernel's debugging files, and devices,
// of which each layer allows a few.
var systemSecrets = []string{"/dev", "/run/secrets", "/run/credentials", "/sys/kernel/debug", "/sys/kernel/tracing"}

// places translates rules, and what a command may write besides, into places
// for the file system as it is now. Symbolic links in Workspace and Writable
// count as they were when the Box was made: what a command makes of them later
// must not move its own confinement.
func (b *Box) places(also []string) []place {
	list := []place{{"/", reachRead}}
	for _, path := range systemSecrets {
		list = append(list, place{path, reachNone})
	}
	if b.rules.State != "" {
		list = append(list, place{paths.Real(b.rules.State), reachNone})
	}
	for _, path := range b.rules.Shared {
		list = append(list, place{paths.Real(path), reachRead})
	}
	for _, path := range slices.Concat(b.writable, also) {
		list = append(list, place{path, reachWrite})
	}
	var blocked []string
	for _, path := range b.rules.Blocked {
		blocked = append(blocked, filepath.Clean(path), paths.Real(path))
	}
	list = slices.DeleteFunc(list, func(p place) bool {
		return slices.ContainsFunc(blocked, func(b string) bool { return paths.Within(p.path, b) })
	})
	for _, path := range blocked {
		list = append(list, place{path, reachNone})
	}
	return lastOfEach(list)
}

// lastOfEach keeps, of places with the same path, the last.
func lastOfEach(list []place) []place {
	seen := map[string]bool{}
	kept := make([]place, 0, len(list))
	for _, p := range slices.Backward(list) {
		if !seen[p.path] {
			seen[p.path] = true
			kept = append(kept, p)
		}
	}
	slices.Reverse(kept)
	return kept
}
