package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show what the gateway is doing", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := c.connect(cmd.Context(), fail, "")
			if err != nil {
				return err
			}
			defer l.close(c)
			m, err := l.ask(cmd.Context(), protocol.TypeStatus, protocol.Empty{})
			if err != nil {
				return err
			}
			if c.flags.json {
				return c.printJSON(m.Payload)
			}
			var s protocol.Status
			if err := m.Into(&s); err != nil {
				return connectionError(err)
			}
			return printStatus(c.stdout, l.address, s, time.Now())
		},
	}
}

// printStatus prints a status for people.
func printStatus(w io.Writer, address string, s protocol.Status, now time.Time) error {
	t := newTable(w)
	t.row("gateway", fmt.Sprintf("%s at %s, version %s, up %s", s.State, address, s.Version, span(time.Duration(s.UptimeSeconds)*time.Second)))
	t.row("model", s.Provider+"/"+s.Model)
	t.row("sessions", fmt.Sprintf("%d, %d running, %d waiting", s.Sessions, s.ActiveTurns, s.QueuedTurns))
	t.row("clients", fmt.Sprint(s.Connections))
	t.row("heartbeat", heartbeatText(s.Heartbeat, now))
	t.row("skills", fmt.Sprintf("%d loaded, %d skipped", s.Skills.Loaded, s.Skills.Skipped))
	t.row("tools", strings.Join(s.Tools, " "))
	if s.Sandbox != "" {
		t.row("sandbox", s.Sandbox)
	}
	t.row("memory", fmt.Sprintf("%d entries", s.Memory.Entries))
	t.row("today", fmt.Sprintf("%d tokens, $%.2f%s", s.UsageToday.Tokens, s.UsageToday.CostUSD, limitText(s.UsageToday.LimitUSD)))
	for _, model := range s.UsageToday.Unpriced {
		t.row("price", unpricedText(model))
	}
	names := sortedNames(s.Channels)
	for _, name := range names {
		t.row("channel", name+" "+s.Channels[name])
	}
	for _, problem := range s.Problems {
		t.row("problem", problem)
	}
	return t.flush()
}

func limitText(usd float64) string {
	if usd == 0 {
		return ""
	}
	return fmt.Sprintf(" of $%.2f", usd)
}

// heartbeatText says when the heartbeat ran and when it will.
func heartbeatText(h protocol.HeartbeatState, now time.Time) string {
	if !h.Enabled {
		return "off"
	}
	parts := []string{"every " + config.Duration(time.Duration(h.IntervalSeconds)*time.Second).String()}
	if h.LastRun != nil {
		result := ""
		if h.LastResult != nil {
			result = " " + *h.LastResult
		}
		parts = append(parts, "last"+result+" "+ago(*h.LastRun, now))
	}
	if h.NextRun != nil {
		parts = append(parts, "next "+ago(*h.NextRun, now))
	}
	return strings.Join(parts, ", ")
}

// ago says how far away a time of the protocol is.
func ago(at string, now time.Time) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return oneLine(at)
	}
	d := now.Sub(t).Round(time.Second)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

// span is a length of time in its largest unit that fits.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// table prints columns, whatever their cells contain.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) table { return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (t table) row(cells ...string) {
	cells = slices.Clone(cells)
	for i, cell := range cells {
		cells[i] = oneLine(cell)
	}
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t")) // flush reports it
}

func (t table) flush() error { return t.w.Flush() }
