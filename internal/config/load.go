package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Options says where a configuration comes from.
type Options struct {
	// Path is the configuration file. "" is OPENCLAW_CONFIG_PATH, and without
	// that config.yml in ~/.openclaw, which need not exist.
	Path string
	// Home is the user's home directory; "" is HOME of Environ.
	Home string
	// Environ is the environment, as os.Environ returns it.
	Environ []string
	// Overrides are the values of flags by dotted key, written as in a file;
	// lists are separated by commas.
	Overrides map[string]string
	// KnownEnv are names of further OPENCLAW_ variables that mean something to
	// the program; others are warned of.
	KnownEnv []string
	// Check says what else is wrong with a configuration that is right by
	// itself: what the parts of the program that it is for would refuse. Load
	// adds where each key was set. nil: nothing.
	Check func(*Config) []Problem
}

// Load reads the configuration: defaults, then the file, then the environment
// (.env included), then Overrides, each over the one before. It reads two
// files and nothing else. The error is of type Problems and names everything
// that is wrong; the warnings are complete in either case.
func Load(opts Options) (*Config, []Warning, error) {
	src, problems := locate(opts)
	if problems != nil {
		return nil, nil, problems
	}
	data, problems := src.read()
	if problems != nil {
		return nil, src.warnings, problems
	}
	return src.load(data)
}

// Salvage returns what can be read of a configuration that Load refuses, and
// defaults for the rest: enough to find a gateway that runs with an earlier one,
// and for nothing else. nil: it cannot even be read.
func Salvage(opts Options) *Config {
	src, problems := locate(opts)
	if problems != nil {
		return nil
	}
	data, problems := src.read()
	if problems != nil {
		return nil
	}
	cfg, _, _ := src.decode(data)
	return cfg
}

// source is where the parts of a configuration were found.
type source struct {
	opts     Options
	path     string
	explicit bool // somebody named the path
	dirs     directories
	env      *environment
	warnings []Warning // of .env
}

// locate finds the file and the directories, and reads .env.
func locate(opts Options) (*source, Problems) {
	s := &source{opts: opts, env: newEnvironment(opts.Environ)}
	s.dirs.user = opts.Home
	if s.dirs.user == "" {
		s.dirs.user = s.env.vars["HOME"]
	}
	if !filepath.IsAbs(s.dirs.user) {
		return nil, Problems{{Message: "the home directory is not known; set HOME to its absolute path"}}
	}
	s.dirs.home = filepath.Join(s.dirs.user, ".openclaw")
	if moved := s.env.vars["OPENCLAW_HOME"]; moved != "" {
		at := Origin{File: "OPENCLAW_HOME"}
		if rest, ok := strings.CutPrefix(moved, "~/"); ok {
			moved = filepath.Join(s.dirs.user, rest)
		}
		if !filepath.IsAbs(moved) {
			return nil, Problems{{Origin: at, Message: "must be an absolute path, not " + quote(moved)}}
		}
		s.dirs.home = filepath.Clean(moved)
	}
	s.warnings = s.env.readDotEnv(s.dotEnv())
	s.path, s.explicit = opts.Path, true
	if s.path == "" {
		s.path = s.env.vars["OPENCLAW_CONFIG_PATH"]
	}
	if rest, ok := strings.CutPrefix(s.path, "~/"); ok {
		s.path = filepath.Join(s.dirs.user, rest)
	}
	if s.path == "" {
		s.path, s.explicit = filepath.Join(s.dirs.home, "config.yml"), false
	}
	return s, nil
}

func (s *source) dotEnv() string { return filepath.Join(s.dirs.home, ".env") }

// read returns what the file contains; nothing if it is missing and nobody
// asked for it by name.
func (s *source) read() ([]byte, Problems) {
	data, err := readBounded(s.path)
	switch {
	case err == nil:
		return data, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, Problems{{Origin: Origin{File: s.path}, Message: "cannot be read: " + reason(err)}}
	case s.explicit:
		return nil, Problems{{Origin: Origin{File: s.path}, Message: "does not exist; create it, or leave the path out to run on defaults"}}
	}
	// A link that leads nowhere is a configuration that went missing.
	if _, err := os.Lstat(s.path); err == nil {
		return nil, Problems{{Origin: Origin{File: s.path}, Message: "is a link to a file that does not exist"}}
	}
	return nil, nil
}

// load makes a Config of the file's content.
func (s *source) load(data []byte) (*Config, []Warning, error) {
	cfg, warnings, problems := s.decode(data)
	if len(problems) > 0 {
		return nil, warnings, problems
	}
	return cfg, warnings, nil
}

