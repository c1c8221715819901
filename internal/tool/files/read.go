package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go"
)

const readParameters = `{"type":"object","properties":{` +
	`"path":{"type":"string"},` +
	`"offset":{"type":"integer","description":"the first line to read, from 1"},` +
	`"limit":{"type":"integer","description":"how many lines"}},` +
	`"required":["path"]}`

// sniff is how much of a file is looked at to tell whether it is text.
const sniff = 8000

// readFile is the tool read_file.
type readFile struct {
	space *space
	spec  openclaw.ToolSpec
}

// Spec implements openclaw.Tool.
func (t *readFile) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool.
func (t *readFile) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Path   string  `json:"path"`
		Offset float64 `json:"offset"`
		Limit  float64 `json:"limit"`
	}
	if err := parseArgs(call, &args, `{"path": "notes.txt"}`); err != nil {
		return nil, err
	}
	if args.Offset < 0 || args.Limit < 0 {
		return nil, badArgs("offset and limit must not be negative; lines count from 1")
	}
	p, err := t.space.locateFor(call, args.Path, forReading)
	if err != nil {
		return nil, err
	}
	defer p.close()
	f, err := p.openFile()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 32<<10)
	if head, _ := r.Peek(sniff); isBinary(head) {
		return nil, badArgs("%s is not text (%d bytes); look at it with a shell command such as file or xxd", args.Path, p.info.Size())
	}
	e := excerpt{r: r, limit: t.space.maxOutput, first: max(1, lineNumber(args.Offset)), lines: lineNumber(args.Limit)}
	if err := e.read(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, systemError(args.Path, err)
	}
	if e.first > 1 && e.count < e.first {
		return nil, badArgs("%s has only %d lines; use a smaller offset", args.Path, e.count)
	}
	res := &openclaw.Result{CallID: call.ID, Output: e.text(), OutputBytes: p.info.Size()}
	res.Truncated = e.more || e.first > 1
	return res, nil
}

// lineNumber converts what a model wrote as a number, which need not be a whole
// one.
func lineNumber(f float64) int { return int(min(f, 1<<40)) }

// isBinary says whether a file that begins with head is no text.
func isBinary(head []byte) bool { return bytes.IndexByte(head, 0) >= 0 }

// excerpt is the part of a text that is read: whole lines, as far as possible.
type excerpt struct {
	r     *bufio.Reader
	limit int // in bytes
	first int // line, from 1
	lines int // 0: no bound

	buf     []byte
	count   int  // the last line that was looked at
	last    int  // the last line in buf
	more    bool // something follows
	cutLine bool // the last line in buf is not complete
}

// read reads the excerpt. Long lines are never held in memory as a whole.
func (e *excerpt) read(ctx context.Context) error {
	inLine := false
	start := 0 // of the current line in buf
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece, err := e.r.ReadSlice('\n')
		if len(piece) > 0 && !inLine {
			if e.lines > 0 && e.count >= e.first-1+e.lines {
				e.more = true
				return nil
			}
			e.count++
			start = len(e.buf)
		}
		if len(piece) > 0 && e.count >= e.first && !e.add(piece, start) {
			return nil
		}
		inLine = errors.Is(err, bufio.ErrBufferFull)
		if err == io.EOF {
			return nil
		}
		if err != nil && !inLine {
			return err
		}
	}
}

// add appends a piece of the current line, which begins at start in buf. When
// there is no room it takes the whole line back, or cuts it if it is the only
// one, and returns false.
func (e *excerpt) add(piece []byte, start int) bool {
	if len(e.buf)+len(piece) <= e.limit {
		e.buf = append(e.buf, piece...)
		e.last = e.count
		return true
	}
	e.more = true
	if start > 0 {
		e.buf, e.last = e.buf[:start], e.count-1
		return false
	}
	e.cutLine, e.last = true, e.count
	e.buf = append(e.buf, piece[:e.limit-len(e.buf)]...)
	for i := 1; i < utf8.UTFMax && i <= len(e.buf); i++ { // not in the middle of a character
		if c := e.buf[len(e.buf)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(e.buf[len(e.buf)-i:]) {
				e.buf = e.buf[:len(e.buf)-i]
			}
			break
		}
	}
	return false
}

// text returns the excerpt with a line about what is missing.
func (e *excerpt) text() string {
	text := strings.ToValidUTF8(string(e.buf), "\uFFFD")
	var notes []string
	if len(e.buf) == 0 && !e.more {
		notes = append(notes, "the file is empty")
	}
	if !utf8.Valid(e.buf) {
		notes = append(notes, "it is not UTF-8 throughout; \uFFFD stands for other bytes")
	}
	switch {
	case e.cutLine:
		notes = append(notes, fmt.Sprintf("line %d is longer than %d bytes; the next one is at offset %d", e.last, e.limit, e.last+1))
	case e.more:
		notes = append(notes, fmt.Sprintf("lines %d to %d; go on with offset %d", e.first, e.last, e.last+1))
	}
	if len(notes) == 0 {
		return text
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "[" + strings.Join(notes, "; ") + "]\n"
}
