package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/openclaw/openclaw-go"
)

// missing returns what ModeRequire needs and is not there.
func (r *Runner) missing() (list []string) {
	err := landlockWorks(minLandlock)
	if err == nil && slices.Contains(r.opts.Without, LayerLandlock) {
		err = fmt.Errorf("Landlock (%w)", errNotUsed) //nolint:staticcheck // ST1005: Landlock is a name
	}
	if err != nil {
		list = append(list, err.Error())
	}
	if err := seccompWorks(); err != nil {
		list = append(list, err.Error())
	}
	return list
}

// landlockWorks says what is wrong with this kernel's Landlock; nil: it has the
// wanted version of its interface.
func landlockWorks(want int) error {
	abi, err := landlockABI()
	switch {
	case err != nil:
		return fmt.Errorf("Landlock (%w: the kernel was built or started without it, or a container forbids it)", err) //nolint:staticcheck // ST1005: Landlock is a name
	case abi < want:
		return fmt.Errorf("Landlock ABI %d (the kernel has ABI %d)", want, abi) //nolint:staticcheck // ST1005: Landlock is a name
	}
	return nil
}

// trialLimit is how long the trial of a layer may take.
const trialLimit = 10 * time.Second

var errNotUsed = errors.New("not to be used")

// inspect finds the strongest layer that works here.
func (r *Runner) inspect() machine {
	without := func(l Layer) bool { return slices.Contains(r.opts.Without, l) }
	if err := seccompWorks(); err != nil {
		return machine{LayerNone, []string{fmt.Sprintf("commands run with all your rights: there is no %v", err)}}
	}
	if err := landlockWorks(1); err != nil || without(LayerLandlock) {
		if err == nil {
			err = errNotUsed
		}
		return machine{LayerSeccomp, []string{fmt.Sprintf("commands reach all files of the user, only the network is closed: there is no %v", err)}}
	}
	var why []error
	for _, layer := range []Layer{LayerNamespaces, LayerBubblewrap} {
		err := errNotUsed
		if !without(layer) {
			err = r.try(layer)
		}
		if err == nil {
			return machine{layer: layer}
		}
		why = append(why, err)
	}
	return machine{LayerLandlock, landlockGaps(why[0], why[1])}
}

// try sets a layer up, without a command: there are too many ways to forbid one
// to ask for them all.
func (r *Runner) try(layer Layer) error {
	ctx, cancel := context.WithTimeout(context.Background(), trialLimit)
	defer cancel()
	c := &cell{layer: layer, places: []place{{"/", reachRead}, {"/dev", reachNone}}, most: r.opts.Processes}
	_, err := r.run(ctx, Job{Dir: "/"}, c)
	var e *openclaw.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err // what stands before it is about commands
	}
	return err
}

// landlockGaps returns what Landlock and seccomp leave open without namespaces,
// which there are none of because of why, and not through bwrap either.
func landlockGaps(why, bubblewrap error) []string {
	abi, _ := landlockABI() // it works, or this was not called
	gaps := []string{fmt.Sprintf("modes, owners and times of files outside can be changed and other processes are visible: there are no user namespaces (%v), nor can bwrap make any (%v)", why, bubblewrap)}
	if abi < 3 {
		gaps = append(gaps, fmt.Sprintf("files outside can be emptied: there is no Landlock ABI 3 (the kernel has ABI %d)", abi))
	}
	if abi < 6 {
		gaps = append(gaps, fmt.Sprintf("other processes of the user, the gateway too, can be sent signals: there is no Landlock ABI 6 (the kernel has ABI %d)", abi))
	}
	return gaps
}
