package agent

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/fence"
)

// summaryLabel begins the message that stands for what was left out.
const summaryLabel = "Summary of the conversation so far"

// from returns the index of the first message of a turn or a step that begins
// with the event seq or a later one.
func (t *Transcript) from(seq int64) int {
	for i, o := range t.origins {
		if seq > 0 && o.seq >= seq && o.begins != beginsNothing {
			return i
		}
	}
	return len(t.messages)
}

// shorten leaves out the first n messages and puts the summary, if there is
// one, in their place. Results in the messages that stay are cut to limit
// bytes; 0: they are not.
func (t *Transcript) shorten(n int, summary string, limit int) {
	kept, origins := t.messages[n:], t.origins[n:]
	t.messages, t.origins = nil, nil
	if summary != "" {
		t.push(openclaw.Text(openclaw.RoleUser, fence.Wrap(summaryLabel, summary)), 0, beginsNothing)
	}
	if n <= t.said && t.step != 0 {
		t.said += len(t.messages) - n
	} else {
		t.step, t.unheard = 0, nil
	}
	for _, m := range kept {
		t.messages = append(t.messages, limited(m, limit))
	}
	t.origins = append(t.origins, origins...)
	t.counted, t.covered = 0, 0
}

// limited returns m with its tool results cut to so many bytes.
func limited(m openclaw.Message, limit int) openclaw.Message {
	if limit <= 0 || m.Role != openclaw.RoleTool {
		return m
	}
	parts := make([]openclaw.Part, len(m.Parts))
	for i, p := range m.Parts {
		if r := p.Result; r != nil {
			short := *r
			short.Output = clip(r.Output, limit)
			p.Result = &short
		}
		parts[i] = p
	}
	return openclaw.Message{Role: m.Role, Parts: parts}
}

// clipNote is the most bytes that the note of a cut needs. A text that is
// longer than the limit by less is not worth a cut.
const clipNote = 64

// clip returns the beginning and the end of a text, limit bytes of it in all,
// with a note of what is missing between them.
func clip(text string, limit int) string {
	if len(text) <= limit+clipNote {
		return text
	}
	head, tail := limit*2/3, len(text)-limit/3
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + fmt.Sprintf("\n[… %d bytes left out here …]\n", tail-head) + text[tail:]
}

// minResult is the least that is kept of a tool result, in bytes, and maxResult
// the first limit that is tried.
const (
	minResult = 1 << 10
	maxResult = 64 << 10
)

// cut returns the index before which the conversation is cut so that the rest
// has at most keep tokens, and the limit on its results that this takes; 0: it
// takes none. 0 for both: there is nothing to cut.
func (t *Transcript) cut(keep int) (n, limit int) {
	n = t.cutAt(keep)
	if size, _ := t.limitedFrom(n, 0); size <= keep {
		return n, 0
	}
	for limit = maxResult; ; limit /= 2 {
		size, shorter := t.limitedFrom(n, limit)
		switch {
		case size > keep && limit > minResult:
		case !shorter:
			return n, 0
		default:
			return n, limit
		}
	}
}

// cutAt returns the first beginning of a turn whose rest has at most keep
// tokens; else that of a step; else the last one there is; 0: there is none.
func (t *Transcript) cutAt(keep int) int {
	oldest := 0 // a summary by itself is not worth a cut
	if len(t.origins) > 0 && t.origins[0].begins == beginsNothing {
		oldest = 1
	}
	turn, step, last := 0, 0, 0
	size := 0
	for i := len(t.messages) - 1; i > oldest && (size <= keep || last == 0); i-- {
		size += estimateMessage(t.messages[i])
		if t.origins[i].begins == beginsNothing || t.origins[i].seq <= 0 {
			continue
		}
		if last == 0 {
			last = i
		}
		if size > keep {
			break
		}
		step = i
		if t.origins[i].begins == beginsTurn {
			turn = i
		}
	}
	return cmp.Or(turn, step, last)
}

// limitedFrom is how many tokens the messages from n on have with results of
// at most limit bytes, and whether that makes one of them shorter.
func (t *Transcript) limitedFrom(n, limit int) (size int, shorter bool) {
	for _, m := range t.messages[n:] {
		short := limited(m, limit)
		size += estimateMessage(short)
		for i, p := range m.Parts {
			shorter = shorter || p.Result != nil && len(p.Result.Output) > len(short.Parts[i].Result.Output)
		}
	}
	return size, shorter
}

// request returns the words of the turn that the message n belongs to, if the
// turn begins before it; "" if n is the beginning of a turn.
func (t *Transcript) request(n int) string {
	if n >= len(t.origins) || t.origins[n].begins == beginsTurn {
		return ""
	}
	for i := n - 1; i >= 0; i-- {
		switch {
		case t.origins[i].begins == beginsTurn:
			return t.messages[i].Parts[0].Text
		case i == 0:
			_, request, _ := strings.Cut(t.summary(), requestHead)
			return request
		}
	}
	return ""
}

// requestHead begins the part of a summary that repeats the request being
// worked on.
const requestHead = "## The request being worked on, word for word\n"

// summary returns the summary that the conversation begins with; "" if it does
// not.
func (t *Transcript) summary() string {
	if len(t.origins) == 0 || t.origins[0].begins != beginsNothing {
		return ""
	}
	_, text, _ := fence.Unwrap(t.messages[0].Parts[0].Text)
	return text
}
