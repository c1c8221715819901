package crashtest

import (
	"encoding/hex"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// step is something a traced gateway did: a system call on a file of its
// store, or showing an event to a client.
type step struct {
	call string
	path string
	at   int    // the place of a write, the size of a truncation
	data []byte // of a write

	session string // of an event that is shown; then nothing else is set but seq
	seq     int64
}

var (
	inSession  = regexp.MustCompile(`"session":"([^"]+)"`)
	withNumber = regexp.MustCompile(`"seq":(\d+)`)
)

// readTrace reads what strace wrote: a line for each call, or two, when
// something else came in between. A file has changed when the call is over; a
// client may see what it is sent as soon as that begins.
func readTrace(t *testing.T, path string) (steps []step) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begun := map[string]string{} // by thread
	for line := range strings.Lines(string(data)) {
		thread, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		call = strings.TrimSpace(call)
		if rest, resumed := strings.CutPrefix(call, "<... "); resumed {
			_, rest, _ = strings.Cut(rest, " resumed>")
			if s, ok := fileStep(begun[thread] + rest); ok {
				steps = append(steps, s)
			}
			continue
		}
		if s, ok := socketStep(call); ok {
			steps = append(steps, s)
		}
		if head, unfinished := strings.CutSuffix(call, " <unfinished ...>"); unfinished {
			begun[thread] = head
		} else if s, ok := fileStep(call); ok {
			steps = append(steps, s)
		}
	}
	return steps
}

// fileStep reads a finished call that concerns a file of the store, such as
//
//	pwrite64(11<\x2f\x61>, "\x37\x7f", 2, 4096) = 2
func fileStep(call string) (s step, ok bool) {
	const equals = " = "
	end := strings.LastIndex(call, equals)
	if end < 0 || call[end+len(equals)] == '-' { // it failed
		return s, false
	}
	name, args, _ := strings.Cut(strings.TrimRight(call[:end], " )"), "(")
	path := strings.Trim(args, `"`)
	if _, rest, found := strings.Cut(args, "<"); found {
		path, args, _ = strings.Cut(rest, ">")
	}
	decoded, err := unhex(path)
	if s.call, s.path = name, string(decoded); name != "fsync" && !ofStore(s.path) {
		return s, false
	}
	switch name {
	case "ftruncate":
		s.at, err = strconv.Atoi(strings.TrimPrefix(args, ", "))
	case "pwrite64":
		last := strings.LastIndex(args, ", ")
		if s.at, err = strconv.Atoi(args[last+2:]); err == nil {
			s.data, err = unhex(args[strings.Index(args, `"`)+1 : strings.LastIndex(args, `"`)])
		}
	case "write":
		return s, false // SQLite does not use it
	}
	return s, err == nil
}

// unhex reads a text written like \x37\x7f.
func unhex(text string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
}

// ofStore says whether a power cut can do something to the file: what is in
// the others is of no use to the next process.
func ofStore(path string) bool {
	return strings.HasSuffix(path, ".db") || strings.HasSuffix(path, ".db-wal") || strings.HasSuffix(path, ".db-journal")
}

// socketStep reads the beginning of a frame that shows an event.
func socketStep(call string) (s step, ok bool) {
	head, text, _ := strings.Cut(call, `"`)
	_, to, _ := strings.Cut(head, "<")
	name, err := unhex(strings.TrimSuffix(to, ">, "))
	if err != nil || !strings.HasPrefix(call, "write(") || !strings.HasPrefix(string(name), "socket:") {
		return s, false
	}
	text, _, _ = strings.Cut(text, `"`)
	frame, err := unhex(text)
	if err != nil {
		return s, false
	}
	session, seq := inSession.FindSubmatch(frame), withNumber.FindSubmatch(frame)
	if session == nil || seq == nil {
		return s, false
	}
	s.session = string(session[1])
	s.seq, err = strconv.ParseInt(string(seq[1]), 10, 64)
	return s, err == nil
}
