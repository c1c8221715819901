package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/memory"
)

// mostEntries is how many entries memory list shows.
const mostEntries = 100

func (c *cli) memoryCommand() *cobra.Command {
	var limit int
	var yes bool
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
	forget := &cobra.Command{
		Use: "forget TEXT", Short: "Remove what the agent remembers from its files", Args: takes("TEXT..."),
		Long: "Remove one thing that the agent remembers from the file it stands in. TEXT is all of it, as list and search show it,\n" +
			"or its place there, such as MEMORY.md:7. What would be removed is shown before you are asked.",
		Example: "  openclaw memory forget MEMORY.md:7\n  openclaw memory forget \"my cat is called Miu\" --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.forget(cmd.Context(), strings.Join(args, " "), yes)
		},
	}
	forget.Flags().BoolVarP(&yes, "yes", "y", false, "remove without asking")
	return group("memory", "Look into the long-term memory", list, search, forget)
}

// withMemory opens the memory for do; it is files, so no gateway is needed.
func (c *cli) withMemory(do func(*config.Config, *memory.Store) error) (err error) {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	if c.flags.verbose {
		logger = slog.New(slog.NewTextHandler(c.stderr, nil))
	}
	var m memories
	store, err := m.open(cfg, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	return do(cfg, store)
}

// recall prints memories.
func (c *cli) recall(ctx context.Context, query string, limit int) error {
	return c.withMemory(func(cfg *config.Config, store *memory.Store) error {
		if query != "" {
			if err := fillNow(ctx, store); err != nil {
				return err
			}
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
			return c.printJSON(map[string]any{"entries": memoryEntries(entries), "total": total})
		}
		if len(entries) == 0 {
			c.remark("nothing is remembered%s", map[bool]string{true: " about that"}[query != "" && total > 0])
			return nil
		}
		if err := c.printMemories(entries); err != nil {
			return err
		}
		if query == "" && total > len(entries) {
			c.remark("%d of %d; the files are in %s", len(entries), total, cfg.Memory.Path)
		}
		return nil
	})
}

// fillNow makes the vectors that are missing, as far as there is time: a gateway
// makes the others.
func fillNow(ctx context.Context, store *memory.Store) error {
	some, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := store.Fill(some); some.Err() == nil || ctx.Err() != nil {
		return err
	}
	return nil
}

func (c *cli) printMemories(entries []memory.Entry) error {
	t := newTable(c.stdout)
	for _, e := range entries {
		t.row(e.Date, cut(oneLine(e.Text), 200), place(e))
	}
	return t.flush()
}

// place is where an entry stands.
func place(e memory.Entry) string { return oneLine(e.File) + ":" + strconv.Itoa(e.Line) }

// memoryEntry is an entry as --json prints it.
type memoryEntry struct {
	Text   string `json:"text"`
	Date   string `json:"date,omitzero"`
	Source string `json:"source,omitzero"`
	File   string `json:"file"`
	Line   int    `json:"line"`
}

func memoryEntries(entries []memory.Entry) []memoryEntry {
	list := make([]memoryEntry, len(entries))
	for i, e := range entries {
		list[i] = memoryEntry{e.Text, e.Date, e.Source, e.File, e.Line}
	}
	return list
}

// forget removes what says text, or stands at the place that text names.
func (c *cli) forget(ctx context.Context, text string, yes bool) error {
	return c.withMemory(func(_ *config.Config, store *memory.Store) error {
		found, err := c.meant(ctx, store, text)
		if err != nil {
			return err
		}
		if !yes {
			for _, e := range found {
				fmt.Fprintf(c.stderr, "%s  %s\n", place(e), clean(e.Text))
			}
			if !c.agreed("remove this from the memory?") {
				return &plainError{text: "nothing was removed; --yes removes without asking"}
			}
		}
		gone, err := store.Forget(ctx, found[0].Text)
		if err != nil {
			return err
		}
		if c.flags.json {
			return c.printJSON(map[string]any{"removed": memoryEntries(gone)})
		}
		for _, e := range gone {
			if err := c.say(nil, "removed: %s (%s)", clean(e.Text), place(e)); err != nil {
				return err
			}
		}
		return nil
	})
}

// meant returns the entries, all of the same text, that text stands for. There
// being none is an error that names what is nearest.
func (c *cli) meant(ctx context.Context, store *memory.Store, text string) ([]memory.Entry, error) {
	found, err := store.Saying(ctx, text)
	if err != nil || len(found) > 0 {
		return found, err
	}
	if file, number, ok := strings.Cut(text, ":"); ok {
		if line, err := strconv.Atoi(number); err == nil && line > 0 {
			e, err := store.At(ctx, file, line)
			if err != nil {
				return nil, err
			}
			return store.Saying(ctx, e.Text)
		}
	}
	near, err := store.Search(ctx, text, 3)
	if err != nil {
		return nil, err
	}
	if len(near) == 0 || strings.TrimSpace(text) == "" {
		return nil, &plainError{text: "nothing is remembered that says this; openclaw memory list shows what is"}
	}
	if !c.flags.json {
		for _, e := range near {
			fmt.Fprintf(c.stderr, "%s  %s\n", place(e), clean(cut(e.Text, 200)))
		}
	}
	return nil, &plainError{text: "nothing that is remembered says exactly this; name one by its whole text or its place, as " + place(near[0])}
}
