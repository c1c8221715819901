package agent

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/fence"
)

// The bounds of a digest.
const (
	maxDigest      = 6 << 10 // bytes
	maxDigestLines = 12      // of one kind
	maxDigestLine  = 200     // bytes
)

// digest sums up messages without a model: what was asked, the headings of
// the answers, questions that are open, the files spoken of, the last results.
// The same messages give the same text. It is at most limit bytes long.
func digest(messages []openclaw.Message, limit int) string {
	d := gather(messages)
	var out strings.Builder
	out.WriteString("(Put together without a model.)\n")
	section := func(head string, lines []string) {
		if len(lines) == 0 {
			return
		}
		out.WriteString("## " + head + "\n")
		for _, line := range lines[max(len(lines)-maxDigestLines, 0):] {
			out.WriteString("- " + line + "\n")
		}
	}
	if d.earlier != "" {
		out.WriteString(clip(d.earlier, maxDigest/3) + "\n")
	}
	section("Requests", d.requests)
	section("Headings of the answers", d.headings)
	section("Open questions", d.questions)
	section("Files", d.files)
	section("Last results", d.results)
	if d.answer != "" {
		out.WriteString("## Last answer\n" + clip(d.answer, 4*maxDigestLine) + "\n")
	}
	text := strings.TrimRight(out.String(), "\n")
	if limit = min(limit, maxDigest); len(text) > limit {
		text = clip(text, max(limit-clipNote, 0)) // with the note of what is missing
	}
	return text
}

// gathered is what a digest says.
type gathered struct {
	earlier   string // the summary before
	requests  []string
	headings  []string
	questions []string
	files     []string
	results   []string
	answer    string // the last text of the assistant
}

func gather(messages []openclaw.Message) gathered {
	var d gathered
	calls := map[string]string{} // by ID, in one line
	for _, m := range messages {
		for i, p := range m.Parts {
			switch {
			case p.Call != nil:
				calls[p.Call.ID] = oneLine(p.Call.Tool+" "+string(p.Call.Args), maxDigestLine)
				d.mention(string(p.Call.Args))
			case p.Result != nil:
				line := fmt.Sprintf("%s → exit %d: %s", calls[p.Result.CallID], p.Result.ExitCode, firstLine(p.Result.Output))
				d.results = append(d.results, oneLine(line, maxDigestLine))
			case p.Kind == openclaw.PartText && m.Role == openclaw.RoleAssistant:
				d.answered(p.Text)
			case p.Kind == openclaw.PartText && m.Role == openclaw.RoleUser && i == 0:
				d.asked(p.Text)
			}
		}
	}
	return d
}

func (d *gathered) asked(text string) {
	if label, earlier, ok := fence.Unwrap(text); ok && label == summaryLabel {
		d.earlier = earlier
		return
	}
	if strings.HasPrefix(text, "[The request above") {
		return
	}
	d.questions = nil // the owner has gone on
	d.requests = append(d.requests, oneLine(text, maxDigestLine))
	d.mention(text)
}

func (d *gathered) answered(text string) {
	d.answer, d.questions = text, nil
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			d.headings = append(d.headings, oneLine(strings.TrimLeft(line, "# "), maxDigestLine))
		case strings.HasSuffix(line, "?"):
			d.questions = append(d.questions, oneLine(line, maxDigestLine))
		}
	}
	d.mention(text)
}

// filePattern finds what looks like a file's path: with a slash, or a name
// with an extension.
var filePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:~|\.{1,2})?(?:/[\w.@+-]+)+/?|\b[\w@+-]+(?:/[\w.@+-]+)*\.[A-Za-z][A-Za-z0-9]{0,7}\b`)
})

// mention notes the files a text names, each once, the newest last.
func (d *gathered) mention(text string) {
	if len(text) > 16<<10 {
		text = text[:16<<10]
	}
	for _, name := range filePattern().FindAllString(text, 2*maxDigestLines) {
		name = strings.TrimRight(name, ".")
		if len(name) > maxDigestLine || path.Base(name) == "" {
			continue
		}
		if i := slices.Index(d.files, name); i >= 0 {
			d.files = slices.Delete(d.files, i, i+1)
		}
		d.files = append(d.files, name)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// oneLine folds white space and cuts to so many bytes.
func oneLine(text string, limit int) string {
	if len(text) > 8*limit {
		text = text[:8*limit]
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
