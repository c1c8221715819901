package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"
)

func (c *cli) logsCommand() *cobra.Command {
	var follow bool
	var filter string
	var lines int
	cmd := &cobra.Command{
		Use: "logs", Short: "Show the gateway's log", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return wrongUsage(cmd, "--lines must not be negative")
			}
			if follow && c.flags.json {
				return wrongUsage(cmd, "--follow never ends, so it does not go with --json")
			}
			cfg, broken := c.reach()
			if cfg == nil {
				return broken
			}
			if broken != nil {
				c.remark("the configuration cannot be used: %v", broken)
			}
			view := logView{c, strings.ToLower(filter)}
			path := filepath.Join(cfg.Logging.Path, logName)
			if err := view.last(path, lines); err != nil || !follow {
				return err
			}
			return view.follow(cmd.Context(), path)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&follow, "follow", "f", false, "go on with what is logged from now on")
	flags.StringVar(&filter, "filter", "", "only lines that contain this `text`, such as error or a session's name")
	flags.IntVarP(&lines, "lines", "n", 50, "how many of the last lines to show")
	return cmd
}

// logView prints lines of the log for people.
type logView struct {
	cli    *cli
	filter string // in lower case
}

// last prints the last n lines that pass the filter, of the current file.
func (v logView) last(path string, n int) error {
	const all = 1 << 30
	read := n
	if v.filter != "" {
		read = all
	}
	lines, err := tail(path, read)
	if errors.Is(err, fs.ErrNotExist) {
		v.cli.remark("there is no log yet; a gateway writes it to %s", path)
		lines, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the log: %w", err)
	}
	passed := []string{}
	for _, line := range lines {
		if v.passes(line) {
			passed = append(passed, line)
		}
	}
	passed = passed[max(0, len(passed)-n):]
	if v.cli.flags.json {
		return v.cli.printJSON(logDocument(passed))
	}
	for _, line := range passed {
		v.print(line)
	}
	return nil
}

func (v logView) passes(line string) bool {
	return strings.Contains(strings.ToLower(line), v.filter)
}

func (v logView) print(line string) { fmt.Fprintln(v.cli.stdout, readable(line)) }

// logDocument returns lines as one document; what is no JSON is a text.
func logDocument(lines []string) []any {
	document := make([]any, len(lines))
	for i, line := range lines {
		document[i] = line
		if json.Valid([]byte(line)) {
			document[i] = json.RawMessage(line)
		}
	}
	return document
}

// readable returns a line of the log as text: time, level, message, and the
// rest in the order it was logged.
func readable(line string) string {
	decoder := json.NewDecoder(strings.NewReader(line))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return oneLine(line)
	}
	var at, level, message string
	var rest []string
	for decoder.More() {
		var value json.RawMessage
		key, err := decoder.Token()
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return oneLine(line)
		}
		text := string(value)
		_ = json.Unmarshal(value, &text) // what is no text stays JSON
		switch key {
		case "time":
			at = text
			if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
				at = t.Local().Format(time.DateTime)
			}
		case "level":
			level = text
		case "msg":
			message = text
		default:
			rest = append(rest, fmt.Sprintf("%s=%s", key, text))
		}
	}
	return oneLine(strings.Join(append([]string{at, level, message}, rest...), " "))
}

// follow prints what is appended to the log, across rotations, until ctx ends
// or a signal comes.
func (v logView) follow(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	defer watcher.Close()
	if err := watcher.Add(filepath.Dir(path)); err != nil {
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	signals, stop := interrupts()
	defer stop()
	tailed := &tailed{path: path}
	defer tailed.close()
	if err := tailed.open(io.SeekEnd); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			return nil
		case err := <-watcher.Errors:
			return fmt.Errorf("cannot follow the log: %w", err)
		case <-watcher.Events:
			lines, err := tailed.more()
			if err != nil {
				return err
			}
			for _, line := range lines {
				if v.passes(line) {
					v.print(line)
				}
			}
		}
	}
}

// tailed is a file that grows and is replaced by a new one now and then.
type tailed struct {
	path    string
	file    *os.File
	reader  *bufio.Reader
	partial string
}

func (t *tailed) open(whence int) error {
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it comes later
	}
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, whence); err != nil {
		return errors.Join(err, f.Close())
	}
	t.file, t.reader, t.partial = f, bufio.NewReader(f), ""
	return nil
}

func (t *tailed) close() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
	t.file = nil
}

// more returns the lines that are complete by now, of the old file and, if it
// was replaced, of the new one.
func (t *tailed) more() ([]string, error) {
	var lines []string
	for {
		if t.file != nil {
			lines = append(lines, t.read()...)
			if sameFile(t.file, t.path) {
				return lines, nil
			}
			lines = append(lines, t.read()...) // written before it was replaced
			t.close()
		}
		if err := t.open(io.SeekStart); err != nil || t.file == nil {
			return lines, err
		}
	}
}

func (t *tailed) read() (lines []string) {
	for {
		text, err := t.reader.ReadString('\n')
		if err != nil {
			t.partial += text
			return lines
		}
		lines = append(lines, strings.TrimSuffix(t.partial+text, "\n"))
		t.partial = ""
	}
}
