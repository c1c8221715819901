package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/sandbox"
)

func (e *examination) configuration() {
	cfg, warnings, err := e.cli.load()
	if err != nil {
		for _, line := range errorLines(err) {
			e.say("configuration", broken, line, "mend the file; see: openclaw config validate")
		}
		return
	}
	e.cfg = cfg
	for _, w := range append(warnings, cfg.Inert()...) {
		e.say("configuration", doubt, w.String(), "see: openclaw config validate")
	}
	for _, text := range concerns(cfg, "") {
		e.say("configuration", doubt, text, "")
	}
	if _, err := os.Stat(cfg.Path); errors.Is(err, fs.ErrNotExist) {
		e.say("configuration", sound, "no file "+cfg.Path+": the defaults apply", "")
		return
	}
	e.say("configuration", sound, cfg.Path, "")
}

// private looks whether only the owner can reach a file.
func (e *examination) private(check, path string, want fs.FileMode, harm string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		e.say(check, broken, path+" cannot be looked at: "+reason(err), "make it readable for yourself")
	case info.Mode().Perm()&0o077 != 0:
		e.say(check, doubt, fmt.Sprintf("%s has mode %#o: %s", path, info.Mode().Perm(), harm), fmt.Sprintf("chmod %o %s", want, path))
	default:
		e.say(check, sound, path, "")
	}
}

func (e *examination) home() {
	if _, err := os.Stat(e.cfg.Home); errors.Is(err, fs.ErrNotExist) {
		e.say("home", sound, e.cfg.Home+" is made when it is needed", "")
		return
	}
	if err := canMakeIn(e.cfg.Home); err != nil {
		e.say("home", broken, "nothing can be written to "+e.cfg.Home+": "+reason(err), "make it writable for yourself, or set OPENCLAW_HOME")
	}
	e.private("home", e.cfg.Home, 0o700, "other users of this machine can look inside")
}

func (e *examination) secrets() {
	for _, path := range []string{e.cfg.Path, filepath.Join(e.cfg.Home, ".env")} {
		e.private("secrets", path, 0o600, "other users of this machine can read what is in it")
	}
}

// storeMagic is how every SQLite file begins.
const storeMagic = "SQLite format 3\x00"

func (e *examination) store() {
	path := e.cfg.Store.Path
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.say("store", sound, path+" is made at the first start", "")
	case err != nil:
		e.say("store", broken, path+" cannot be opened: "+reason(err), "make it readable and writable for yourself, or set store.path")
	default:
		defer f.Close()
		head := make([]byte, len(storeMagic))
		if n, _ := f.ReadAt(head, 0); n > 0 && string(head) != storeMagic {
			e.say("store", broken, path+" is not a database", "move it away, or restore it from a backup")
			return
		}
		e.private("store", path, 0o600, "other users of this machine can read the conversations")
	}
}

func (e *examination) workspace() {
	path := e.cfg.Hands.Workspace
	_, err := os.Stat(path)
	if err == nil {
		err = canMakeIn(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.say("workspace", sound, path+" is made when it is needed", "")
	case err != nil:
		e.say("workspace", broken, "nothing can be written to "+path+": "+reason(err), "make it writable for yourself, or set hands.workspace")
	default:
		e.say("workspace", sound, path, "")
	}
}

// canMakeIn says why no file can be made in a directory; nil: one can.
func canMakeIn(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (e *examination) sandbox() {
	if !e.cfg.Hands.Shell.Enabled {
		e.say("sandbox", sound, "commands are not run (hands.shell.enabled)", "")
		return
	}
	runner, err := sandbox.New(sandbox.Options{})
	if err != nil {
		e.say("sandbox", broken, err.Error(), "")
		return
	}
	box, err := runner.Box(boxRules(e.cfg, nil))
	if err != nil {
		e.say("sandbox", broken, openclaw.AsError(err).Message, "change hands.sandbox.mode or hands.filesystem")
		return
	}
	state := sound
	if weak(box.Layer()) {
		state = doubt
	}
	e.say("sandbox", state, fmt.Sprintf("%s (hands.sandbox.mode is %s)", box.Layer(), e.cfg.Hands.Sandbox.Mode), "")
	for _, gap := range box.Gaps() {
		e.say("sandbox", doubt, gap, "see: docs/security.md")
	}
}

func (e *examination) model() {
	set, err := configuredModels(e.cfg)
	if err != nil {
		e.say("model", broken, openclaw.AsError(err).Message, "set brain.provider and its key; see: openclaw config validate")
		return
	}
	d := set.Default()
	if d.Provider == offlineModel {
		e.say("model", doubt, "the offline model answers: it is no language model", "set ANTHROPIC_API_KEY, OPENAI_API_KEY or brain.provider")
		return
	}
	e.say("model", sound, d.Provider+"/"+d.Name+" (it was not asked)", "")
}

// gateway looks at the process, its PID file and its port.
func (e *examination) gateway(ctx context.Context) {
	state, err := e.cli.gatewayState(ctx)
	g := e.cfg.Gateway
	switch {
	case err != nil:
		e.say("gateway", broken, oneLine(err.Error()), "see: openclaw logs")
	case state.Running && state.Problem != "":
		e.say("gateway", broken, "it runs and does not answer: "+state.Problem, "openclaw gateway restart")
	case state.Running:
		e.say("gateway", sound, "running at "+state.Address, "")
	default:
		if _, err := os.Stat(g.PIDFile); err == nil {
			e.say("gateway", sound, "not running; "+g.PIDFile+" is left over from one that was killed, which does no harm", "")
		} else {
			e.say("gateway", sound, "not running", "openclaw gateway start")
		}
		e.port(g)
	}
}

func (e *examination) port(g config.Gateway) {
	l, err := net.Listen("tcp", net.JoinHostPort(g.Host, strconv.Itoa(g.Port)))
	if err != nil {
		e.say("port", broken, fmt.Sprintf("%s port %d cannot be listened on: %s", g.Host, g.Port, reason(err)), "stop what uses it, or set gateway.port")
		return
	}
	_ = l.Close()
	e.say("port", sound, fmt.Sprintf("%s port %d is free", g.Host, g.Port), "")
}

func (e *examination) skills() {
	index := newSkills(e.cfg, nil)
	loaded, skipped := index.Counts()
	for _, s := range index.List() {
		if s.Reason != "" {
			e.say("skills", doubt, s.Name+" is skipped: "+s.Reason, "see: openclaw skill validate")
		}
	}
	e.say("skills", sound, fmt.Sprintf("%d loaded, %d skipped", loaded, skipped), "")
}

// reason is an error of the system without what was tried.
func reason(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return strings.TrimSpace(err.Error())
}
