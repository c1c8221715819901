package ws_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go/internal/ws"
	"github.com/openclaw/openclaw-go/protocol"
)

const (
	kosme   = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5" // κόσμε
	umlauts = "Hello-µ@ßöäüàá-UTF-8!!"
)

// utf8Texts are the texts of sections 6.5 to 6.23, in the order of their
// numbers. Whether one is valid is utf8.Valid's to say; utf8Counts says it
// again for each section.
func utf8Texts() map[int][]string {
	return map[int][]string{
		5:  {"hello$world", "hello¢world", "hello€world", "hello𤭢world", kosme},
		6:  prefixes(kosme),
		7:  unhex("00 c280 e0a080 f0908080"),
		8:  unhex("f888808080 fc8480808080"),
		9:  unhex("7f dfbf efbfbf f48fbfbf"),
		10: unhex("f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf"),
		11: unhex("ed9fbf ee8080 efbfbd f48fbfbf f4908080"),
		12: append(unhex("80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf"), every(0x80, 0xbf, "")),
		13: {every(0xc0, 0xdf, " "), every(0xe0, 0xef, " "), every(0xf0, 0xf7, " "), every(0xf8, 0xfb, " "), every(0xfc, 0xfd, " ")},
		14: unhex(missing),
		15: unhex(strings.ReplaceAll(missing, " ", "")),
		16: unhex("fe ff fefeffff"),
		17: unhex("c0af e080af f08080af f8808080af fc80808080af"),
		18: unhex("c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf"),
		19: unhex("c080 e08080 f0808080 f880808080 fc8080808080"),
		20: unhex("eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf"),
		21: unhex("eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf"),
		22: noncharacters(),
		23: unhex("efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf"),
	}
}

// missing are sequences whose last byte is not there (6.14).
const missing = "c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf"

// utf8Counts is how many texts of a section are valid and how many are not.
var utf8Counts = map[int][2]int{
	5: {5, 0}, 6: {5, 6}, 7: {4, 0}, 8: {0, 2}, 9: {4, 0}, 10: {0, 3}, 11: {4, 1}, 12: {0, 8}, 13: {0, 5}, 14: {0, 10}, 15: {0, 1},
	16: {0, 3}, 17: {0, 5}, 18: {0, 5}, 19: {0, 5}, 20: {0, 7}, 21: {0, 8}, 22: {34, 0}, 23: {7, 0},
}

func prefixes(s string) (all []string) {
	for i := range len(s) {
		all = append(all, s[:i+1])
	}
	return all
}

// every returns the bytes from first to last, each followed by after.
func every(first, last int, after string) string {
	var all strings.Builder
	for b := first; b <= last; b++ {
		all.WriteString(string([]byte{byte(b)}) + after)
	}
	return all.String()
}

