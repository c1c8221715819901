package intake

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// The bounds of an inspection.
const (
	maxFindings = 100
	maxLine     = 4096 // bytes of a line that patterns look at
	maxExcerpt  = 80   // code points
)

// Finding is something in a file that a person should know of before using it.
// It need not be bad.
type Finding struct {
	File string
	Line int
	Kind string
	Text string // the beginning of what was found, on one line
	// Grave findings are rarely there for a good reason.
	Grave bool
}

// pattern finds one kind of thing in a line.
type pattern struct {
	kind  string
	grave bool
	find  *regexp.Regexp
}

var patterns = sync.OnceValue(func() []pattern {
	p := func(kind string, grave bool, expression string) pattern {
		return pattern{kind, grave, regexp.MustCompile(`(?i)` + expression)}
	}
	return []pattern{
		p("pipes a download into a shell", true, `\b(curl|wget|fetch)\b[^|\n]*\|\s*(sudo\s+)?(/\S*/)?(env\s+)?(/\S*/)?(ba|z|da|k)?sh\b|\b(curl|wget)\b[^|\n]*\|\s*(sudo\s+)?(python|perl|node|ruby)|(ba|z)?sh\s+(-c\s+)?["']?[<$]\(\s*(curl|wget)`),
		p("runs decoded or downloaded code", true, `base64\s+(-d|-D|--decode)[^\n]*\|\s*(\S*/)?\w*sh\b|\beval\b\s*["']?\$\(|\beval\(\s*(atob|base64|requests|urllib|fetch)|exec\(\s*(base64|requests|urllib)|\biex\b[^\n]*downloadstring`),
		p("reads secrets", true, `\.ssh/|\bid_(rsa|ed25519|ecdsa)\b|\.aws/credentials|\.gnupg|\.netrc|\.config/gh/hosts|\.docker/config\.json|\.kube/config|/etc/shadow|\.openclaw/(config\.yml|\.env)|\blogin\.keychain|find-generic-password|\bprintenv\b|/proc/self/environ`),
		p("asks to work against the user", true, `ignore (all |any )?(previous|prior|above|earlier) (instructions|rules)|(do not|don't|never) (tell|inform|mention|show)[^\n]{0,20} (the )?(user|owner)|without (asking|telling|informing) the (user|owner)|disregard (your|the|all) [^\n]{0,20}(rules|instructions)`),
		p("changes what starts by itself", true, `\bcrontab\b|\bsystemctl\b[^\n]*enable|LaunchAgents|>>?\s*["']?(~|\$HOME)/\.(bash|zsh|profile)|authorized_keys`),
		p("destroys or takes rights", true, `\brm\s+-\w*[rf]\w*\s+["']?(/|~|\$HOME)|\bmkfs\b|\bdd\b[^\n]*\bof=/dev/|:\(\)\s*\{|chmod\s+(-R\s+)?777|\bsudo\b`),
		p("long base64 text", false, `[A-Za-z0-9+/]{200,}={0,2}`),
		p("uses the network", false, `\b(curl|wget|nc|ncat|netcat|telnet|ftp|scp|rsync|ssh)\s+[-\w"'$./~]|\b(requests|httpx|urllib|aiohttp)\.|\bfetch\(\s*["'`+"`"+`]|\bInvoke-WebRequest\b`),
		p("installs packages", false, `\b(npm|pnpm|yarn)\s+(i|install|add)\b|\bnpx\s|\bpip3?\s+install\b|\buvx?\s+(tool|pip|run)\b|\bbrew\s+install\b|\b(apt|apt-get|dnf|apk)\s+(install|add)\b|\bgo\s+install\b|\bcargo\s+install\b`),
		p("wants a key or token", false, `\$\{?\w*(API_?KEY|TOKEN|SECRET|PASSWORD)\w*|getenv\(["']\w*(KEY|TOKEN|SECRET|PASSWORD)`),
	}
})

// Inspect looks through the files of a directory, which it only reads, and
// returns what it found, grave things first; at most 100. An empty answer
// does not mean that a file is harmless.
func Inspect(dir string) ([]Finding, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, failed("cannot open "+dir, err)
	}
	defer root.Close()
	var found []Finding
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root.FS(), name)
		if err != nil {
			return err
		}
		found = append(found, inspect(name, string(data))...)
		return nil
	})
	if err != nil {
		return nil, failed("cannot read "+dir, err)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		switch {
		case a.Grave == b.Grave:
			return 0
		case a.Grave:
			return -1
		}
		return 1
	})
	return found[:min(len(found), maxFindings)], nil
}

// inspect looks through one file. Of each kind a line counts once.
func inspect(name, text string) []Finding {
	var found []Finding
	n := 0
	for line := range strings.Lines(text) {
		n++
		if len(found) >= maxFindings {
			break
		}
		if r, hidden := hiddenRune(line); hidden {
			found = append(found, Finding{name, n, "hidden characters", excerpt(line, strings.IndexRune(line, r)), true})
		}
		if len(line) > maxLine {
			found = append(found, Finding{name, n, "a very long line; only its beginning was looked at", "", false})
			line = line[:maxLine]
		}
		for _, p := range patterns() {
			if at := p.find.FindStringIndex(line); at != nil {
				found = append(found, Finding{name, n, p.kind, excerpt(line, at[0]), p.grave})
			}
		}
	}
	return found
}

// hiddenRune finds characters that people do not see and models read: tags,
// zero widths, changes of direction. A joiner inside of words and emoji is none,
// nor is a byte order mark at the beginning.
func hiddenRune(line string) (rune, bool) {
	before := ' '
	for i, r := range line {
		switch {
		case r == '\u200d', r == '\u200c': // joiners
			if before < 0x300 {
				return r, true
			}
		case r == '\ufeff' && i == 0:
		case r >= 0xfe00 && r <= 0xfe0f: // variants of emoji
		case unicode.Is(unicode.Cf, r) && r != '\u00ad', r >= 0xe0100 && r <= 0xe01ef, r == '\u3164', r == '\u2800':
			return r, true
		case unicode.Is(unicode.Cc, r) && r != '\t' && r != '\n' && r != '\r' && r != '\f':
			return r, true
		}
		before = r
	}
	return 0, false
}

// excerpt is the text from about an offset on, with nothing in it that a
// terminal acts on.
func excerpt(line string, at int) string {
	line = strings.ToValidUTF8(line[max(0, at-10):], "")
	line = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, strings.Join(strings.Fields(line), " "))
	if runes := []rune(line); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt-1]) + "…"
	}
	return line
}
