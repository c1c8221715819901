package main

import (
	"context"
	"fmt"
	"os"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// prompter asks questions at a terminal, one after the other.
type prompter struct {
	cli     *cli
	link    *link
	lines   *lineReader
	signals <-chan os.Signal // nil: somebody else looks after them

	waiting []protocol.Event // the first is the one that is asked
	typed   chan typedLine   // of the read under way; nil: there is none
	asked   string           // the approval whose question stands there
}

type typedLine struct {
	line string
	err  error
}

const decisionPrompt = "allow it? y(es), s(ession), a(lways), n(o) › "

// attend asks what comes until the user leaves or the connection ends.
func (p *prompter) attend(ctx context.Context, seen *progress) error {
	for {
		p.prompt()
		select {
		case <-seen.changed:
			for _, m := range seen.take() {
				p.message(m)
			}
		case k := <-p.typed:
			if k.err != nil {
				fmt.Fprintln(p.cli.stdout) // the prompt's line
				return k.err
			}
			if err := p.answer(ctx, k.line); err != nil {
				return err
			}
		case s := <-p.signals:
			_ = p.lines.giveBack()
			fmt.Fprintln(p.cli.stdout)
			return interrupted(s)
		case <-p.link.Done():
			_ = p.lines.giveBack()
			return &plainError{text: "the gateway has ended the connection"}
		}
	}
}

// message takes an event: a new question, or one that is resolved.
func (p *prompter) message(m protocol.Message) {
	var ev protocol.Event
	if m.Type != protocol.TypeEvent || m.Into(&ev) != nil {
		return
	}
	switch ev.Kind {
	case openclaw.KindApprovalRequested:
		p.waiting = append(p.waiting, ev)
	case openclaw.KindApprovalResolved:
		if p.asked == ev.ApprovalID && p.typed != nil {
			fmt.Fprintf(p.cli.stderr, "\r\n%s by %s; Enter goes on\r\n", oneLine(ev.Decision), oneLine(ev.By))
		}
		p.waiting = without(p.waiting, ev.ApprovalID)
	}
}

// prompt shows the next question, unless a line is being typed already.
func (p *prompter) prompt() {
	if p.typed != nil {
		return
	}
	for len(p.waiting) > 0 && expired(p.waiting[0], time.Now()) {
		p.waiting = p.waiting[1:]
	}
	if len(p.waiting) == 0 {
		return
	}
	q := p.waiting[0]
	for _, line := range questionLines(q) {
		fmt.Fprintln(p.cli.stderr, line)
	}
	p.asked, p.typed = q.ApprovalID, make(chan typedLine, 1)
	typed := p.typed
	// Nothing ends a read from a terminal but a key: when the question is
	// resolved elsewhere, the line that comes then counts for nothing.
	go func() {
		line, err := p.lines.read(decisionPrompt)
		typed <- typedLine{line, err}
	}()
}

// answer sends what was typed, if it answers the question that stands there.
func (p *prompter) answer(ctx context.Context, line string) error {
	p.typed = nil
	if len(p.waiting) == 0 || p.waiting[0].ApprovalID != p.asked {
		return nil
	}
	decision := decisionOf(line)
	if decision == "" {
		return nil // asked again
	}
	id := p.asked
	p.waiting = without(p.waiting, id)
	_, err := p.link.ask(ctx, protocol.TypeApprove, protocol.Approve{ApprovalID: id, Decision: decision})
	if openclaw.CodeOf(err) == openclaw.CodeNotFound {
		p.cli.remark("it was resolved already")
		return nil
	}
	return err
}
