package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/paths"
)

// Layer is a way to confine a command. Each is said to users by this name.
type Layer string

// The layers, from strong to weak.
const (
	// LayerNamespaces is LayerLandlock in user, pid, network, IPC and mount
	// namespaces of its own: other processes are not visible, and the file
	// system is read-only outside of what may be written.
	LayerNamespaces Layer = "namespaces"
	// LayerBubblewrap is LayerNamespaces made by the program bwrap, which may do
	// so where this one may not.
	LayerBubblewrap Layer = "bubblewrap"
	// LayerLandlock is Landlock, for files, TCP, signals and abstract sockets,
	// and a seccomp filter, for other sockets and dangerous system calls.
	LayerLandlock Layer = "landlock"
	// LayerSeccomp is the filter alone: no network, but every file of the user.
	LayerSeccomp Layer = "seccomp"
	// LayerSandboxExec is macOS's sandbox-exec.
	LayerSandboxExec Layer = "sandbox-exec"
	// LayerNone is supervision only: commands have the rights of the user.
	LayerNone Layer = "none"
)

// apart says that commands have processes, IPC and terminals of their own.
func (l Layer) apart() bool { return l == LayerNamespaces || l == LayerBubblewrap }

// machine is what this system confines commands with.
type machine struct {
	layer Layer
	gaps  []string // what layer leaves open, with reasons
}

// Box runs commands within Rules. It does not change, keeps nothing between
// jobs, needs no closing and is safe for concurrent use.
type Box struct {
	runner   *Runner
	rules    Rules
	writable []string // Workspace and Writable, as they were when the Box was made
	shared   []string // likewise
	state    []string // State, if there is one, and where it led then
	blocked  []string // likewise
}

// Box returns a Box for rules. It fails when the rules cannot be, and with
// ModeRequire when this system lacks Landlock ABI 3 or seccomp: the error says
// which.
func (r *Runner) Box(rules Rules) (*Box, error) {
	if err := rules.check(); err != nil {
		return nil, err
	}
	if lacks := r.missing(); rules.Mode == ModeRequire && len(lacks) > 0 {
		return nil, &openclaw.Error{
			Code: openclaw.CodeInvalidMessage,
			Message: fmt.Sprintf("hands.sandbox.mode is require, and this system lacks %s; use another kernel or container runtime, or set the mode to auto",
				strings.Join(lacks, " and ")),
		}
	}
	b := &Box{runner: r, rules: rules}
	b.settle()
	return b, nil
}

// Layer returns how commands are confined: the strongest way that works on this
// machine. The first call tries, which takes some milliseconds.
func (b *Box) Layer() Layer {
	if b.rules.Mode == ModeOff {
		return LayerNone
	}
	return b.runner.machine().layer
}

// Gaps returns what Layer leaves open that a stronger one would not, each with
// its reason, for people. Empty: nothing.
func (b *Box) Gaps() []string {
	if b.rules.Mode == ModeOff {
		return []string{"commands run with all your rights: hands.sandbox.mode is off"}
	}
	return slices.Clone(b.runner.machine().gaps)
}

// Run is Runner.Run for a command that is confined. It has a temporary
// directory, named by TMPDIR in its environment, that is gone when Run returns,
// and one for caches in the workspace, XDG_CACHE_HOME, unless it has another.
//
// A job that cannot be confined as the layer promises does not run; the error
// is an *openclaw.Error that says why.
func (b *Box) Run(ctx context.Context, job Job) (Exit, error) {
	if err := job.check(); err != nil {
		return Exit{}, err
	}
	if err := ctx.Err(); err != nil {
		return Exit{}, err
	}
	if err := job.exact(); err != nil {
		return Exit{}, err
	}
	if err := b.checkGrant(job.Grant); err != nil {
		return Exit{}, err
	}
	temp, err := makeTemp()
	if err != nil {
		return Exit{}, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the command has no temporary directory; look at the space on " + os.TempDir(), Err: err}
	}
	defer func() { _ = temp.remove() }() // nothing of the job is left that could be told
	job.Env = setVariable(job.Env, "TMPDIR", temp.path)
	job.temp = temp.path
	var c *cell
	if b.Layer() != LayerNone && !job.Grant.Unconfined {
		if err := os.MkdirAll(b.rules.Workspace, 0o700); err != nil {
			return Exit{}, &openclaw.Error{Code: openclaw.CodeInternal, Message: "the workspace cannot be made; the user must look at it", Err: err}
		}
		c = b.cell(job.Grant, temp.path)
		job.Env = b.withCache(job.Env)
	}
	return b.runner.run(ctx, job, c)
}

// withCache names a directory for caches that can be written to, as the user's
// own cannot, in the way that most programs know: without one compilers and
// package managers fail.
func (b *Box) withCache(env []string) []string {
	const name = "XDG_CACHE_HOME"
	if slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") }) {
		return env
	}
	return setVariable(env, name, filepath.Join(b.rules.Workspace, ".cache"))
}

// cell is the confinement of one job.
type cell struct {
	layer   Layer
	places  []place
	network bool
	port    int // never reached; 0: none
	most    int // how many processes it may have

	mounts []mount // what bwrap was told to mount

	terminals []string // devices that it may use; the supervisor knows them
}

func (b *Box) cell(grant Grant, temp string) *cell {
	also := append([]string{temp}, grant.Writable...) // as they are: see Job.exact
	c := &cell{layer: b.Layer(), places: b.places(also), network: b.rules.Network || grant.Network, most: b.runner.opts.Processes}
	if b.rules.OwnPort != nil {
		c.port = b.rules.OwnPort()
	}
	return c
}

// checkGrant refuses what a Grant cannot give.
func (b *Box) checkGrant(g Grant) error {
	blocked := stillNamed(b.blocked, b.rules.Blocked...)
	for _, path := range g.Writable {
		if slices.ContainsFunc(blocked, func(b string) bool { return paths.Within(path, b) }) {
			return &openclaw.Error{Code: openclaw.CodeInvalidMessage,
				Message: path + " is blocked (hands.filesystem.blocked_paths) and cannot be made writable"}
		}
	}
	return nil
}

// setVariable returns env with one variable set.
func setVariable(env []string, name, value string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	return append(env, name+"="+value)
}
