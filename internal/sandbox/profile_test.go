package sandbox

import (
	"strings"
	"testing"
)

func TestProfile(t *testing.T) {
	c := &cell{port: 18789, places: []place{
		{"/", reachRead}, {"/dev", reachNone}, {`/Users/a "b"/.openclaw/workspace`, reachWrite}, {`/Users/a "b"/.openclaw`, reachNone},
		{`/Users/a "b"/.openclaw/workspace/secret`, reachNone},
	}}
	text := profile(c)
	// The later rule counts, so the inner path must come after the outer one.
	last := 0
	for _, want := range []string{
		"(version 1)\n(allow default)\n", "(deny network*)\n", "(deny file-write*)\n",
		`(deny file-read-data file-write* process-exec* (subpath "/Users/a \"b\"/.openclaw"))`,
		`(allow file-read-data file-write* process-exec* (subpath "/Users/a \"b\"/.openclaw/workspace"))`,
		`(deny file-read-data file-write* process-exec* (subpath "/Users/a \"b\"/.openclaw/workspace/secret"))`,
	} {
		i := strings.Index(text[last:], want)
		if i < 0 {
			t.Fatalf("no %s after what is before it, in\n%s", want, text)
		}
		last += i + len(want)
	}
	if strings.Count(text, "(") != strings.Count(text, ")") {
		t.Errorf("brackets do not match:\n%s", text)
	}
	c.network = true
	if text := profile(c); strings.Contains(text, "(deny network*)\n") || !strings.Contains(text, `(remote tcp "localhost:18789")`) {
		t.Errorf("with the network:\n%s", text)
	}
}
