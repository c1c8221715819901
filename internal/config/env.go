package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// environment is the variables of the process, completed by those of .env. It
// is never changed once Load has made it.
type environment struct {
	vars map[string]string
	from map[string]Origin // of the variables that .env added
}

func newEnvironment(environ []string) *environment {
	e := &environment{vars: make(map[string]string, len(environ)), from: map[string]Origin{}}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			e.vars[name] = value
		}
	}
	return e
}

func (e *environment) lookup(name string) (string, bool) {
	value, ok := e.vars[name]
	return value, ok
}

// readDotEnv adds the variables of the file that the environment does not
// have. A missing file adds nothing. No warning shows what the file contains.
func (e *environment) readDotEnv(path string) []Warning {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	at := Origin{File: path}
	if err != nil {
		return []Warning{{Origin: at, Message: "cannot be read and is ignored: " + reason(err)}}
	}
	data, err := readBounded(path)
	if err != nil {
		return []Warning{{Origin: at, Message: "cannot be read and is ignored: " + reason(err)}}
	}
	var warnings []Warning
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		warnings = append(warnings, Warning{Origin: at, Message: "holds secrets and can be read by others; run: chmod 600 " + path})
	}
	entries, broken := parseDotEnv(string(data))
	for _, line := range broken {
		warnings = append(warnings, Warning{Origin: Origin{File: path, Line: line, Column: 1}, Message: "is not NAME=value and is ignored"})
	}
	for _, entry := range entries {
		at := Origin{File: path, Line: entry.line, Column: 1}
		if entry.name == "OPENCLAW_HOME" {
			warnings = append(warnings, Warning{Origin: at, Key: entry.name, Message: "has no effect here, in the directory it would name"})
			continue
		}
		if _, ok := e.vars[entry.name]; ok && e.from[entry.name].File == "" {
			continue
		}
		e.vars[entry.name], e.from[entry.name] = entry.value, at
	}
	return warnings
}

type dotEnvEntry struct {
	name, value string
	line        int
}

// parseDotEnv reads NAME=value lines, also with export before and quotes
// around, and returns the numbers of the lines that are nothing of the kind.
// Between single quotes a text is literal; between double quotes \n, \t, \",
// \\ and \$ are known. An unquoted value ends at a # after a space.
func parseDotEnv(text string) (entries []dotEnvEntry, broken []int) {
	text = strings.TrimPrefix(text, "\ufeff")
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if after, ok := strings.CutPrefix(line, "export"); ok && after != strings.TrimLeft(after, " \t") {
			line = strings.TrimLeft(after, " \t")
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimRight(name, " \t")
		if ok {
			value, ok = dotEnvValue(strings.TrimLeft(value, " \t"))
		}
		if !ok || !isVariableName(name) || strings.ContainsRune(value, 0) {
			broken = append(broken, number)
			continue
		}
		entries = append(entries, dotEnvEntry{name, value, number})
	}
	return entries, broken
}

func isVariableName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i], i) {
			return false
		}
	}
	return s != ""
}

func dotEnvValue(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if q := text[0]; q == '\'' || q == '"' {
		return quotedValue(text[1:], q)
	}
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	return strings.TrimRight(text, " \t"), true
}

func quotedValue(text string, quote byte) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			rest := strings.TrimLeft(text[i+1:], " \t")
			return b.String(), rest == "" || rest[0] == '#'
		case c == '\\' && quote == '"' && i+1 < len(text):
			i++
			switch text[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$':
				b.WriteByte(text[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// reason is the part of a file error that a person needs; the caller has named
// the file already.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
