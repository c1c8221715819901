package web

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of the tree that is made of a page.
const (
	maxNodes   = 100_000
	maxDepth   = 60
	maxIndents = 8  // lists and quotes in each other: Markdown repeats their prefix on every line
	maxColumns = 30 // Markdown tables are rectangular, so one wide row widens all
	maxHref    = 2048
)

// document is the tree of a page.
//
// It is not made by html.Parse: the standard's way of mending wrong markup
// copies elements, and a few megabytes made for that become gigabytes. Here
// every token becomes at most one node, whatever it says.
type document struct {
	title string
	body  *html.Node
	cut   bool // the page has more than maxNodes

	base    *url.URL
	open    []element // body first
	nodes   int
	skipped int // open elements below maxDepth
}

// element is one that is open.
type element struct {
	name  atom.Atom // as the page calls it
	node  *html.Node
	cells int
}

// parseHTML reads a page in time and memory proportional to its length.
func parseHTML(text string, base *url.URL) *document {
	d := &document{base: base, body: &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}}
	d.open = []element{{name: atom.Body, node: d.body}}
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return d // the end; a tokenizer of a string has no other error
		case html.TextToken:
			d.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			d.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			d.end(atom.Lookup(name))
		}
		if d.nodes >= maxNodes {
			d.cut = true
			return d
		}
	}
}

func (d *document) top() *element { return &d.open[len(d.open)-1] }

func (d *document) add(n *html.Node) {
	d.top().node.AppendChild(n)
	d.nodes++
}

func (d *document) text(s string) {
	switch d.top().name {
	case atom.Title:
		if d.title == "" {
			d.title = strings.Join(strings.Fields(s), " ")
		}
	case atom.Script, atom.Style, atom.Noscript, atom.Iframe, atom.Noembed, atom.Noframes, atom.Textarea, atom.Xmp:
	default:
		d.add(&html.Node{Type: html.TextNode, Data: s})
	}
}

// start adds the element whose start tag z has just read.
func (d *document) start(z *html.Tokenizer) {
	raw, more := z.TagName()
	name, data := atom.Lookup(raw), string(raw)
	n := &html.Node{Type: html.ElementNode, Data: data, DataAtom: name}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		d.attribute(n, string(key), string(value))
	}
	switch name {
	case atom.Html, atom.Head, atom.Body:
		return // there is one body, and its children are those of all
	case atom.Base, atom.Meta, atom.Link, atom.Input, atom.Source, atom.Track, atom.Embed, atom.Area, atom.Param, atom.Col:
		return
	case atom.Br, atom.Hr, atom.Img, atom.Wbr:
		if name != atom.Img || attribute(n, "alt") != "" {
			d.add(n)
		}
		return
	}
	d.closeImplied(name)
	if len(d.open) >= maxDepth {
		d.skipped++
		return
	}
	d.retag(n)
	d.add(n)
	d.open = append(d.open, element{name: name, node: n})
}

// retag makes a plain element of one that would make the Markdown grow out of
// proportion.
func (d *document) retag(n *html.Node) {
	plain := false
	switch n.DataAtom {
	case atom.Ul, atom.Ol, atom.Blockquote:
		indents := 0
		for _, e := range d.open {
			if e.name == atom.Ul || e.name == atom.Ol || e.name == atom.Blockquote {
				indents++
			}
		}
		plain = indents >= maxIndents
	case atom.Td, atom.Th:
		d.top().cells++
		plain = d.top().cells > maxColumns
	}
	if plain {
		n.Data, n.DataAtom = "div", atom.Div
	}
}

// closeImplied ends the elements that a start tag ends without saying so.
func (d *document) closeImplied(name atom.Atom) {
	switch name {
	case atom.Li:
		d.closeWithin([]atom.Atom{atom.Li}, atom.Ul, atom.Ol, atom.Table)
	case atom.Dt, atom.Dd:
		d.closeWithin([]atom.Atom{atom.Dt, atom.Dd}, atom.Dl, atom.Table)
	case atom.Option:
		d.closeWithin([]atom.Atom{atom.Option}, atom.Select)
	case atom.Td, atom.Th:
		d.closeWithin([]atom.Atom{atom.Td, atom.Th}, atom.Tr, atom.Table)
	case atom.Tr:
		d.closeWithin([]atom.Atom{atom.Tr}, atom.Table)
	case atom.Thead, atom.Tbody, atom.Tfoot:
		d.closeWithin([]atom.Atom{atom.Thead, atom.Tbody, atom.Tfoot}, atom.Table)
	case atom.A:
		d.closeWithin([]atom.Atom{atom.A}, atom.Td, atom.Th, atom.Li, atom.Table)
	case atom.P, atom.Div, atom.Ul, atom.Ol, atom.Dl, atom.Table, atom.Blockquote, atom.Pre, atom.Section, atom.Article,
		atom.Main, atom.Nav, atom.Aside, atom.Header, atom.Footer, atom.Form, atom.Figure, atom.Details,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		d.closeWithin([]atom.Atom{atom.P}, atom.Td, atom.Th, atom.Li, atom.Table, atom.Button)
	}
}

// closeWithin ends the innermost open element of these names, and what is open
// in it, unless one of the barriers is open inside of it.
func (d *document) closeWithin(names []atom.Atom, barriers ...atom.Atom) {
	for i := len(d.open) - 1; i > 0; i-- {
		for _, name := range names {
			if d.open[i].name == name {
				d.open = d.open[:i]
				return
			}
		}
		for _, b := range barriers {
			if d.open[i].name == b {
				return
			}
		}
	}
}

// end handles an end tag. One that fits nothing is ignored, and none of what
// is in a table's cell reaches out of it.
func (d *document) end(name atom.Atom) {
	switch name {
	case atom.Html, atom.Head, atom.Body, atom.Br, atom.Img, atom.Hr, atom.Input, atom.Link, atom.Meta:
		return
	case atom.Table, atom.Tr, atom.Thead, atom.Tbody, atom.Tfoot:
		if d.skipped == 0 {
			d.closeWithin([]atom.Atom{name}, tableBarrier(name)...)
			return
		}
	}
	if d.skipped > 0 {
		d.skipped--
		return
	}
	d.closeWithin([]atom.Atom{name}, atom.Td, atom.Th, atom.Table)
}

func tableBarrier(name atom.Atom) []atom.Atom {
	if name == atom.Table {
		return nil
	}
	return []atom.Atom{atom.Table}
}

// attribute keeps what the Markdown needs and what says that an element is not
// shown.
func (d *document) attribute(n *html.Node, key, value string) {
	switch key {
	case "href", "src":
		value = d.absolute(value)
	case "alt", "title":
		value = clip(strings.Join(strings.Fields(value), " "), maxTitle)
	case "class":
		if n.DataAtom != atom.Code && n.DataAtom != atom.Pre {
			return
		}
	case "hidden", "aria-hidden", "role", "style":
	default:
		return
	}
	if value == "" && key != "hidden" || len(value) > maxHref {
		return
	}
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

// absolute resolves an address within the page; "" is one that leads to no
// other page.
func (d *document) absolute(ref string) string {
	ref = strings.TrimSpace(ref)
	if len(ref) > maxHref || strings.HasPrefix(ref, "#") {
		return ""
	}
	u, err := d.base.Parse(ref)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
		return ""
	}
	return u.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