// noncharacters are the last two code points of each plane.
func noncharacters() (all []string) {
	for plane := rune(0); plane <= 0x10; plane++ {
		all = append(all, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	return all
}

// utf8Cases is section 6 but for 6.4, which has a test of its own.
func utf8Cases() (cases []bahn) {
	bad := unhex("cebae1bdb9cf83cebcceb5eda080656469746564")[0]
	answer, invalid := []string{"answer"}, []string{"close 1007"}
	cases = []bahn{
		{"6.1.1", []string{frame(fin|text, "")}, answer},
		{"6.1.2", []string{frame(text, "") + frame(more, "") + frame(fin|more, "")}, answer},
		{"6.1.3", []string{frame(text, "") + frame(more, "middle frame payload") + frame(fin|more, "")}, answer},
		{"6.2.1", []string{frame(fin|text, umlauts)}, answer},
		{"6.2.2", []string{frame(text, "Hello-µ@ßöä"), frame(fin|more, "üàá-UTF-8!!")}, answer},
		{"6.2.3", fragmentPerOctet(umlauts), answer},
		{"6.2.4", fragmentPerOctet(kosme), answer},
		{"6.3.1", []string{frame(fin|text, bad)}, invalid},
		{"6.3.2", fragmentPerOctet(bad), invalid},
	}
	for section, texts := range utf8Texts() {
		for i, s := range texts {
			want := invalid
			if utf8.ValidString(s) {
				want = answer
			}
			number := fmt.Sprintf("6.%d.%d", section, i+1)
			cases = append(cases,
				bahn{number, []string{frame(fin|text, s)}, want},
				bahn{number + " a fragment an octet", fragmentPerOctet(s), want},
				bahn{number + " a packet an octet", octets(frame(fin|text, s)), want})
		}
	}
	return cases
}

func fragmentPerOctet(s string) []string {
	packets := []string{frame(text, s[:1])}
	for i := 1; i < len(s); i++ {
		packets = append(packets, frame(more, s[i:i+1]))
	}
	return append(packets, frame(fin|more, ""))
}

// TestAutobahnCounts checks that the table is whole.
func TestAutobahnCounts(t *testing.T) {
	texts := utf8Texts()
	for section, want := range utf8Counts {
		var got [2]int
		for _, s := range texts[section] {
			if utf8.ValidString(s) {
				got[0]++
			} else {
				got[1]++
			}
		}
		if got != want {
			t.Errorf("section 6.%d has %d valid and %d invalid texts, want %v", section, got[0], got[1], want)
		}
	}
}

// TestAutobahnFailFast is section 6.4: the first wrong byte closes the
// connection, although neither the frame nor the message has ended. Until then
// the text could still become valid, and nothing is closed.
func TestAutobahnFailFast(t *testing.T) {
	_, _, url := serve(t, ws.Limits{}, nil, 0)
	const edited = "edited"
	cut := [][3]string{{kosme, "\xf4\x90\x80\x80", edited}, {kosme + "\xf4", "\x90", "\x80\x80" + edited}}
	for i, parts := range cut {
		whole := strings.Join(parts[:], "")
		for name, packets := range map[string][2]string{
			fmt.Sprint("6.4.", i+1): {frame(text, parts[0]), frame(more, parts[1])},
			fmt.Sprint("6.4.", i+3): {announce(fin|text, uint64(len(whole))) + parts[0], parts[1]},
		} {
			t.Run(name, func(t *testing.T) {
				c := rawDial(t, url, "")
				c.say(t, packets[0])
				wantSilence(t, c)
				c.say(t, packets[1])
				c.wantClose(t, protocol.CloseNotUTF8)
			})
		}
	}
	// Each text that is wrong before it ends, up to its first wrong byte and in
	// a frame that promises more.
	for section, texts := range utf8Texts() {
		for i, s := range texts {
			at := firstWrong(s)
			if at < 0 {
				continue
			}
			t.Run(fmt.Sprintf("6.%d.%d %s", section, i+1, hex.EncodeToString([]byte(s[:at+1]))), func(t *testing.T) {
				c := rawDial(t, url, "")
				c.say(t, announce(fin|text, 1000)+s[:at])
				c.say(t, s[at:at+1])
				c.wantClose(t, protocol.CloseNotUTF8)
			})
		}
	}
}

// wantSilence reads for a moment and expects nothing.
func wantSilence(t *testing.T, c *raw) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := c.r.Peek(1); err == nil {
		t.Fatalf("got a frame that begins with %x too early", b)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
}

// firstWrong returns the index of the first byte with which no valid text can
// begin as s does, -1 if there is none.
func firstWrong(s string) int {
	for i := range len(s) {
		if !beginsValid(s[:i+1]) {
			return i
		}
	}
	return -1
}

// beginsValid tries how s could go on.
func beginsValid(s string) bool {
	tails := []string{"", "\x80", "\xbf", "\x80\x80", "\xbf\xbf", "\x80\x80\x80", "\xbf\xbf\xbf", "\x90\x80\x80", "\xa0\x80"}
	return slices.ContainsFunc(tails, func(tail string) bool { return utf8.ValidString(s + tail) })
}
