package web

import (
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// enough is how many bytes of text make it likely that they are the page.
const enough = 200

// markdown converts what the page is about. It takes the tree apart.
func (d *document) markdown() string {
	whole := textLength(d.body)
	prune(d.body, isHidden)
	root := d.content(min(enough, whole/4+1))
	// Escapes help a renderer, not a model, and finding out where they are
	// needed takes the library quadratic time.
	conv := converter.NewConverter(converter.WithEscapeMode(converter.EscapeModeDisabled), converter.WithPlugins(
		base.NewBasePlugin(),
		commonmark.NewCommonmarkPlugin(commonmark.WithLinkEmptyHrefBehavior(commonmark.LinkBehaviorSkip)),
		table.NewTablePlugin(table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal), table.WithSkipEmptyRows(true)),
	))
	out, err := conv.ConvertNode(root)
	if err != nil { // the text is better than nothing
		var b strings.Builder
		walk(root, func(n *html.Node) {
			if n.Type == html.TextNode {
				b.WriteString(n.Data)
			}
		})
		return b.String()
	}
	return string(out)
}

// content returns the part of the page that it is about, without what surrounds
// it, as long as least bytes of text are left.
func (d *document) content(least int) *html.Node {
	for _, name := range []atom.Atom{atom.Main, atom.Article} {
		if found := find(d.body, name); len(found) == 1 && textLength(found[0]) >= least {
			prune(found[0], isAround)
			found[0].Parent.RemoveChild(found[0])
			return found[0]
		}
	}
	around := 0
	walk(d.body, func(n *html.Node) {
		if isAround(n) {
			around += textLength(n)
		}
	})
	if textLength(d.body)-around >= least {
		prune(d.body, isAround)
	}
	return d.body
}

// isHidden says whether a reader of the page would not see n.
func isHidden(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Template, atom.Svg, atom.Math, atom.Object, atom.Canvas, atom.Audio, atom.Video, atom.Button, atom.Select,
		atom.Dialog, atom.Title:
		return true
	}
	for _, a := range n.Attr {
		style := strings.ReplaceAll(strings.ToLower(a.Val), " ", "")
		switch {
		case a.Key == "hidden", a.Key == "aria-hidden" && style == "true",
			a.Key == "style" && (strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")):
			return true
		}
	}
	return false
}

// isAround says whether n is what sites put around every page.
func isAround(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Nav, atom.Aside, atom.Footer:
		return true
	}
	switch attribute(n, "role") {
	case "navigation", "complementary", "contentinfo", "search", "banner":
		return true
	}
	return false
}

// prune removes the elements below n that are unwanted.
func prune(n *html.Node, unwanted func(*html.Node) bool) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode && unwanted(c) {
			n.RemoveChild(c)
		} else {
			prune(c, unwanted)
		}
		c = next
	}
}

// walk visits n and what is below it; the depth is bounded by maxDepth.
func walk(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func find(n *html.Node, name atom.Atom) (found []*html.Node) {
	walk(n, func(n *html.Node) {
		if n.DataAtom == name {
			found = append(found, n)
		}
	})
	return found
}

// textLength counts the bytes of text below n, spaces at both ends of each
// piece left out.
func textLength(n *html.Node) (length int) {
	walk(n, func(n *html.Node) {
		if n.Type == html.TextNode {
			length += len(strings.TrimSpace(n.Data))
		}
	})
	return length
}
