package web

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"github.com/openclaw/openclaw-go"
)

const (
	maxText  = 1 << 20 // of a page, in bytes of Markdown
	maxTitle = 300
)

// page is an answer in a form that a model reads.
type page struct {
	head string // what stands before the text: the address, the title, a failed status
	text string
	cut  bool // the text is not all of the page
	fail bool // the server answered with an error
}

// kind says how an answer is read.
type kind int

const (
	kindBinary kind = iota
	kindText
	kindHTML
)

// kindOf judges by the media type.
func kindOf(mediaType string) kind {
	switch {
	case mediaType == "text/html", mediaType == "application/xhtml+xml":
		return kindHTML
	case strings.HasPrefix(mediaType, "text/"), strings.HasSuffix(mediaType, "+json"), strings.HasSuffix(mediaType, "+xml"):
		return kindText
	}
	switch mediaType {
	case "application/json", "application/xml", "application/javascript", "application/ecmascript", "application/yaml",
		"application/x-yaml", "application/toml", "application/x-ndjson", "application/jsonl", "application/x-sh", "application/sql":
		return kindText
	}
	return kindBinary
}

// checkType refuses what is no text before any of it is read.
func (a *answer) checkType(resp *http.Response) error {
	mediaType, _, err := mime.ParseMediaType(a.contentType)
	if a.contentType == "" || err != nil || mediaType == "application/octet-stream" || kindOf(mediaType) != kindBinary {
		return nil // or the bytes will tell
	}
	size := ""
	if resp.ContentLength >= 0 {
		size = fmt.Sprintf(" of %d bytes", resp.ContentLength)
	}
	return a.binary(mediaType, size)
}

func (a *answer) binary(mediaType, size string) error {
	what := "a file of type " + mediaType
	if mediaType == "application/pdf" {
		what = "a PDF"
	}
	return refuse("%s is %s%s, and web_fetch reads text only; look for the same content as a web page", a.url, what, size)
}

// page converts an answer.
func (a *answer) page() (*page, error) {
	mediaType, _, err := mime.ParseMediaType(a.contentType)
	if err != nil || mediaType == "application/octet-stream" {
		a.contentType = http.DetectContentType(a.body)
		mediaType, _, _ = mime.ParseMediaType(a.contentType) // it is well formed
	}
	text := a.decoded(mediaType)
	if kindOf(mediaType) == kindBinary || strings.IndexByte(text[:min(len(text), 4096)], 0) >= 0 {
		return nil, a.binary(mediaType, "")
	}
	p := &page{cut: a.cut, fail: a.status >= http.StatusBadRequest}
	title := ""
	if kindOf(mediaType) == kindHTML {
		doc := parseHTML(text, a.url)
		title, text = doc.title, doc.markdown()
		p.cut = p.cut || doc.cut
	}
	p.head = "URL: " + a.url.String() + "\n"
	if p.fail {
		p.head = "error: the server answered " + a.statusText + "\n" + p.head
	}
	if title != "" {
		p.head += "Title: " + clip(title, maxTitle) + "\n"
	}
	p.text = strings.TrimSpace(text)
	if len(p.text) > maxText {
		p.text, p.cut = clip(p.text, maxText), true
	}
	return p, nil
}

// decoded returns the body in UTF-8. A text that says nothing of its encoding
// and is valid UTF-8 is just that.
func (a *answer) decoded(mediaType string) string {
	_, params, _ := mime.ParseMediaType(a.contentType)
	said := params["charset"] != "" || kindOf(mediaType) == kindHTML ||
		bytes.HasPrefix(a.body, []byte("\xff\xfe")) || bytes.HasPrefix(a.body, []byte("\xfe\xff"))
	if !said && utf8.Valid(a.body) {
		return strings.TrimPrefix(string(a.body), "\ufeff")
	}
	encoding, _, certain := charset.DetermineEncoding(a.body, a.contentType)
	if !certain && utf8.Valid(a.body) {
		return string(a.body)
	}
	text, err := encoding.NewDecoder().Bytes(a.body)
	if err != nil { // cut in the middle of a character
		text = a.body
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(text), "\uFFFD"), "\ufeff")
}

// result returns the part of the page that begins at offset and is at most
// size bytes long.
func (p *page) result(id string, offset, size int) *openclaw.Result {
	for offset > 0 && offset < len(p.text) && !utf8.RuneStart(p.text[offset]) {
		offset--
	}
	part := p.text[offset:]
	if len(part) > size {
		part = clip(part, size)
		if i := strings.LastIndexByte(part, '\n'); i > len(part)/2 {
			part = part[:i+1] // lines stay whole
		}
	}
	end := offset + len(part)
	out := p.head + "\n" + part
	switch {
	case end < len(p.text):
		out += fmt.Sprintf("\n[bytes %d to %d of %d; go on with offset %d]", offset, end, len(p.text), end)
	case p.cut:
		out += "\n[the page is longer than what was read of it]"
	case p.text == "":
		out += "[no text; the page may need a browser that runs its scripts]"
	case offset == len(p.text):
		out += fmt.Sprintf("[the page ends at byte %d]", end)
	}
	r := &openclaw.Result{CallID: id, Output: out, Truncated: len(part) < len(p.text) || p.cut}
	if r.Truncated {
		r.OutputBytes = int64(len(p.text))
	}
	if p.fail {
		r.ExitCode = openclaw.ExitFailed
	}
	return r
}

// clip returns at most n bytes of s, with its last character whole.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