// decode is load where problems are none: the Config then lacks what they are
// about.
func (s *source) decode(data []byte) (*Config, []Warning, Problems) {
	cfg := &Config{Home: s.dirs.home, Path: s.path, lookup: s.env.lookup}
	v := reflect.ValueOf(cfg).Elem()
	setDefaults(v, s.dirs)
	d := &decoder{
		file: s.path, dirs: s.dirs, env: s.env,
		origins: map[string]Origin{}, unset: map[string]unsetSecret{},
		warnings: slices.Clone(s.warnings),
	}
	root, problems := parse(s.path, data)
	d.problems = problems
	if root != nil {
		d.value(root, v, field{typ: v.Type()}, place{})
	}
	d.environment(v, s.opts.KnownEnv)
	d.overrides(v, s.opts.Overrides)
	cfg.origins = d.origins
	d.finish(cfg)
	if check := s.opts.Check; check != nil && len(d.problems) == 0 {
		for _, p := range check(cfg) {
			p.Origin = d.originOf(p.Key)
			d.problems = append(d.problems, p)
		}
	}
	d.problems.sort()
	return cfg, d.warnings, d.problems
}

// setDefaults gives every field below v its default. Secrets have none: what
// they fall back to depends on the rest of the configuration.
func setDefaults(v reflect.Value, dirs directories) {
	for _, f := range fieldsOf(v.Type()) {
		switch {
		case f.typ.Kind() == reflect.Struct:
			setDefaults(v.Field(f.index), dirs)
		case f.def != "" && f.typ != typeSecret:
			_ = f.set(v.Field(f.index), f.def, dirs) // a test sets every default
		}
	}
}

// shortNames are the environment variables that are not made of section and
// key.
func shortNames() map[string]string {
	return map[string]string{
		"OPENCLAW_HOST":       "gateway.host",
		"OPENCLAW_PORT":       "gateway.port",
		"OPENCLAW_AUTH_TOKEN": "gateway.auth.token",
		"OPENCLAW_MODEL":      "brain.model",
		"OPENCLAW_PROVIDER":   "brain.provider",
		"OPENCLAW_LOG_LEVEL":  "logging.level",
	}
}

const envPrefix = "OPENCLAW_"

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// environment puts the OPENCLAW_ variables over the file. Where a short and a
// long name set the same key, the long one, being more exact, counts.
func (d *decoder) environment(v reflect.Value, known []string) {
	var names []string
	for name, value := range d.env.vars {
		if strings.HasPrefix(name, envPrefix) && value != "" && name != "OPENCLAW_HOME" && name != "OPENCLAW_CONFIG_PATH" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	short, long := shortNames(), map[string]string{}
	eachField(v.Type(), "", false, func(key string, f field, _ bool) {
		if f.settable() {
			long[envName(key)] = key
		}
	})
	for _, name := range names {
		if key, ok := short[name]; ok && d.env.vars[envName(key)] == "" {
			d.override(v, key, d.env.vars[name], d.envOrigin(name))
		}
	}
	for _, name := range names {
		key, isLong := long[name]
		_, isShort := short[name]
		switch {
		case isLong:
			d.override(v, key, d.env.vars[name], d.envOrigin(name))
		case !isShort && !slices.Contains(known, name):
			d.warnings = append(d.warnings, unknownVariable(name, d.envOrigin(name), short, long))
		}
	}
}

func unknownVariable(name string, at Origin, short, long map[string]string) Warning {
	w := Warning{Origin: at, Message: "sets nothing: there is no such key"}
	if at.IsFile() {
		w.Key = name
	}
	var candidates []string
	for _, known := range slices.Concat(slices.Sorted(maps.Keys(short)), slices.Sorted(maps.Keys(long))) {
		candidates = append(candidates, strings.TrimPrefix(known, envPrefix))
	}
	if near := nearest(strings.TrimPrefix(name, envPrefix), candidates); near != "" {
		w.Message += " (did you mean " + envPrefix + near + "?)"
	}
	return w
}

func (d *decoder) envOrigin(name string) Origin {
	if o, ok := d.env.from[name]; ok {
		return o
	}
	return Origin{File: name}
}

func (d *decoder) overrides(v reflect.Value, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		d.override(v, key, values[key], Origin{File: "command line"})
	}
}

// override sets one key from outside the file.
func (d *decoder) override(v reflect.Value, key, text string, from Origin) {
	parts, err := splitKey(key)
	if err != nil {
		d.problems = append(d.problems, Problem{Origin: from, Key: key, Message: err.Error()})
		return
	}
	target, f := v, field{}
	for i, part := range parts {
		var fields []field
		if target.Kind() == reflect.Struct {
			fields = fieldsOf(target.Type())
		}
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == part })
		if at < 0 {
			for _, u := range unknownKey(strings.Join(parts[:i], "."), part, fields) {
				u.Origin = from
				d.problems = append(d.problems, u)
			}
			return
		}
		f = fields[at]
		target = target.Field(f.index)
	}
	if !f.settable() {
		d.problems = append(d.problems, Problem{Origin: from, Key: key, Message: "can only be set in the configuration file"})
		return
	}
	if wrong := f.set(target, text, d.dirs); wrong != nil {
		d.problems = append(d.problems, Problem{from, key, wrong.message, wrong.suggestion})
		return
	}
	delete(d.unset, key)
	maps.DeleteFunc(d.origins, func(k string, _ Origin) bool { return strings.HasPrefix(k, key+"[") })
	d.origins[key] = from
}
