package distil

import (
	"context"
	_ "embed" // what the model is told
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/fence"
)

//go:embed rules.md
var rules string

// The bounds of what the model answers.
const (
	maxFacts   = 10
	maxFact    = 400 // bytes
	maxTokens  = 800
	maxKnown   = 20
	leastWords = 0.4 // of a fact must be in the message that says it
)

// requestHead is the first line of the request.
const requestHead = "# Facts"

// remember lets the model find facts in what was said, and saves those that
// are new. It returns how many these were.
func (d *Distiller) remember(ctx context.Context, means Means, session string, said []statement) (saved int, err error) {
	known, err := means.Memory.Find(ctx, texts(said), maxKnown)
	if err != nil {
		return 0, err
	}
	answer, err := d.ask(ctx, means, session, request(said, known))
	if err != nil {
		return 0, err
	}
	for _, p := range proposals(answer) {
		s, ok := sayer(said, p, means.Memory.Supported)
		if !ok {
			d.config.Logger.Debug("fact dropped: no message says it", "session", session, "fact", p.text)
			continue
		}
		old, err := isKnown(ctx, means.Memory, p.text)
		if err != nil {
			return saved, err
		}
		if old {
			continue
		}
		source := fmt.Sprintf("%s, session %s, %s, auto_save", s.who(), session, s.time.UTC().Format("2006-01-02 15:04 UTC"))
		fresh, err := means.Memory.Save(ctx, p.text, source)
		switch {
		case openclaw.CodeOf(err) == openclaw.CodeInvalidMessage: // a secret, or no fact
			d.config.Logger.Info("fact not saved", "session", session, "err", err)
		case err != nil:
			return saved, err
		case fresh:
			saved++
		}
	}
	return saved, nil
}

func texts(said []statement) string {
	var all strings.Builder
	for _, s := range said {
		all.WriteString(s.text + "\n")
	}
	return all.String()
}

// request is what the model reads.
func request(said []statement, known []string) string {
	var messages strings.Builder
	for i, s := range said {
		fmt.Fprintf(&messages, "[%d] %s, %s: %s\n", i+1, s.time.UTC().Format("2006-01-02"), s.who(), s.text)
	}
	text := requestHead + "\n\n" + fence.Wrap("Messages of the owner", messages.String())
	if len(known) > 0 {
		text += "\n\n" + fence.Wrap("Known already", "- "+strings.Join(known, "\n- "))
	}
	return text
}

// ask makes one model call, as a turn of no conversation, and writes down what
// it cost. It is given up when somebody's turn begins.
func (d *Distiller) ask(ctx context.Context, means Means, session, text string) (answer string, err error) {
	config := means.Models
	config.System, config.Tools, config.MaxTokens, config.Thinking = strings.TrimSpace(rules), nil, maxTokens, "off"
	config.Limits = agent.Limits{ModelCalls: 1}
	a, err := agent.New(config)
	if err != nil {
		return "", err
	}
	call, stop := context.WithTimeout(ctx, callTime)
	defer stop()
	call, yield := context.WithCancelCause(call)
	var watch sync.WaitGroup
	watch.Go(func() { d.giveWay(call, yield) })
	defer watch.Wait()
	defer yield(nil)

	started := openclaw.TurnStarted{Source: openclaw.SourceTask, Text: text}
	in := agent.Turn{Session: session, Started: started, Transcript: &agent.Transcript{}, Due: &[]openclaw.Charge{}}
	in.Transcript.Add(openclaw.Event{Seq: 1, Body: started})
	var charges []openclaw.Charge
	for ev, failed := range a.Run(call, in) {
		if failed != nil {
			err = failed
			break
		}
		charges = append(charges, openclaw.Charges(ev.Body)...)
		if b, ok := ev.Body.(openclaw.TurnCompleted); ok {
			answer = b.Text
		}
	}
	charges = append(charges, *in.Due...)
	if cause := context.Cause(call); err != nil && cause != nil {
		err = cause
	}
	return answer, errors.Join(err, d.config.Store.Charge(context.WithoutCancel(ctx), session, d.config.Now(), charges))
}

// giveWay ends a call when somebody's turn begins.
func (d *Distiller) giveWay(call context.Context, yield context.CancelCauseFunc) {
	tick := time.NewTicker(yieldWithin)
	defer tick.Stop()
	for {
		select {
		case <-call.Done():
			return
		case <-tick.C:
			if d.config.Busy() {
				yield(errYield)
				return
			}
		}
	}
}

// proposal is a fact as the model wrote it.
type proposal struct {
	text    string
	message int // that says it, from 1; 0: it does not say which
}

var proposalPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:[-*•]|\d{1,2}[.)])\s+(?:\[(\d{1,4})\]:?\s*)?(.+)$`)
})

// proposals reads the answer: the lines of its list.
func proposals(answer string) (list []proposal) {
	for line := range strings.Lines(answer) {
		m := proposalPattern().FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || len(list) == maxFacts {
			continue
		}
		n, _ := strconv.Atoi(m[1]) // 0 where there is none
		text := strings.TrimSpace(m[2])
		if len(text) > maxFact || strings.EqualFold(strings.Trim(text, ".* "), "none") {
			continue
		}
		list = append(list, proposal{text, n})
	}
	return list
}

// sayer returns the message that says a fact: the one that the model names, if
// it has enough of the fact's words, or the one that has the most.
func sayer(said []statement, p proposal, supported func(fact, text string) float64) (best statement, ok bool) {
	if n := p.message - 1; n >= 0 && n < len(said) && supported(p.text, said[n].text) >= leastWords {
		return said[n], true
	}
	most := 0.0
	for _, s := range said {
		if part := supported(p.text, s.text); part > most {
			most, best = part, s
		}
	}
	return best, most >= leastWords
}

// isKnown says whether a fact that is remembered has all words of this one.
func isKnown(ctx context.Context, m Memory, fact string) (bool, error) {
	near, err := m.Find(ctx, fact, 3)
	for _, n := range near {
		if m.Supported(fact, n) >= 1 {
			return true, err
		}
	}
	return false, err
}
