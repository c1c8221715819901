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
//
// Symbolic links in the paths are followed when the Box is made, but for those
// of Workspace, Writable and Shared in what commands may write: a command may
// have made them. What lies behind such a link is as if it did not exist.
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

// settle resolves the links in the rules. What a command makes of them later
// must not move its own confinement, nor, where that can be seen, that of the
// commands after the next start.
func (b *Box) settle() {
	if b.rules.State != "" {
		b.state = bothNames(b.rules.State)
	}
	b.blocked = bothNames(b.rules.Blocked...)
	listed := append([]string{b.rules.Workspace}, b.rules.Writable...)
	b.writable = bothNames(listed...) // at most
	most := b.places(nil)
	commandsWrite := func(dir string) bool {
		around, ok := innermost(most, dir)
		return ok && around.reach == reachWrite
	}
	b.writable = nil
	for _, path := range listed {
		b.writable = append(b.writable, paths.RealBut(path, commandsWrite))
	}
	for _, path := range b.rules.Shared {
		b.shared = append(b.shared, paths.RealBut(path, commandsWrite))
	}
}

// bothNames returns paths as they are and with all links resolved.
func bothNames(list ...string) []string {
	names := make([]string, 0, 2*len(list))
	for _, path := range list {
		names = append(names, filepath.Clean(path), paths.Real(path))
	}
	return names
}

// stillNamed returns known and where list leads now: what is closed is so by
// every name that it has had since the Box was made, since a command can take
// away a link to it.
func stillNamed(known []string, list ...string) []string {
	return append(slices.Clone(known), bothNames(list...)...)
}

// places translates rules, and what a command may write besides, into places
// for the file system as it is now.
func (b *Box) places(also []string) []place {
	list := []place{{"/", reachRead}}
	for _, path := range systemSecrets {
		list = append(list, place{path, reachNone})
	}
	if b.rules.State != "" {
		for _, path := range stillNamed(b.state, b.rules.State) {
			list = append(list, place{path, reachNone})
		}
	}
	for _, path := range b.shared {
		list = append(list, place{path, reachRead})
	}
	for _, path := range slices.Concat(b.writable, also) {
		list = append(list, place{path, reachWrite})
	}
	blocked := stillNamed(b.blocked, b.rules.Blocked...)
	list = slices.DeleteFunc(list, func(p place) bool {
		return slices.ContainsFunc(blocked, func(b string) bool { return paths.Within(p.path, b) })
	})
	for _, path := range blocked {
		list = append(list, place{path, reachNone})
	}
	return lastOfEach(list)
}

// innermost returns the place around path.
func innermost(places []place, path string) (found place, ok bool) {
	for _, p := range places {
		if paths.Within(path, p.path) && (!ok || len(p.path) >= len(found.path)) {
			found, ok = p, true
		}
	}
	return found, ok
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
