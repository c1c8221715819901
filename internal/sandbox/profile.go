package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// profile writes a cell in the language of macOS's sandbox-exec, in which the
// last rule that matches counts.
func profile(c *cell) string {
	var b strings.Builder
	b.WriteString("(version 1)\n(allow default)\n" +
		// Services that would act for the command outside of its walls.
		"(deny appleevent-send)\n(deny job-creation)\n" +
		"(deny mach-lookup (global-name \"com.apple.coreservices.launchservicesd\") (global-name \"com.apple.pasteboard.1\") (global-name \"com.apple.SecurityServer\"))\n" +
		"(deny signal (target others))\n(deny process-info* (target others))\n")
	if c.network {
		b.WriteString("(deny network* (remote unix-socket))\n")
		if c.port != 0 {
			fmt.Fprintf(&b, "(deny network-outbound (remote tcp \"localhost:%d\"))\n", c.port)
		}
	} else {
		b.WriteString("(deny network*)\n")
	}
	b.WriteString("(deny file-write*)\n" +
		"(allow file-write-data (literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/tty\") (literal \"/dev/ptmx\") (regex #\"^/dev/ttys[0-9]+$\") (subpath \"/dev/fd\"))\n")
	places := slices.Clone(c.places)
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(len(a.path), len(b.path)) })
	for _, p := range places {
		path := "(subpath " + quoted(p.path) + ")"
		switch {
		case p.path == "/" || p.path == "/dev":
		case p.reach == reachNone:
			fmt.Fprintf(&b, "(deny file-read-data file-write* process-exec* %s)\n", path)
		case p.reach == reachRead:
			fmt.Fprintf(&b, "(allow file-read-data process-exec* %s)\n(deny file-write* %s)\n", path, path)
		default:
			fmt.Fprintf(&b, "(allow file-read-data file-write* process-exec* %s)\n", path)
		}
	}
	return b.String()
}

// quoted writes a string of the language.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
