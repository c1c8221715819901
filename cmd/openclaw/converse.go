package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// conversation is a chat at a terminal, message by message.
type conversation struct {
	cli     *cli
	flags   chatFlags
	extra   map[string]any // goes along with the first message
	link    *link
	lines   *lineReader
	signals <-chan os.Signal
	ask     *prompter
	stopped bool // a signal came at the prompt
}

// errLeave ends a conversation.
var errLeave = errors.New("leave")

// converse talks until the user leaves.
func (c *cli) converse(ctx context.Context, f chatFlags, extra map[string]any) (err error) {
	signals, stop := interrupts()
	defer stop()
	t := &conversation{cli: c, flags: f, extra: extra, signals: signals}
	if t.link, err = c.connect(ctx, f.whenNone(), "this conversation"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.link.close(c)) }()
	if t.lines, err = newLineReader(c.stdin, c.stdout); err != nil {
		return err
	}
	t.ask = &prompter{cli: c, lines: t.lines}
	if err := t.greet(ctx); err != nil {
		return err
	}
	for {
		line, err := t.read()
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(c.stdout) // the prompt's line
			return nil
		}
		if err == nil {
			err = t.handle(ctx, strings.TrimSpace(line))
		}
		switch {
		case errors.Is(err, errLeave):
			return nil
		case c.abandoned, t.stopped:
			return err
		}
		if err := t.tolerate(err); err != nil {
			return err
		}
	}
}

// read returns the next line, or fails with the signal that came meanwhile.
func (t *conversation) read() (string, error) {
	if t.ask.typed != nil { // a question that was resolved elsewhere
		if k, err := t.await(t.ask.typed); err != nil {
			return k.line, err
		}
		t.ask.typed = nil
	}
	done := make(chan typedLine, 1)
	// Nothing ends a read from a terminal but a key, so that after a signal
	// this goroutine is left to the end of the process.
	go func() {
		line, err := t.lines.read(t.prompt())
		done <- typedLine{line, err}
	}()
	k, err := t.await(done)
	return k.line, err
}

// await waits for a line that is being read.
func (t *conversation) await(done <-chan typedLine) (typedLine, error) {
	select {
	case k := <-done:
		return k, k.err
	case s := <-t.signals:
		t.stopped = true
		err := errors.Join(interrupted(s), t.lines.giveBack())
		fmt.Fprintln(t.cli.stdout) // the prompt's line
		return typedLine{}, err
	}
}

func (t *conversation) prompt() string {
	name := ""
	if t.flags.session != protocol.DefaultSession {
		name = t.flags.session + " "
	}
	return t.cli.styleOf(t.cli.stdout).bold(name + "› ")
}

// greet says whom the user talks to; a refusal comes now, not with the first
// message.
func (t *conversation) greet(ctx context.Context) error {
	status, err := client.Ask[protocol.Status](ctx, t.link.Client, protocol.TypeStatus, protocol.Empty{})
	if err != nil {
		return connectionError(err)
	}
	model := status.Provider + "/" + status.Model
	if status.Provider == offlineModel {
		model = "the offline model: say help to see what it understands"
	}
	t.cli.remark("OpenClaw %s · %s · /help lists commands, Ctrl-D leaves", status.Version, model)
	for _, problem := range status.Problems {
		t.cli.remark("attention: %s", problem)
	}
	return nil
}

// tolerate shows an error that need not end the conversation. A connection
// that has ended is made anew.
func (t *conversation) tolerate(err error) error {
	var done *failure
	switch code := openclaw.CodeOf(err); {
	case err == nil:
		return nil
	case errors.As(err, &done) && done.err == nil: // a cancelled turn
		return nil
	case code == openclaw.CodeAuthRequired, code == openclaw.CodeAuthInvalid:
		return err
	}
	for _, line := range errorLines(err) {
		fmt.Fprintln(t.cli.stderr, t.cli.styleOf(t.cli.stderr).red(line))
	}
	return nil
}

