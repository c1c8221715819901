package agent

import (
	"strings"
	"unicode/utf8"

	openclaw "github.com/openclaw/openclaw-go"
)

// An answer that broke off after some of its text was shown is continued: the
// model gets what it has written so far and is asked for the rest. What it
// writes then is joined to what was shown, so that the pieces anybody saw, put
// together, are always the text that the log gets.

// goOn asks for the rest of an answer that broke off.
const goOn = "[The connection broke off in the middle of your answer above. Go on exactly where it ends. " +
	"Repeat nothing, announce nothing, and call tools where you meant to: none has run since.]"

const (
	// overlap is how many bytes at the joint must be the same to count as
	// said twice: a word may be repeated for good reason.
	overlap = 16
	// window is how far back a repetition can begin in the middle.
	window = 1024
)

// splice joins the attempts of one model call.
type splice struct {
	shown string // by the attempts before
	held  string // of this attempt: it may repeat what was shown
	open  bool   // of this attempt: everything more is new
	cut   int    // of this attempt: bytes that were dropped
	fresh strings.Builder
}

// begin starts another attempt.
func (s *splice) begin() {
	s.shown += s.fresh.String()
	s.fresh.Reset()
	s.held, s.cut = "", 0
	s.open = s.shown == ""
}

// request adds to req what was shown already.
func (s *splice) request(req *openclaw.Request) {
	if strings.TrimSpace(s.shown) == "" {
		return
	}
	messages := req.Messages
	req.Messages = append(messages[:len(messages):len(messages)],
		openclaw.Text(openclaw.RoleAssistant, s.shown), openclaw.Text(openclaw.RoleUser, goOn))
}

// write takes a delta and returns what of it is new; "" while that cannot be
// told.
func (s *splice) write(delta string) string {
	if s.open {
		s.fresh.WriteString(delta)
		return delta
	}
	s.held += delta
	if s.mayRepeat() {
		return ""
	}
	return s.release()
}

// mayRepeat says whether what is held so far can be the beginning of a
// repetition: from the start of what was shown, or from somewhere near its
// end.
func (s *splice) mayRepeat() bool {
	if len(s.held) < len(s.shown) && strings.HasPrefix(s.shown, s.held) {
		return true
	}
	return len(s.held) < window && strings.Contains(s.tail(), s.held)
}

func (s *splice) tail() string { return s.shown[max(0, len(s.shown)-window):] }

// release lets go of what is held, without what repeats.
func (s *splice) release() string {
	s.cut = s.repeated()
	text := s.held[s.cut:]
	s.held, s.open = "", true
	s.fresh.WriteString(text)
	return text
}

// repeated returns how many bytes at the beginning of held were shown before.
func (s *splice) repeated() int {
	if strings.HasPrefix(s.held, s.shown) {
		return len(s.shown) // it began anew
	}
	for n := min(len(s.held), len(s.shown)); n >= overlap; n-- {
		if strings.HasSuffix(s.shown, s.held[:n]) {
			return n // it took up a few words again
		}
	}
	same := 0
	for same < min(len(s.held), len(s.shown)) && s.held[same] == s.shown[same] {
		same++
	}
	if same < overlap {
		return 0
	}
	// It began anew and went another way: what was shown stays, and what
	// differs is added, from the word on in which the two part.
	return wordStart(s.held, same)
}

// longestWord bounds how far back a word can begin, in bytes.
const longestWord = 40

// wordStart returns where the word around text[at] begins, its space included;
// in a script without spaces that is the character. At the end of text nothing
// begins.
func wordStart(text string, at int) int {
	if at == len(text) {
		return at
	}
	if n := strings.LastIndexAny(text[:at], " \n\t"); n >= 0 && at-n <= longestWord {
		return n
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// parts returns the parts of the attempt that succeeded so that their texts
// are what was shown by all attempts together.
func (s *splice) parts(parts []openclaw.Part) []openclaw.Part {
	if s.shown == "" {
		return parts
	}
	var joined []openclaw.Part
	lead, drop := s.shown, s.cut
	for _, p := range parts {
		switch p.Kind {
		case openclaw.PartText:
			n := min(drop, len(p.Text))
			p.Text, drop, lead = lead+p.Text[n:], drop-n, ""
		case openclaw.PartToolCall:
			if lead != "" {
				joined = append(joined, openclaw.Part{Kind: openclaw.PartText, Text: lead})
				lead = ""
			}
		}
		joined = append(joined, p)
	}
	if lead != "" {
		joined = append(joined, openclaw.Part{Kind: openclaw.PartText, Text: lead})
	}
	return joined
}

// finish is for an attempt that has ended well: it returns the text that was
// held to the end.
func (s *splice) finish() string {
	if s.open {
		return ""
	}
	return s.release()
}
