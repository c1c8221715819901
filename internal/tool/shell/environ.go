package shell

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	ownPrefix   = "OPENCLAW_"
	defaultPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
)

// allowedEnv returns the variables of environ that allow names, sorted, and a
// PATH in any case.
func allowedEnv(environ, allow []string) ([]string, error) {
	for _, p := range allow {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("shell: EnvAllow: %q is no valid pattern: %w", p, err)
		}
	}
	env := make([]string, 0, len(allow)+1)
	for _, kv := range environ {
		name, _, ok := strings.Cut(kv, "=")
		if ok && name != "" && allowed(name, allow) {
			env = append(env, kv)
		}
	}
	if lookup(env, "PATH") == "" {
		env = append(env, "PATH="+defaultPath)
	}
	slices.Sort(env)
	return env, nil
}

// allowed says whether a pattern matches name. Only its full name lets out one
// of the gateway's own variables, which may hold its token: "*" does not.
func allowed(name string, allow []string) bool {
	for _, p := range allow {
		if p == name {
			return true
		}
		if ok, _ := path.Match(p, name); ok && !strings.HasPrefix(name, ownPrefix) {
			return true
		}
	}
	return false
}

func lookup(environ []string, name string) string {
	for _, kv := range environ {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			return v
		}
	}
	return ""
}
