package files

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/openclaw/openclaw-go"
)

const editParameters = `{"type":"object","properties":{` +
	`"path":{"type":"string"},` +
	`"old":{"type":"string"},` +
	`"new":{"type":"string"},` +
	`"all":{"type":"boolean"}},` +
	`"required":["path","old","new"]}`

// editFile is the tool edit_file.
type editFile struct {
	space *space
	spec  openclaw.ToolSpec
}

// Spec implements openclaw.Tool.
func (t *editFile) Spec() openclaw.ToolSpec { return t.spec }

// Run implements openclaw.Tool.
func (t *editFile) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args struct {
		Path string  `json:"path"`
		Old  *string `json:"old"`
		New  *string `json:"new"`
		All  bool    `json:"all"`
	}
	if err := parseArgs(call, &args, `{"path": "notes.txt", "old": "before", "new": "after"}`); err != nil {
		return nil, err
	}
	switch {
	case args.Old == nil || args.New == nil:
		return nil, badArgs(`the arguments "old" and "new" are both needed; "new" may be ""`)
	case *args.Old == "":
		return nil, badArgs(`the argument "old" is empty; give the text to replace, or use write_file for a new file`)
	case *args.Old == *args.New:
		return nil, badArgs(`the arguments "old" and "new" are the same; nothing would change`)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.space.writing.Lock()
	defer t.space.writing.Unlock()
	p, err := t.space.locateFor(call, args.Path, forWriting)
	if err != nil {
		return nil, err
	}
	defer p.close()
	content, err := p.readAll()
	if err != nil {
		return nil, err
	}
	changed, lines, err := substitute(content, *args.Old, *args.New, args.All)
	if err != nil {
		return nil, err
	}
	if len(changed) > maxFile {
		return nil, badArgs("the file would be %d bytes long, the limit is %d", len(changed), maxFile)
	}
	if err := p.replace(changed); err != nil {
		return nil, err
	}
	return &openclaw.Result{
		CallID: call.ID,
		Output: fmt.Sprintf("changed %s at %s\n", args.Path, lineList(lines)),
	}, nil
}

// readAll reads the text file at the place, for changing it.
func (p *place) readAll() ([]byte, error) {
	if p.info == nil {
		return nil, notFound("%s does not exist; write_file makes it", p.shown)
	}
	f, err := p.openFile()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, systemError(p.shown, err)
	case len(content) > maxFile:
		return nil, badArgs("%s is %d bytes long, the limit is %d; change it with a shell command", p.shown, p.info.Size(), maxFile)
	case isBinary(content[:min(len(content), sniff)]):
		return nil, badArgs("%s is not text and cannot be edited", p.shown)
	}
	return content, nil
}

// substitute replaces the one occurrence of old, or all of them, and returns the
// lines they began at. In a file with CRLF line ends, old and new may be written
// with LF, and the line ends stay.
func substitute(content []byte, old, new string, all bool) (changed []byte, lines []int, err error) {
	crlf := bytes.Count(content, []byte("\r\n"))
	if crlf > 0 && crlf == bytes.Count(content, []byte("\n")) {
		old, new = toCRLF(old), toCRLF(new)
	}
	lines = occurrences(content, []byte(old))
	if len(lines) == 0 && crlf > 0 {
		old, new = toCRLF(old), toCRLF(new)
		lines = occurrences(content, []byte(old))
	}
	switch {
	case len(lines) == 0:
		return nil, nil, badArgs("old does not occur in the file%s", nearest(string(content), old))
	case len(lines) > 1 && !all:
		return nil, nil, badArgs("old occurs %d times, at %s; add lines around it until it is the only one, or set all", len(lines), lineList(lines))
	}
	return bytes.ReplaceAll(content, []byte(old), []byte(new)), lines, nil
}

func toCRLF(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// occurrences returns the line number of each occurrence, none overlapping.
func occurrences(content, old []byte) []int {
	var lines []int
	line := 1
	for {
		i := bytes.Index(content, old)
		if i < 0 {
			return lines
		}
		line += bytes.Count(content[:i], []byte{'\n'})
		lines = append(lines, line)
		line += bytes.Count(old, []byte{'\n'})
		content = content[i+len(old):]
	}
}

func lineList(lines []int) string {
	const most = 10
	if len(lines) == 1 {
		return fmt.Sprintf("line %d", lines[0])
	}
	var b strings.Builder
	b.WriteString("lines ")
	for i, n := range lines[:min(len(lines), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	if len(lines) > most {
		fmt.Fprintf(&b, " and %d more", len(lines)-most)
	}
	return b.String()
}

// nearest says where the file has something like old, so that the next try can
// be right.
func nearest(content, old string) string {
	const unhelpful = "; read the file and copy the text as it is there"
	want := strings.Split(strings.Trim(old, "\r\n"), "\n")
	for i := range want {
		want[i] = squeeze(want[i])
	}
	if len(content) > 1<<20 || want[0] == "" {
		return unhelpful
	}
	have := strings.Split(content, "\n")
	squeezed := make([]string, len(have))
	for i := range have {
		squeezed[i] = squeeze(have[i])
	}
	best, at := 0, 0
	for i := range squeezed {
		n := 0
		for n < len(want) && i+n < len(squeezed) && squeezed[i+n] == want[n] {
			n++
		}
		if n > best {
			best, at = n, i
		}
	}
	differs := at + best
	switch {
	case best == 0:
		return unhelpful
	case best == len(want):
		return fmt.Sprintf("; the text at line %d differs from it only in spaces: %q", at+1, clip(have[at]))
	case differs >= len(have):
		return fmt.Sprintf("; its beginning is at line %d, but there the file ends", at+1)
	}
	return fmt.Sprintf("; its beginning is at line %d, but line %d is %q", at+1, differs+1, clip(have[differs]))
}

// squeeze returns a line without what white space around and in it tells apart.
func squeeze(line string) string { return strings.Join(strings.Fields(line), " ") }

// clip returns the beginning of a line, for showing it.
func clip(line string) string {
	const most = 200
	line = strings.TrimRight(line, "\r")
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "…"
}
