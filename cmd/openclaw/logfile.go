package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/DeRuina/timberjack"

	"github.com/openclaw/openclaw-go/internal/config"
)

// logName is the file the gateway logs to, in logging.path.
const logName = "gateway.log"

// logging is where a gateway logs to: a rotated file and, in the foreground,
// standard error. Close it.
type logging struct {
	logger *slog.Logger
	level  slog.LevelVar
	file   *timberjack.Logger
}

// openLog opens the log of a gateway. terminal gets it too; nil is the file
// only.
func openLog(c *config.Config, terminal func(slog.Leveler) slog.Handler) (*logging, error) {
	path := filepath.Join(c.Logging.Path, logName)
	if err := writable(path); err != nil {
		return nil, &failure{exit: exitConfiguration, err: fmt.Errorf("cannot write the log; make logging.path writable or set another: %w", err)}
	}
	const mebibyte = 1 << 20
	l := &logging{file: &timberjack.Logger{
		Filename: path, FileMode: 0o600,
		MaxSize:    int((c.Logging.MaxSize + mebibyte - 1) / mebibyte),
		MaxBackups: max(c.Logging.MaxFiles-1, 1), // the current file is one, too; 0 would keep all
	}}
	l.setLevel(c)
	var handler slog.Handler = slog.NewJSONHandler(l.file, &slog.HandlerOptions{Level: &l.level})
	if terminal != nil {
		handler = slog.NewMultiHandler(handler, terminal(&l.level))
	}
	l.logger = slog.New(handler)
	return l, nil
}

// setLevel takes over the level of a changed configuration.
func (l *logging) setLevel(c *config.Config) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Logging.Level)); err == nil { // the configuration has been checked
		l.level.Set(level)
	}
}

func (l *logging) close() error { return l.file.Close() }

// writable makes sure that the log can be written: a log that cannot would
// only be missed when it is needed.
func writable(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// terminalLog is the log on standard error: text for people, JSON elsewhere,
// as logging.format says.
func (c *cli) terminalLog(format string) func(slog.Leveler) slog.Handler {
	text := format == "text" || format == "auto" && isTerminal(c.stderr)
	return func(level slog.Leveler) slog.Handler {
		if c.flags.quiet {
			level = slog.LevelError
		}
		options := &slog.HandlerOptions{Level: level}
		if !text {
			return slog.NewJSONHandler(c.stderr, options)
		}
		options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.String("time", a.Value.Time().Format("15:04:05"))
			}
			return a
		}
		return slog.NewTextHandler(c.stderr, options)
	}
}

// tail returns the last lines of a file, at most n, oldest first.
func tail(path string, n int) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	var text []byte
	for at := end; at > 0 && bytes.Count(text, []byte{'\n'}) <= n; {
		size := min(at, 64<<10)
		at -= size
		block := make([]byte, size)
		if _, err := f.ReadAt(block, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		text = append(block, text...)
	}
	text = bytes.TrimSuffix(text, []byte{'\n'})
	if len(text) == 0 {
		return nil, nil
	}
	lines := bytes.Split(text, []byte{'\n'})
	var out []string
	for _, line := range lines[max(0, len(lines)-n):] {
		out = append(out, string(line))
	}
	return out, nil
}
