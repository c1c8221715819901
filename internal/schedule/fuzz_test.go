package schedule

import (
	"strings"
	"testing"
	"time"
)

// FuzzTasks checks that what HEARTBEAT.md asks for is part of it, and that
// comments alone ask for nothing.
func FuzzTasks(f *testing.F) {
	for _, seed := range []string{
		"", "# Title\n\n- [ ] \n", "- check the mail", "<!-- not this -->", "<!-- open", "a<!-- x -->b", "<!--<!-- -->-->", "-->\n<!--",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := asks(text)
		if strings.Contains(got, "<!--") || len(got) > len(text) {
			t.Errorf("%q asks for %q", text, got)
		}
		if again := asks(got); again != got && got != "" && !strings.Contains(got, "-->") {
			t.Errorf("%q asks for %q, which asks for %q", text, got, again)
		}
		if got := asks("<!--" + strings.ReplaceAll(text, ">", "") + "-->"); got != "" {
			t.Errorf("a comment asks for %q", got)
		}
	})
}

// FuzzQuiet checks that quiet hours hold from their start up to their end.
func FuzzQuiet(f *testing.F) {
	f.Add("22:00", "07:30", "Europe/Berlin")
	f.Add("00:00", "23:59", "UTC")
	f.Add("", "", "")
	f.Add("24:00", "7:3", "nowhere")
	f.Add("12:00", "12:00", "Local")
	f.Fuzz(func(t *testing.T, start, end, zone string) {
		q, err := ParseQuiet(start, end, zone)
		if err != nil || q.zone == nil {
			return
		}
		at := func(minutes int) time.Time { return time.Date(2026, 1, 15, minutes/60, minutes%60, 0, 0, q.zone) }
		if q.Holds(at(q.end)) || q.Holds(at(q.start)) != (q.start != q.end) {
			t.Errorf("%s to %s: at the start %v, at the end %v", start, end, q.Holds(at(q.start)), q.Holds(at(q.end)))
		}
	})
}
