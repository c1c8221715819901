package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// shownLines is how much of a tool's output is shown, in lines.
const shownLines = 8

// turnView shows a turn: the tools on one stream, the answer on another.
type turnView struct {
	answer, tools io.Writer
	live          bool // show the text as it is written
	together      bool // both streams are the same terminal
	quiet         bool // show no tools
	dim           style
	columns       int
	text          renderer

	calls    map[string]string // by call id, as they were shown
	lastCall string            // the id of the call shown last
	midLine  bool              // the answer's last line is not finished
	written  bool              // the model has written text since its last call
	acted    bool              // tools were shown since the last text
}

// newView returns a view on the command line's streams.
func (c *cli) newView(format string) *turnView {
	v := &turnView{
		answer: c.stdout, tools: c.stderr, live: isTerminal(c.stdout),
		together: isTerminal(c.stdout) && isTerminal(c.stderr),
		quiet:    c.flags.quiet || format == formatJSON,
		dim:      c.styleOf(c.stderr), columns: width(c.stderr),
		calls: map[string]string{},
	}
	if format == formatJSON {
		v.answer, v.live = io.Discard, false
	}
	v.text.markdown = format == formatMarkdown && c.styleOf(c.stdout).on
	return v
}

// message shows a message about the turn.
func (v *turnView) message(m protocol.Message) {
	switch m.Type {
	case protocol.TypeToolCall:
		var call protocol.ToolCall
		if m.Into(&call) == nil {
			v.call(call)
		}
	case protocol.TypeToolResult:
		var result protocol.ToolResult
		if m.Into(&result) == nil {
			v.result(result)
		}
	case protocol.TypeEvent:
		var ev protocol.Event
		if m.Into(&ev) == nil {
			v.event(ev)
		}
	}
}

func (v *turnView) event(ev protocol.Event) {
	switch {
	case ev.Kind == openclaw.KindModelSwitched:
		v.end()
		v.tool(switchLine(ev))
	case v.live && ev.Kind == openclaw.KindDelta:
		v.write(ev.Text)
	}
}

// switchLine says that another model goes on.
func switchLine(ev protocol.Event) string {
	return oneLine(fmt.Sprintf("%s answers in place of %s (%s)", ev.To, ev.From, ev.Reason))
}

// finish shows an answer, unless it was shown as it was written.
func (v *turnView) finish(text string) {
	if !v.written {
		v.write(text)
	}
	v.end()
}

// end finishes the line the answer is in.
func (v *turnView) end() {
	v.put(v.text.flush())
	if v.midLine {
		v.put("\n")
	}
}

func (v *turnView) write(text string) {
	if text == "" {
		return
	}
	if v.acted && v.together {
		fmt.Fprintln(v.tools)
	}
	v.acted, v.written = false, true
	v.put(v.text.write(text))
}

func (v *turnView) put(text string) {
	if text == "" {
		return
	}
	_, _ = io.WriteString(v.answer, text) // a reader that has gone is no reason to stop the turn
	v.midLine = !strings.HasSuffix(text, "\n")
}

func (v *turnView) call(call protocol.ToolCall) {
	v.end()
	v.written = false
	v.calls[call.CallID], v.lastCall = callLine(call.Tool, call.Args), call.CallID
	v.tool("→ " + v.calls[call.CallID])
}

func (v *turnView) result(result protocol.ToolResult) {
	v.end()
	if result.CallID != v.lastCall { // another one was shown in between
		v.tool("← " + cmp.Or(v.calls[result.CallID], oneLine(result.Tool)))
		v.lastCall = result.CallID
	}
	for _, line := range resultLines(result) {
		v.tool("  " + line)
	}
}

func (v *turnView) tool(line string) {
	if v.quiet {
		return
	}
	v.acted = true
	fmt.Fprintln(v.tools, v.dim.dim(cut(line, v.columns)))
}

// callLine returns a call in one line: the argument that matters most as it
// is, and the others by name.
func callLine(tool string, args []byte) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(args, &members) != nil {
		return oneLine(tool + " " + string(args))
	}
	line := []string{tool}
	for _, name := range []string{"command", "path", "pattern", "query", "url", "text", "name"} {
		var value string
		if raw, ok := members[name]; ok && json.Unmarshal(raw, &value) == nil {
			line = append(line, value)
			delete(members, name)
			break
		}
	}
	for _, name := range sortedNames(members) {
		line = append(line, name+"="+string(members[name]))
	}
	return oneLine(strings.Join(line, " "))
}

// resultLines returns the beginning of a tool's output, and how it ended when
// it did not end well.
func resultLines(r protocol.ToolResult) []string {
	lines := strings.Split(strings.TrimRight(clean(r.Output), "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "" })
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\t", "    ")
	}
	if more := len(lines) - shownLines; more > 1 {
		lines = append(lines[:shownLines:shownLines], fmt.Sprintf("… %d more lines", more))
	}
	if r.ExitCode != 0 {
		lines = append(lines, exitNote(r.ExitCode))
	}
	return lines
}

func exitNote(code int) string {
	switch {
	case code == openclaw.ExitTimeout:
		return "exit 124 (timed out)"
	case code == openclaw.ExitDenied:
		return "exit 126 (denied)"
	case code > openclaw.ExitSignal:
		return fmt.Sprintf("exit %d (signal %d)", code, code-openclaw.ExitSignal)
	}
	return fmt.Sprintf("exit %d", code)
}
