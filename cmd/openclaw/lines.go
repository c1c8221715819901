package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// lineReader reads lines at a terminal, which can be edited while they are
// typed.
type lineReader struct {
	keys   *keyWatch
	output io.Writer
	// raw switches line editing over from the terminal to editor, and back;
	// it is called around each line.
	raw     func() (restore func() error, err error)
	editor  *term.Terminal
	leaving bool // Ctrl-C was the last that was pressed

	mu      sync.Mutex
	restore func() error // what raw returned; nil when the terminal is as it was
}

// newLineReader returns a reader on a terminal. It is in raw mode only while
// read blocks, so that Ctrl-C is a signal again while an answer is written.
func newLineReader(stdin io.Reader, stdout io.Writer) (*lineReader, error) {
	input, ok := stdin.(*os.File)
	if !ok {
		return nil, errors.New("standard input is no terminal; give a message")
	}
	r := &lineReader{keys: &keyWatch{input: input}, output: stdout}
	r.editor = r.newEditor()
	fd := int(input.Fd())
	r.raw = func() (func() error, error) {
		before, err := term.MakeRaw(fd)
		if err != nil {
			return nil, fmt.Errorf("cannot read from this terminal: %w", err)
		}
		if columns, rows, err := term.GetSize(fd); err == nil && columns > 0 && rows > 0 {
			_ = r.editor.SetSize(columns, rows) // it redraws a line that is not there yet
		}
		return func() error { return term.Restore(fd, before) }, nil
	}
	return r, nil
}

// newEditor returns a line editor that knows nothing yet.
func (r *lineReader) newEditor() *term.Terminal {
	return term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{r.keys, r.output}, "")
}

// read returns the next line; one that was pasted may have several. It returns
// io.EOF at Ctrl-D, and when Ctrl-C is pressed twice.
func (r *lineReader) read(prompt string) (string, error) {
	var pasted []string
	shown := prompt
	for {
		line, err := r.once(shown)
		switch {
		case errors.Is(err, term.ErrPasteIndicator):
			pasted = append(pasted, line)
			shown = ""
			continue
		case errors.Is(err, io.EOF) && r.keys.interrupted:
			if r.leaving {
				return "", io.EOF
			}
			fmt.Fprintln(r.output, "\nCtrl-C once more, or Ctrl-D, leaves")
			r.leaving, pasted, shown = true, nil, prompt
			fresh := r.newEditor() // the old one goes on with the line, and with Ctrl-C
			fresh.History, r.editor = r.editor.History, fresh
			continue
		case err != nil:
			return "", err
		}
		r.leaving = false
		if line != "" {
			pasted = append(pasted, line)
		}
		return strings.Join(pasted, "\n"), nil
	}
}

// once reads a line in raw mode.
func (r *lineReader) once(prompt string) (line string, err error) {
	r.mu.Lock()
	r.restore, err = r.raw()
	r.mu.Unlock()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.giveBack()) }()
	r.keys.interrupted = false
	r.editor.SetPrompt(prompt)
	r.editor.SetBracketedPasteMode(true)
	defer r.editor.SetBracketedPasteMode(false)
	return r.editor.ReadLine()
}

// giveBack makes the terminal what it was, also while read blocks.
func (r *lineReader) giveBack() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restore == nil {
		return nil
	}
	restore := r.restore
	r.restore = nil
	return restore()
}

// keyWatch notices Ctrl-C, which the line editor takes for an end of input.
type keyWatch struct {
	input       io.Reader
	interrupted bool
}

func (w *keyWatch) Read(p []byte) (int, error) {
	n, err := w.input.Read(p)
	const ctrlC = 3
	w.interrupted = bytes.IndexByte(p[:n], ctrlC) >= 0
	return n, err
}
