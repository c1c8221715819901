package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// page is a history, its events as the gateway wrote them.
type page struct {
	Events  []jsontext.Value `json:"events"`
	LastSeq int64            `json:"last_seq"`
}

// eachEvent calls do with the events of a session, oldest first. It reads a
// page at a time: events are numbered without a gap.
func eachEvent(ctx context.Context, l *link, name string, do func(jsontext.Value) error) error {
	newest, err := readPage(ctx, l, protocol.SessionHistory{Session: name, Limit: 1})
	if err != nil {
		return err
	}
	for from := int64(1); from <= newest.LastSeq; from += pageSize {
		before := min(from+pageSize, newest.LastSeq+1) // not what is added meanwhile
		p, err := readPage(ctx, l, protocol.SessionHistory{Session: name, BeforeSeq: before, Limit: int(before - from)})
		if err != nil {
			return err
		}
		for _, ev := range p.Events {
			if err := do(ev); err != nil {
				return err
			}
		}
	}
	return nil
}

func readPage(ctx context.Context, l *link, ask protocol.SessionHistory) (page, error) {
	p, err := client.Ask[page](ctx, l.Client, protocol.TypeSessionHistory, ask)
	return p, connectionError(err)
}

func (c *cli) exportSession(ctx context.Context, l *link, args []string) error {
	if c.flags.json {
		events := []jsontext.Value{}
		err := eachEvent(ctx, l, args[0], func(ev jsontext.Value) error {
			events = append(events, ev)
			return nil
		})
		if err != nil {
			return err
		}
		document, err := json.Marshal(map[string]any{"session": args[0], "events": events}, json.Deterministic(true))
		if err != nil {
			return err
		}
		return c.printJSON(jsontext.Value(document))
	}
	return eachEvent(ctx, l, args[0], func(ev jsontext.Value) error {
		_, err := fmt.Fprintln(c.stdout, escapeControls(string(ev)))
		return err
	})
}

func (c *cli) showSession(ctx context.Context, l *link, args []string) error {
	if c.flags.json {
		return c.exportSession(ctx, l, args)
	}
	t := transcript{w: c.stdout, style: c.styleOf(c.stdout), columns: width(c.stdout), zone: time.Local}
	return eachEvent(ctx, l, args[0], func(raw jsontext.Value) error {
		var ev protocol.Event
		if err := json.Unmarshal(raw, &ev); err != nil {
			return connectionError(err)
		}
		return t.event(ev)
	})
}

// transcript prints a conversation for reading.
type transcript struct {
	w       io.Writer
	style   style
	columns int
	zone    *time.Location
}

func (t transcript) event(ev protocol.Event) error {
	text := t.text(ev)
	if text == "" {
		return nil
	}
	_, err := io.WriteString(t.w, text)
	return err
}

// text returns an event as it is printed; "" for one that says nothing new.
func (t transcript) text(ev protocol.Event) string {
	switch ev.Kind {
	case openclaw.KindTurnStarted:
		who := "you"
		if ev.Source != openclaw.SourceClient {
			who = string(ev.Source)
		} else if ev.User != "" {
			who = ev.User
		}
		return t.said(who, ev)
	case openclaw.KindText:
		return t.said("openclaw", ev)
	case openclaw.KindToolCall:
		return t.aside("→ " + callLine(ev.Tool, ev.Args))
	case openclaw.KindToolResult:
		return t.aside(resultLines(protocol.ToolResult{Output: ev.Output, ExitCode: ev.ExitCode})...)
	case openclaw.KindApprovalRequested:
		return t.aside("approval asked for " + callLine(ev.Tool, ev.Args) + ": " + oneLine(ev.Reason))
	case openclaw.KindApprovalResolved:
		return t.aside("approval: " + oneLine(ev.Decision) + " by " + oneLine(ev.By))
	case openclaw.KindCompacted:
		if ev.Summary == "" {
			return t.aside("the conversation was started anew here")
		}
		return t.aside("what came before was summarised here")
	case openclaw.KindModelSwitched:
		return t.aside(switchLine(ev))
	case openclaw.KindTurnFailed:
		return t.aside("failed: " + oneLine(ev.Message) + " (" + string(ev.Code) + ")")
	case openclaw.KindTurnCancelled:
		return t.aside("cancelled by " + oneLine(ev.By))
	}
	return ""
}

func (t transcript) said(who string, ev protocol.Event) string {
	at := ev.Time
	if parsed, err := time.Parse(time.RFC3339, ev.Time); err == nil {
		at = parsed.In(t.zone).Format(time.DateTime)
	}
	return "\n" + t.style.bold(oneLine(who)) + t.style.dim("  "+oneLine(at)) + "\n" + strings.TrimRight(clean(ev.Text), "\n") + "\n"
}

func (t transcript) aside(lines ...string) string {
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(t.style.dim(cut("  "+line, t.columns)) + "\n")
	}
	return out.String()
}
