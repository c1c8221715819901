package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

func (c *cli) statsCommand() *cobra.Command {
	var noStart bool
	var days int
	show := func(print func(protocol.Usage) error) func(ctx context.Context, l *link, args []string) error {
		return func(ctx context.Context, l *link, _ []string) error {
			u, err := client.Ask[protocol.Usage](ctx, l.Client, protocol.TypeUsage, protocol.UsageRequest{Days: days})
			if err != nil {
				return connectionError(err)
			}
			if c.flags.json {
				return c.printJSON(u)
			}
			return print(u)
		}
	}
	tokens := show(c.printUsage)
	cmd := c.linkCommand("stats", "Show what models used and cost", takes(), &noStart, tokens)
	cmd.Long = "Show what models used and cost, by day, session and model, and how far the budget is used up.\n" +
		"Days are those of UTC."
	cmd.Args = knownSubcommand
	cmd.AddCommand(
		c.linkCommand("tokens", "The same: tokens and cost of everything", takes(), &noStart, tokens),
		c.linkCommand("heartbeat", "What heartbeats used", takes(), &noStart, show(c.printHeartbeatUsage)),
	)
	cmd.PersistentFlags().BoolVar(&noStart, "no-start", false, "fail when no gateway is running")
	cmd.PersistentFlags().IntVar(&days, "days", 30, "how many days to look back, today included")
	return cmd
}

func (c *cli) printUsage(u protocol.Usage) error {
	t := newTable(c.stdout)
	usageRows(t, "DAY", u.Days, func(e protocol.UsageEntry) string { return e.Day })
	if len(u.Days) > 0 {
		t.row(append([]string{"total"}, usageCells(u.Total)...)...)
		t.row("")
		usageRows(t, "SESSION", u.Sessions, func(e protocol.UsageEntry) string { return cmp.Or(e.Session, "(none)") })
		t.row("")
		usageRows(t, "MODEL", u.Models, func(e protocol.UsageEntry) string { return cmp.Or(e.Model, "(not known)") })
		t.row("")
	}
	for _, line := range budgetLines(u) {
		t.row(line)
	}
	return t.flush()
}

func (c *cli) printHeartbeatUsage(u protocol.Usage) error {
	t := newTable(c.stdout)
	usageRows(t, "DAY", u.Heartbeats, func(e protocol.UsageEntry) string { return e.Day })
	if limit := u.Limits.HeartbeatDailyTokens; limit > 0 {
		t.row(fmt.Sprintf("heartbeats may use %d tokens a day", limit))
	}
	return t.flush()
}

func usageRows(t table, head string, entries []protocol.UsageEntry, name func(protocol.UsageEntry) string) {
	if len(entries) == 0 {
		t.row("nothing was used")
		return
	}
	t.row(head, "CALLS", "INPUT", "CACHED", "OUTPUT", "COST")
	for _, e := range entries {
		t.row(append([]string{name(e)}, usageCells(e)...)...)
	}
}

func usageCells(e protocol.UsageEntry) []string {
	cost := fmt.Sprintf("$%.4f", e.Usage.CostUSD)
	if e.Unpriced > 0 {
		cost += fmt.Sprintf(" and %d tokens of no known price", e.Unpriced)
	}
	return []string{strconv.Itoa(e.Calls), strconv.Itoa(e.Usage.Input), strconv.Itoa(e.Usage.CacheRead), strconv.Itoa(e.Usage.Output), cost}
}

// budgetLines say how far the budget is used up, and what it cannot see.
func budgetLines(u protocol.Usage) (lines []string) {
	lines = append(lines,
		fmt.Sprintf("today $%.4f%s, %d tokens%s", u.Today.CostUSD, limitText(u.Limits.DailyUSD), u.Today.Tokens, limitTokens(u.Limits.DailyTokens)),
		fmt.Sprintf("this month $%.4f%s", u.MonthUSD, limitText(u.Limits.MonthlyUSD)))
	for _, model := range u.Today.Unpriced {
		lines = append(lines, unpricedText(model))
	}
	return lines
}

// unpricedText says of a model that its cost is not known.
func unpricedText(model string) string {
	return "the price of " + oneLine(model) + " is not known, so only its tokens count; set providers.<name>.models.<id>.cost"
}

func limitTokens(limit int) string {
	if limit == 0 {
		return ""
	}
	return fmt.Sprintf(" of %d", limit)
}
