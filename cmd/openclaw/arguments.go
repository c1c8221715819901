package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that nobody can carry out.
type usageError struct{ text, see string }

func (e *usageError) Error() string { return e.text + "; see " + e.see + " --help" }

func wrongUsage(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...), see: cmd.CommandPath()}
}

// knownSubcommand refuses arguments of a command that takes subcommands.
func knownSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return wrongUsage(cmd, "unknown command %q%s", args[0], didYouMean(nearest(args[0], names)))
}

// takes returns a check that there is an argument for each name; one in
// brackets may be missing, one with dots at its end may be repeated.
func takes(names ...string) cobra.PositionalArgs {
	least, most := 0, len(names)
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			least++
		}
		if strings.HasSuffix(name, "...") || strings.HasSuffix(name, "...]") {
			most = -1
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return wrongUsage(cmd, "%s needs %s", cmd.CommandPath(), names[len(args)])
		case most >= 0 && len(args) > most:
			return wrongUsage(cmd, "%s does not take %q", cmd.CommandPath(), args[most])
		}
		return nil
	}
}

// flagError says what is wrong with a flag, and which one may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return wrongUsage(cmd, "%s", err)
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return wrongUsage(cmd, "unknown flag -%s", unknown.GetSpecifiedName())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	near := nearest(unknown.GetSpecifiedName(), names)
	if near != "" {
		near = "--" + near
	}
	return wrongUsage(cmd, "unknown flag --%s%s", unknown.GetSpecifiedName(), didYouMean(near))
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", name)
}

// nearest returns the candidate that word may be a slip for, "" for none.
func nearest(word string, candidates []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, candidate := range candidates {
		d := distance(strings.ToLower(word), candidate)
		if len(word) > 2 && strings.HasPrefix(candidate, word) {
			d = 1
		}
		if d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
