package config

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A change is taken up when nothing else happened for settleTime, since
// editors write in several steps, and at the latest after patience, so that it
// applies within a second.
const (
	settleTime = 100 * time.Millisecond
	patience   = 500 * time.Millisecond
)

// Watch follows the configuration file and .env until ctx ends, and returns
// nil then; it returns an error at once if the system cannot watch the
// directory of the file, which must exist.
//
// current is the configuration in force. changed is called with each next one
// that is different, and with the first sound one after a fault. broken is
// called with the fault, of type Problems unless watching itself fails, when
// the file cannot be used or is gone; the configuration in force remains then.
// Both are called from Watch's own goroutine, one at a time.
func Watch(ctx context.Context, opts Options, current *Config, changed func(*Config, []Warning), broken func(error)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the configuration: %w", err)
	}
	r := &reloader{opts: opts, current: current, changed: changed, broken: broken}
	r.names = watchedNames(current)
	for _, dir := range r.dirs() {
		// .env need not have a directory; the file must.
		if err := w.Add(dir); err != nil && dir == filepath.Dir(current.Path) {
			return errors.Join(fmt.Errorf("watch the configuration in %s: %w", dir, err), w.Close())
		}
	}
	follow(ctx, w.Events, w.Errors, r.concerns, func() {
		r.reload()
		r.names = watchedNames(r.current)
		for _, dir := range r.dirs() {
			_ = w.Add(dir) // one that is gone shows as a missing file
		}
	}, broken)
	return w.Close()
}

// follow calls settled once at the beginning, and some time after the last of
// each run of events that concern the configuration.
func follow(ctx context.Context, events <-chan fsnotify.Event, failures <-chan error, concerns func(string) bool, settled func(), broken func(error)) {
	// The first time is for what changed before there was a watch.
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	deadline := time.Now().Add(patience) // of a run of events; zero between them
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			if !concerns(e.Name) {
				continue
			}
			now := time.Now()
			if deadline.IsZero() {
				deadline = now.Add(patience)
			}
			timer.Reset(min(settleTime, deadline.Sub(now)))
		case <-timer.C:
			deadline = time.Time{}
			settled()
		case err, ok := <-failures:
			if !ok {
				return
			}
			broken(fmt.Errorf("watch the configuration: %w", err))
			// Events may have been lost.
			if deadline.IsZero() {
				deadline = time.Now().Add(patience)
				timer.Reset(settleTime)
			}
		}
	}
}

// reloader compares what is on disk with what is in force.
type reloader struct {
	opts    Options
	current *Config
	names   map[string]bool // the files that matter
	fault   string          // reported last; "" is none
	changed func(*Config, []Warning)
	broken  func(error)
}

// watchedNames returns the files whose change can change the configuration:
// the file, what it is a link to, and .env. A directory that Kubernetes
// mounts is swapped by renaming ..data.
func watchedNames(c *Config) map[string]bool {
	names := map[string]bool{
		filepath.Clean(c.Path):                        true,
		filepath.Join(c.Home, ".env"):                 true,
		filepath.Join(filepath.Dir(c.Path), "..data"): true,
	}
	if target, err := filepath.EvalSymlinks(c.Path); err == nil {
		names[target] = true
	}
	return names
}

func (r *reloader) concerns(name string) bool { return r.names[filepath.Clean(name)] }

func (r *reloader) dirs() []string {
	var dirs []string
	for name := range r.names {
		dirs = append(dirs, filepath.Dir(name))
	}
	return dirs
}

func (r *reloader) reload() {
	next, warnings, err := r.load()
	if err != nil {
		if text := err.Error(); text != r.fault {
			r.fault = text
			r.broken(err)
		}
		return
	}
	if r.fault == "" && len(Diff(r.current, next)) == 0 {
		return
	}
	r.current, r.fault = next, ""
	r.changed(next, warnings)
}

// load is Load, but for a file that is gone or empty although the
// configuration in force came from it: somebody is just writing it, or lost
// it, and in neither case wishes for defaults.
func (r *reloader) load() (*Config, []Warning, error) {
	src, problems := locate(r.opts)
	if problems != nil {
		return nil, nil, problems
	}
	data, problems := src.read()
	switch {
	case problems != nil:
		return nil, nil, problems
	case len(data) == 0 && r.current.fromFile():
		return nil, nil, Problems{{
			Origin:  Origin{File: src.path},
			Message: "is gone or empty; the gateway goes on with what it said before, and will start on defaults next time",
		}}
	}
	return src.load(data)
}

// fromFile says whether the configuration file sets anything.
func (c *Config) fromFile() bool {
	for _, o := range c.origins {
		if o.File == c.Path {
			return true
		}
	}
	return false
}
