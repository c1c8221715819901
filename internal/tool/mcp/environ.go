package mcp

import (
	"maps"
	"slices"
	"strings"
)

const defaultPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

// environ returns what a program gets: the harmless variables of all, and its
// own, which win.
func environ(all []string, own map[string]string) []string {
	vars := map[string]string{"PATH": defaultPath}
	for _, kv := range all {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH", "HOME", "LANG", "TZ", "TERM", "USER", "LOGNAME", "SHELL", "TMPDIR":
			vars[name] = value
		default:
			if strings.HasPrefix(name, "LC_") {
				vars[name] = value
			}
		}
	}
	maps.Copy(vars, own)
	env := make([]string, 0, len(vars))
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}
