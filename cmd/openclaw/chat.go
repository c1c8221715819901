package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/protocol"
)

// The forms an answer can have.
const (
	formatMarkdown = "markdown"
	formatPlain    = "plain"
	formatJSON     = "json"
)

// The most that is sent along with a message, in bytes.
const (
	maxContextFile = 512 << 10
	maxStdin       = 512 << 10
)

// chatFlags are what the user wishes of a chat.
type chatFlags struct {
	model, session, contextFile, format string
	noMemory, noStart                   bool
}

func (c *cli) chatCommand() *cobra.Command {
	var f chatFlags
	cmd := &cobra.Command{
		Use:   "chat [message]",
		Short: "Talk to the agent; without a message, as long as you like",
		Long: "Talk to the agent. Standard input is appended to the message: git diff | openclaw chat \"review this\"\n\n" +
			"Without a message it is a conversation: /help lists its commands, Ctrl-C cancels an answer, Ctrl-D leaves.\n" +
			"When no gateway is running, chat serves one itself for as long as it lasts.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.chat(cmd, strings.Join(args, " "), f)
		},
	}
	flags := cmd.Flags()
	f.addTo(cmd)
	flags.StringVar(&f.contextFile, "context", "", "`file` to show to the model along with the message")
	flags.StringVar(&f.format, "format", "", "markdown, plain or json (default markdown on a terminal, plain elsewhere)")
	return cmd
}

// addTo adds the flags of every command that runs a turn.
func (f *chatFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.model, "model", "m", "", "`model` for this answer, as name or provider/name")
	flags.StringVarP(&f.session, "session", "s", protocol.DefaultSession, "conversation to go on with")
	flags.BoolVar(&f.noMemory, "no-memory", false, "neither read nor leave anything: no memory, no conversation")
	flags.BoolVar(&f.noStart, "no-start", false, "fail when no gateway is running")
}

// whenNone says what to do when no gateway is running.
func (f *chatFlags) whenNone() whenNone {
	if f.noStart {
		return fail
	}
	return serve
}

func (c *cli) chat(cmd *cobra.Command, message string, f chatFlags) error {
	if err := c.setFormat(cmd, &f); err != nil {
		return err
	}
	extra, err := readContext(f.contextFile)
	if err != nil {
		return err
	}
	if message == "" && isTerminal(c.stdin) {
		if f.format == formatJSON {
			return wrongUsage(cmd, "--format json needs a message")
		}
		return c.converse(cmd.Context(), f, extra)
	}
	if message, err = c.withStdin(message); err != nil {
		return err
	}
	if strings.TrimSpace(message) == "" {
		return wrongUsage(cmd, "there is nothing to say: give a message, or pipe one in")
	}
	return c.oneTurn(cmd.Context(), f, "this chat", protocol.TypeChat, protocol.Chat{
		Text: message, Context: f.context(extra), Options: f.options(c),
	})
}

// setFormat checks --format and completes it.
func (c *cli) setFormat(cmd *cobra.Command, f *chatFlags) error {
	switch {
	case !protocol.ValidSession(f.session):
		return wrongUsage(cmd, "--session takes 1 to 128 letters, digits and ._:@/-")
	case c.flags.json && f.format != "" && f.format != formatJSON:
		return wrongUsage(cmd, "--json and --format %s contradict each other", oneLine(f.format))
	case c.flags.json:
		f.format = formatJSON
	case f.format == "" && isTerminal(c.stdout):
		f.format = formatMarkdown
	case f.format == "":
		f.format = formatPlain
	}
	switch f.format {
	case formatMarkdown, formatPlain:
	case formatJSON:
		c.flags.json = true
	default:
		return wrongUsage(cmd, "--format is markdown, plain or json, not %q", f.format)
	}
	return nil
}

// oneTurn runs one turn and prints its answer.
func (c *cli) oneTurn(ctx context.Context, f chatFlags, purpose string, kind protocol.Type, payload any) (err error) {
	signals, stop := interrupts()
	defer stop()
	l, err := c.connect(ctx, f.whenNone(), purpose)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close(c)) }()
	view := c.newView(f.format)
	t := turn{kind: kind, payload: payload, view: view, signals: signals}
	if f.canAsk(c) {
		t.ask = &prompter{cli: c, link: l}
		if t.ask.lines, err = newLineReader(c.stdin, c.stderr); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.ask.lines.giveBack()) }()
	}
	reply, err := t.run(ctx, c, l)
	if err != nil {
		return err
	}
	if f.format == formatJSON {
		return c.printJSON(reply.Payload)
	}
	var response protocol.Response
	if err := reply.Into(&response); err != nil {
		return connectionError(err)
	}
	view.finish(response.Text)
	c.footer(response)
	return nil
}

// footer says what became of the message that the answer does not show and,
// with --verbose, what it took.
func (c *cli) footer(r protocol.Response) {
	if r.Hint != "" {
		c.remark("%s", r.Hint)
	}
	if c.flags.verbose {
		c.remark("%s · %d tokens · %.1f s", r.Model, r.TokensUsed, float64(r.DurationMS)/1000)
	}
}

// options are the wishes for a turn, as the protocol has them.
func (f *chatFlags) options(c *cli) protocol.Options {
	o := protocol.Options{Model: f.model, Stream: isTerminal(c.stdout) && f.format != formatJSON, Approvals: f.canAsk(c)}
	if f.noMemory {
		o.NoMemory = &f.noMemory
	}
	return o
}

// canAsk says whether a person is there who can answer what the agent asks.
func (f *chatFlags) canAsk(c *cli) bool {
	return isTerminal(c.stdin) && isTerminal(c.stderr) && f.format != formatJSON
}

// context is the context of a turn, with what the model is shown beside the
// message.
func (f *chatFlags) context(extra map[string]any) jsontext.Value {
	members := map[string]any{"session": f.session, "channel": "cli"}
	for name, value := range extra {
		members[name] = value
	}
	// Maps of texts always have a JSON form.
	data, _ := json.Marshal(members, json.Deterministic(true))
	return data
}

// readContext returns the file of --context as the model is shown it.
func readContext(name string) (map[string]any, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file of --context: %w", err)
	}
	defer f.Close()
	text, err := readBounded(f, maxContextFile, "the file of --context")
	if err != nil {
		return nil, err
	}
	return map[string]any{"file": map[string]string{"name": filepath.Base(name), "text": text}}, nil
}

// withStdin appends standard input to the message, unless a person would have
// to type it.
func (c *cli) withStdin(message string) (string, error) {
	if isTerminal(c.stdin) {
		return message, nil
	}
	text, err := readBounded(c.stdin, maxStdin, "standard input")
	if err != nil {
		return "", err
	}
	text = strings.TrimRight(text, "\n")
	if message == "" || strings.TrimSpace(text) == "" {
		return message + text, nil
	}
	return message + "\n\n" + text, nil
}

// readBounded reads a text of at most limit bytes.
func readBounded(r io.Reader, limit int64, what string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read %s: %w", what, err)
	case int64(len(data)) > limit:
		return "", fmt.Errorf("%s is larger than %d KiB; send a part of it, or name the file in the message and let the agent read it", what, limit>>10)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%s is no UTF-8 text; convert it first", what)
	}
	return string(data), nil
}
