package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/memory"
)

// mostEntries is how many entries memory list shows.
const mostEntries = 100

func (c *cli) memoryCommand() *cobra.Command {
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "Show what the agent remembers, the newest first", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.recall(cmd.Context(), "", mostEntries) },
	}
	search := &cobra.Command{
		Use: "search WORDS", Short: "Search what the agent remembers, the best first", Args: takes("WORDS..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.recall(cmd.Context(), strings.Join(args, " "), limit)
		},
	}
	search.Flags().IntVar(&limit, "limit", 10, "how many to show, at most 100")
	return group("memory", "Look into the long-term memory", list, search)
}

// recall prints memories; they are files, so no gateway is needed.
func (c *cli) recall(ctx context.Context, query string, limit int) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	store, err := memory.New(memory.Options{Path: cfg.Memory.Path})
	if err != nil {
		return err
	}
	entries, err := store.Search(ctx, query, limit)
	if err != nil {
		return err
	}
	total, err := store.Count(ctx)
	if err != nil {
		return err
	}
	if c.flags.json {
		return c.printMemories(entries, total)
	}
	if len(entries) == 0 {
		c.remark("nothing is remembered%s", map[bool]string{true: " about that"}[query != "" && total > 0])
		return nil
	}
	t := newTable(c.stdout)
	for _, e := range entries {
		t.row(e.Date, cut(oneLine(e.Text), 200), e.File+":"+strconv.Itoa(e.Line))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if query == "" && total > len(entries) {
		c.remark("%d of %d; the files are in %s", len(entries), total, cfg.Memory.Path)
	}
	return nil
}

func (c *cli) printMemories(entries []memory.Entry, total int) error {
	type entry struct {
		Text string `json:"text"`
		Date string `json:"date,omitzero"`
		File string `json:"file"`
		Line int    `json:"line"`
	}
	list := make([]entry, len(entries))
	for i, e := range entries {
		list[i] = entry(e)
	}
	return c.printJSON(map[string]any{"entries": list, "total": total})
}
