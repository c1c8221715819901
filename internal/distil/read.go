package distil

import (
	"context"
	"strings"
	"time"
	"unicode"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// The bounds of what is read at once; the rest of a conversation comes after.
const (
	pageSize     = 256
	pageBytes    = 4 << 20
	maxStatement = 2000 // bytes
	maxSaid      = 24 << 10
)

// statement is a message of a person.
type statement struct {
	text, user, channel string
	time                time.Time
}

// who is its sender, as far as is known.
func (s statement) who() string {
	who := s.user
	if who == "" {
		who = "the owner"
	}
	if s.channel != "" {
		who += " on " + s.channel
	}
	return who
}

// read returns what people said in the turns that have ended since the
// conversation was read last, and the seq up to which that goes; 0: nothing has
// ended.
func (d *Distiller) read(ctx context.Context, u openclaw.Unread, secret func(string) bool) (said []statement, upTo int64, err error) {
	size := 0
	var open []statement // of the turn that has not ended yet
	for after := u.After; ; {
		page, err := d.config.Store.Events(ctx, u.Session, openclaw.EventRange{After: after, Limit: pageSize, Bytes: pageBytes})
		if err != nil {
			return nil, 0, err
		}
		for _, ev := range page {
			after = ev.Seq
			if b, ok := ev.Body.(openclaw.TurnStarted); ok {
				open = nil
				if s := statementOf(ev, b); s.text != "" && !secret(s.text) {
					open = []statement{s}
				}
			}
			if !ev.Kind().Ends() {
				continue
			}
			for _, s := range open {
				size += len(s.text)
				said = append(said, s)
			}
			open, upTo = nil, ev.Seq
			if size > maxSaid {
				return said, upTo, nil
			}
		}
		if len(page) == 0 {
			if upTo > 0 && open == nil {
				upTo = max(upTo, after) // what stands between turns says nothing
			}
			return said, upTo, nil
		}
	}
}

// statementOf returns what a person said to begin a turn. What the clock, a
// skill, a sub-task or a turn for itself began is nobody's word.
func statementOf(ev openclaw.Event, b openclaw.TurnStarted) statement {
	if b.Source != openclaw.SourceClient || b.Options.NoMemory || b.Options.Fresh {
		return statement{}
	}
	if _, compacts := agent.AsksToCompact(b.Text); compacts {
		return statement{}
	}
	text := strings.TrimSpace(strings.ToValidUTF8(b.Text[:min(len(b.Text), maxStatement)], ""))
	return statement{text, b.User, b.Channel, ev.Time}
}

// worthwhile says whether any statement is long enough to state something. A
// question alone states nothing, and a model call costs.
func worthwhile(said []statement) bool {
	for _, s := range said {
		question := strings.HasSuffix(s.text, "?") || strings.HasSuffix(s.text, "？")
		if question && !strings.ContainsAny(s.text[:len(s.text)-1], ".!\n。！") {
			continue
		}
		words, wide := len(strings.Fields(s.text)), 0
		for _, r := range s.text {
			if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
				wide++
			}
		}
		if words >= 3 || wide >= 6 {
			return true
		}
	}
	return false
}