// handle carries out a line: a command, or a message to the agent.
func (t *conversation) handle(ctx context.Context, line string) error {
	if line == "" {
		return nil
	}
	name, argument, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(name, "/") || strings.Contains(name[1:], "/") {
		return t.say(ctx, line)
	}
	argument = strings.TrimSpace(argument)
	switch name {
	case "/exit", "/quit":
		return errLeave
	case "/help":
		t.help()
		return nil
	case "/session":
		return t.switchTo(argument)
	case "/model":
		t.flags.model = argument
		t.cli.remark("model: %s", cmp.Or(argument, "as configured"))
		return nil
	case "/reset":
		return t.change(ctx, protocol.TypeSessionReset, "the conversation starts anew")
	case "/cancel":
		return t.cancel(ctx)
	case "/compact": // the gateway carries it out
		return t.say(ctx, line)
	}
	return t.invoke(ctx, name, line)
}

// invoke sends a line that begins with the name of a skill, and refuses any
// other name: it is a slip more often than a message.
func (t *conversation) invoke(ctx context.Context, name, line string) error {
	if err := t.connected(ctx); err != nil {
		return err
	}
	list, err := client.Ask[protocol.Skills](ctx, t.link.Client, protocol.TypeSkillList, protocol.Empty{})
	if err != nil {
		return connectionError(err)
	}
	names := commandNames()
	for _, s := range list.Skills {
		if strings.EqualFold("/"+s.Name, strings.ReplaceAll(name, "_", "-")) {
			return t.say(ctx, line)
		}
		if s.Enabled {
			names = append(names, "/"+s.Name)
		}
	}
	return &plainError{text: "there is no command or skill " + name + didYouMean(nearest(name, names)) + "; /help lists the commands"}
}

func commandNames() []string {
	return []string{"/exit", "/quit", "/help", "/session", "/model", "/compact", "/reset", "/cancel"}
}

func (t *conversation) help() {
	t.cli.remark("/session NAME  talk in another conversation")
	t.cli.remark("/model NAME    let another model answer; without a name the configured one")
	t.cli.remark("/compact FOCUS sum up this conversation so far, to make room; FOCUS is what to keep above all")
	t.cli.remark("/reset         forget this conversation so far")
	t.cli.remark("/cancel        stop what runs in this conversation; Ctrl-C stops your own answer")
	t.cli.remark("/SKILL ...     run a skill; openclaw skill list shows them")
	t.cli.remark("/exit          leave, like /quit and Ctrl-D")
}

func (t *conversation) switchTo(name string) error {
	if !protocol.ValidSession(name) {
		return &plainError{text: "/session needs a name: 1 to 128 letters, digits and ._:@/-"}
	}
	t.flags.session = name
	return nil
}

// connected makes the connection anew if it has ended.
func (t *conversation) connected(ctx context.Context) error {
	select {
	case <-t.link.Done():
	default:
		return nil
	}
	fresh, err := t.cli.connect(ctx, t.flags.whenNone(), "this conversation")
	if err != nil {
		return err
	}
	old := t.link
	t.link = fresh
	return old.close(t.cli)
}

func (t *conversation) change(ctx context.Context, kind protocol.Type, said string) error {
	if err := t.connected(ctx); err != nil {
		return err
	}
	_, err := t.link.ask(ctx, kind, protocol.SessionRef{Session: t.flags.session})
	if err == nil || openclaw.CodeOf(err) == openclaw.CodeSessionNotFound { // it has not begun yet
		t.cli.remark("%s", said)
		return nil
	}
	return err
}

func (t *conversation) cancel(ctx context.Context) error {
	if err := t.connected(ctx); err != nil {
		return err
	}
	n, err := t.link.Cancel(ctx, t.flags.session)
	switch {
	case err != nil:
	case n == 0:
		t.cli.remark("nothing was running")
	default:
		t.cli.remark("stopped: %d", n)
	}
	return connectionError(err)
}

// say sends a message and shows the answer.
func (t *conversation) say(ctx context.Context, text string) error {
	if err := t.connected(ctx); err != nil {
		return err
	}
	view := t.cli.newView(t.flags.format)
	options := t.flags.options(t.cli)
	options.Approvals, t.ask.link = true, t.link
	request := turn{
		kind: protocol.TypeChat, view: view, signals: t.signals, ask: t.ask,
		payload: protocol.Chat{Text: text, Context: t.flags.context(t.extra), Options: options},
	}
	reply, err := request.run(ctx, t.cli, t.link)
	if err != nil {
		return err
	}
	var response protocol.Response
	if err := reply.Into(&response); err != nil {
		return connectionError(err)
	}
	t.extra = nil
	view.finish(response.Text)
	t.cli.footer(response)
	return nil
}
