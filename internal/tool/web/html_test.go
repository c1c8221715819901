package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func convert(text string) (*document, string) {
	d := parseHTML(text, &url.URL{Scheme: "https", Host: "example.org", Path: "/dir/page"})
	return d, d.markdown()
}

func TestMarkdown(t *testing.T) {
	tests := map[string]string{
		"":                              "",
		"plain":                         "plain",
		"<p>a<p>b":                      "a\n\nb",
		"<ul><li>a<ul><li>b</ul><li>c":  "- a\n  \n  - b\n- c",
		"<b>a<p>b</b>c":                 "**a**\n\n**b**\n\nc",
		"</p></div></table></td>a":      "a",
		"<table><tr><td><div></table>b": "b",
		"<dl><dt>t<dd>d<dt>t2<dd>d2":    "t\n\nd\n\nt2\n\nd2",
		"<a href=/x>one<a href=y>two":   "[one](https://example.org/x)[two](https://example.org/dir/y)",
		"<a href=javascript:x()>no</a>": "no",
		"<a href=#here>near</a>":        "near",
		"<a href=data:text/html,x>no":   "no",
		"<h2>t</h2><hr><blockquote>q":   "## t\n\n* * *\n\n> q",
		"a<!-- c --><?php x ?>b":        "ab",
		"<textarea>x</textarea>y":       "y",
		"<noscript>x</noscript>y":       "y",
		"<title>x</title>y":             "y",
		"<svg><title>x</title></svg>y":  "y",
		"&lt;b&gt; &amp; &eacute;":      "&lt;b&gt; & é",
		"<span aria-hidden=TRUE>x</span>y<span style='DISPLAY : NONE'>z</span>": "y",
	}
	for text, want := range tests {
		if _, got := convert(text); strings.TrimSpace(got) != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestContent(t *testing.T) {
	filler := strings.Repeat("words of the page. ", 30)
	tests := map[string]struct{ text, want string }{
		"main":           {"<p>before<main>" + filler + "</main>after", "words"},
		"article":        {"<div>before</div><article>" + filler + "</article>", "words"},
		"several":        {"<article>first " + filler + "</article><article>second " + filler + "</article>", "first"},
		"empty main":     {"<main></main><div>" + filler + "</div>", "words"},
		"all is nav":     {"<nav>" + filler + "</nav>", "words"},
		"role":           {"<div role=navigation>menu</div><p>" + filler, "words"},
		"hidden is gone": {"<main hidden>" + filler + "</main><p>shown " + filler, "shown"},
	}
	for name, tt := range tests {
		if _, got := convert(tt.text); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.60q", name, got)
		}
	}
}

// Pages that are made to blow up stay within time and memory.
func TestHostilePages(t *testing.T) {
	const size = 128 << 10
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	var formats strings.Builder
	for i := range 500 {
		fmt.Fprintf(&formats, "<b a=%d>", i)
	}
	pages := map[string]string{
		"nested":          fill("<div>"),
		"nested inline":   fill("<b><i>x"),
		"formats":         formats.String() + fill("<p>x"), // what html.Parse copies 500 times per paragraph
		"unclosed":        fill("<a href=x>"),
		"adoption":        fill("<b><p>x</b>"),
		"items":           "<ol>" + fill("<li>x"),
		"breaks":          fill("<br>"),
		"lists":           fill("<ul><li>x"),
		"quotes":          fill("<blockquote>x\n"),
		"wide table":      "<table><tr>" + fill("<td>x"),
		"long table":      "<table>" + fill("<tr><td>x"),
		"long cell":       "<table>" + strings.Repeat("<tr><td>x<td>y", 1000) + "<tr><td>" + strings.Repeat("z", size),
		"nested tables":   fill("<table><tr><td>"),
		"span":            "<table><tr><td colspan=1000000 rowspan=1000000>x" + fill("<tr><td>y"),
		"attributes":      "<a " + fill("href=x ") + ">x",
		"entities":        fill("&lt;"),
		"stars":           fill("*_[`"),
		"spaces":          fill(" \n"),
		"code":            "<pre>" + fill("`"),
		"ends":            fill("</b>"),
		"comment":         "<!--" + fill("x"),
		"open tag":        "<" + fill("a"),
		"headings":        fill("<h1>x"),
		"pre":             fill("<pre>x"),
		"long word":       fill("x"),
		"definition list": fill("<dt>x<dd>y"),
		"empty spans":     fill("<span></span>"),
		"strong words":    fill("<b>x</b> "),
		"links":           fill("<a href=y>x</a> "),
		"images":          fill("<img alt=x src=y>"),
	}
	for name, text := range pages {
		begin := time.Now()
		d, got := convert(text)
		spent := time.Since(begin)
		if len(got) > 16*size || d.nodes > maxNodes {
			t.Errorf("%s: %d bytes, %d nodes", name, len(got), d.nodes)
		}
		t.Logf("%-16s %8d nodes %9d bytes %v", name, d.nodes, len(got), spent)
		if spent > 10*time.Second {
			t.Errorf("%s took %v", name, spent)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{article, "<b><p>x</b>", "<table><td><table><ul><li>", "<a<b>", "<svg><style><b>", "\x00<p\x00>", "<select><option>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, _ := convert(text)
		depth := 0
		for n := d.body; n != nil; n = n.FirstChild {
			depth++
		}
		if depth > maxDepth+1 {
			t.Errorf("%d deep", depth)
		}
		walk(d.body, func(n *html.Node) {
			if href := attribute(n, "href"); href != "" && !strings.HasPrefix(href, "http") && !strings.HasPrefix(href, "mailto:") {
				t.Errorf("href %q", href)
			}
		})
	})
}
