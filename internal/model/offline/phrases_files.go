package offline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// writeRows are about writing files.
func writeRows() []row {
	write := func(k kind, file, text int) func(p *piece) (ask, bool) {
		return func(p *piece) (ask, bool) {
			path, ok := p.quotes.file(p.groups[file], p.loose, false)
			return ask{kind: k, path: path, text: p.words(text)}, ok
		}
	}
	return []row{
		{"write|save|put|store", `(?:write|save|put|store) (?:the text |the line |the words )?{Q} (?:in|into|to|as) {X}`, write(kindWrite, 2, 1)},
		{"write|save|put", `(?:write|save|put) (?:in|into|to) {X}(?:[:,]| the text) {Q}`, write(kindWrite, 1, 2)},
		{"create|make|write", `(?:create|make|write) {X} (?:with|containing|that (?:says|contains)|saying)(?: the)?(?: text| content| contents| words| line)? {Q}(?: (?:in|inside) it)?`, write(kindWrite, 1, 2)},
		{"append|add", `(?:append|add) (?:the text |the line |the words )?{Q} (?:to|at) (?:the end of )?{X}`, write(kindAppend, 2, 1)},
		{"append|add", `(?:append|add) to {X}[:,]? {Q}`, write(kindAppend, 1, 2)},
	}
}

// followingPattern finds a message whose first line says where its other lines
// are to be written.
var followingPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)^\s*(?:please\s+)?(?:write|save|put)\s+(?:the\s+following|this)(?:\s+text)?\s+(?:in|into|to|as)\s+([^\n]+?)\s*:[ \t]*\n(.+)$`)
})

// parseFollowing reads a message of that form.
func parseFollowing(text string) (ask, bool) {
	m := followingPattern().FindStringSubmatch(text)
	if m == nil {
		return ask{}, false
	}
	var q quotes
	path, ok := q.file(q.mask(m[1]), true, false)
	return ask{kind: kindWrite, path: path, text: unfence(m[2])}, ok
}

// unfence takes blank lines off both ends of a text, and the Markdown fence off
// one that is a fenced block.
func unfence(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	if n := len(lines); n > 2 && strings.HasPrefix(lines[0], "```") && strings.TrimSpace(lines[n-1]) == "```" {
		lines = lines[1 : n-1]
	}
	return strings.Join(lines, "\n")
}

// extensions are the kinds of file that can be asked for by name.
var extensions = map[string]string{
	"markdown": "md", "python": "py", "javascript": "js", "typescript": "ts", "text": "txt", "rust": "rs", "shell": "sh", "yaml": "yaml",
	"word": "docx", "excel": "xlsx", "jpeg": "jpeg",
}

// plainExtensions are those that are called as they are written.
var plainExtensions = strings.Fields("avi bmp c conf cpp css csv db doc docx epub gif go gz h html ini java jpg js json log md mkv mov mp3 mp4 odt " +
	"ogg pdf php png ppt pptx py rb rs rtf sh sql svg tar toml ts tsv txt wav webp xls xlsx xml yaml yml zip")

// extensionPattern returns the pattern for files of a kind: "PDF", "*.go",
// ".txt" or "Python".
func extensionPattern(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if rest := strings.TrimPrefix(strings.TrimPrefix(name, "*"), "."); rest != name && hasExtension("x."+rest) {
		return "*." + rest, true
	}
	if ext := extensions[name]; ext != "" {
		return "*." + ext, true
	}
	return "*." + name, slices.Contains(plainExtensions, name)
}

// namePattern returns the pattern for files of a name; a part of a name without
// wildcards and extension may have more around it.
func namePattern(name string) (string, bool) {
	if !usablePath(name) || strings.Contains(name, "/") {
		return "", false
	}
	if !strings.ContainsAny(name, "*?[") && !hasExtension(name) {
		name = "*" + name + "*"
	}
	return name, true
}

// findRows are about finding and counting files.
func findRows() []row {
	named := func(p *piece) (ask, bool) {
		pattern, okName := namePattern(p.words(1))
		if _, quoted := p.quotes.content(p.groups[1]); !quoted && strings.ContainsAny(p.groups[1], " \t") {
			okName = false
		}
		where, ok := p.placeOr(2, home)
		return ask{kind: kindFind, pattern: pattern, path: where.path, label: where.label}, ok && okName
	}
	sort := func(p *piece) (ask, bool) {
		pattern, okName := extensionPattern(p.words(1))
		where, ok := p.placeOr(2, home)
		return ask{kind: kindFind, pattern: pattern, path: where.path, label: where.label}, ok && okName
	}
	single := func(p *piece) (ask, bool) {
		_, quoted := p.quotes.content(p.groups[1])
		if !quoted && (strings.ContainsAny(p.groups[1], " \t\x01") || !hasExtension(p.groups[1]) && !strings.ContainsAny(p.groups[1], "*[")) {
			return ask{}, false
		}
		return named(p)
	}
	content := func(p *piece) (ask, bool) {
		where, ok := p.placeOr(2, home)
		if _, quoted := p.quotes.content(p.groups[1]); !quoted && strings.ContainsAny(p.groups[1], " \t") {
			ok = false
		}
		return ask{kind: kindFind, text: p.words(1), path: where.path, label: where.label}, ok && usablePath(p.words(1))
	}
	const find = `(?:find|search for|look for|locate|list|show|which|what|are there|get)(?: me)? (?:an? )?{ALL}`
	return []row{
		{"name|called|matching", find + `files? (?:that (?:are|is) |are )?(?:named|called|matching|with (?:the|a) name)(?: like)? {X}{IN}`, named},
		{"end", find + `files? (?:that )?(?:end|ends|ending) (?:in|with) {X}{IN}`, sort},
		{"extension|ending", find + `files? with (?:the |an? )?(?:file )?(?:extension|ending) {X}{IN}`, sort},
		{"contain|mention|with the", find + `files? (?:that )?(?:contain|contains|containing|mention|mentions|mentioning|with the (?:text|word|words)) (?:the (?:text|word|words) )?{X}{IN}`, content},
		{"search|grep|look", `(?:search|grep|look)(?: for)? {Q} (?:in|inside|within|under)(?: all)? (?:the )?files? (?:in|of|under) (.+?)`, content},
		{"grep|search", `(?:grep|search) (?:for )?{Q}{IN}`, content},
		{"file", find + `{X} files?{IN}`, sort},
		{"files", `(?:what|which) {X} files (?:are|do i have)(?: there)?{IN}`, sort},
		{"where", `where (?:is|are)(?: the| my)?(?: file)? {X}`, func(p *piece) (ask, bool) { p.groups = append(p.groups, ""); return single(p) }},
		{"find|locate|search|look", `(?:find|locate|search for|look for) (?:the |my )?(?:files? )?{X}{IN}`, single},
		{"how many", `how many {X}(?: are(?: there)?| do i have| exist)?(?: (?:in|inside|under|at) (.+?))`, countOf},
		{"how many", `how many {X} (?:does|do) (.+?) (?:have|contain|hold)`, countOf},
		{"count|number", `(?:count|(?:what(?:'s| is) )?the number of) {ALL}{X} (?:in|inside|under|of) (.+?)`, countOf},
	}
}

// countPattern finds what is to be counted.
var countPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:the\s+)?(?:number\s+of\s+)?(?:(\S+)\s+)?(files?|folders?|directories|subdirectories|subfolders)(?:\s+and\s+(?:folders|directories))?$`)
})

func countOf(p *piece) (ask, bool) {
	m := countPattern().FindStringSubmatch(strings.TrimSpace(p.groups[1]))
	where, ok := p.quotes.place(p.groups[2], p.loose)
	if m == nil || !ok {
		return ask{}, false
	}
	a := ask{kind: kindCount, path: where.path, label: where.label, text: "f"}
	if !strings.HasPrefix(strings.ToLower(m[2]), "file") {
		a.text = "d"
	}
	if m[1] != "" {
		sort := p.quotes.restore(m[1])
		if a.pattern, ok = extensionPattern(sort); !ok && strings.EqualFold(sort, "hidden") {
			a.pattern, ok = ".*", true
		}
	}
	return a, ok
}

// listRows are about what is in a directory.
func listRows() []row {
	list := func(flags string, otherwise place) func(*piece) (ask, bool) {
		return func(p *piece) (ask, bool) {
			where, ok := otherwise, true
			if len(p.groups) > 1 {
				where, ok = p.placeOr(1, otherwise)
			}
			return ask{kind: kindList, path: where.path, label: where.label, flags: flags}, ok
		}
	}
	const (
		show   = `(?:list|show|display|give|see|enumerate|print)(?: me)?(?: a list of)? `
		things = `(?:{ALL}(?:files|contents?|items|entries|folders|directories|files (?:and|or) (?:folders|directories|subdirectories)|everything)(?: that are| there are| stored)?)`
		in     = ` (?:in|of|inside|from|at|under|within) `
		hidden = `(?:[,]? (?:including|with|and)(?: the)?(?: all)? hidden(?: files| ones)?|[,]? even (?:the )?hidden(?: files| ones)?)`
		sizes  = ` (?:with|including)(?: the| their)? (?:sizes?|details|dates)`
	)
	readable := func(p *piece) (ask, bool) { // a file has an extension, a directory has none
		if path, ok := p.quotes.file(p.groups[1], p.loose, false); ok && hasExtension(path) {
			return ask{kind: kindRead, path: path}, true
		}
		return list("", workspace)(p)
	}
	folder := func(p *piece) (ask, bool) { // "show X": a directory only when it is called one
		where, ok := p.quotes.place(p.groups[1], p.loose)
		_, isFile := p.quotes.file(p.groups[1], p.loose, false)
		return ask{kind: kindList, path: where.path, label: where.label}, ok && !isFile
	}
	const contents = `(?: me)?(?: all)?(?: of)?(?: the)?(?: whole| full| entire)? (?:contents?|text) of `
	file := func(p *piece) (ask, bool) {
		path, ok := p.quotes.file(p.groups[1], p.loose, true)
		return ask{kind: kindRead, path: path}, ok
	}
	return []row{
		{"content|text", `(?:read|print|output|dump|view|cat)` + contents + `{X}`, file},
		{"content|text", `(?:show|display|get|see|open|give)` + contents + `(?:the |a )?file {X}`, file},
		{"content|text", `(?:show|display|get|see|open|give)` + contents + `{X}`, readable},
		{"hidden", show + things + hidden + in + `{X}`, list("-A", workspace)},
		{"hidden", show + things + in + `{X}` + hidden, list("-A", workspace)},
		{"hidden", show + `{ALL}hidden files` + in + `{X}`, list("-A", workspace)},
		{"size|detail|date", show + things + in + `{X}` + sizes, list("-lh", workspace)},
		{"size|detail|date", show + things + sizes + in + `{X}`, list("-lh", workspace)},
		{"file|content|item|entr|folder|director|everything", show + things + in + `{X}`, list("", workspace)},
		{"my files", show + `(?:all |all of )?my files`, list("", home)},
		{"file|content|item|entr|folder|director|everything", show + things, list("", workspace)},
		{"what|which", `(?:what|which) (?:files and (?:folders|directories)|files|folders|directories|items|things)(?: are| do i have| have i got| exist| can you see| do you see)?(?: there)?(?: stored| located)?` + in + `{X}`, list("", workspace)},
		{"does", `(?:what|which) (?:files|folders) does {X} (?:have|contain|hold)`, list("", workspace)},
		{"files", `(?:what|which) files (?:do i have|are mine)`, list("", home)},
		{"files", `(?:what|which) files (?:are (?:there|here)|do you (?:see|have)|can you see)`, list("", workspace)},
		{"what", `what(?:'s| is)(?: there)? (?:in|inside|inside of) {X}`, readable},
		{"ls|dir", `ls|dir`, list("", workspace)},
		{"ls|list|dir|browse", `(?:ls|list|dir|browse) {X}`, list("", workspace)},
		{"show|open|display|see", `(?:show|open|display|see)(?: me)? {X}`, folder},
	}
}

// readRows are about reading a file.
func readRows() []row {
	read := func(group int, named bool) func(*piece) (ask, bool) {
		return func(p *piece) (ask, bool) {
			path, ok := p.quotes.file(p.groups[group], p.loose, named)
			return ask{kind: kindRead, path: path}, ok
		}
	}
	lines := func(p *piece) (ask, bool) {
		a, ok := read(3, false)(p)
		if a.n = lineCount(p.groups[2]); strings.EqualFold(p.groups[1], "last") {
			a.n = -a.n
		}
		return a, ok && a.n != 0
	}
	end := func(n int) func(*piece) (ask, bool) {
		return func(p *piece) (ask, bool) {
			a, ok := read(1, true)(p)
			a.n = n
			return a, ok
		}
	}
	return []row{
		{"line", `(?:read|show|print|display|give|get)(?: me)?(?: the)? (first|last) (?:(\w+) )?lines? (?:of|from|in) {X}`, lines},
		{"head", `head {X}`, end(10)},
		{"tail", `tail {X}`, end(-10)},
		{"cat", `cat {X}`, read(1, true)},
		{"read|show|display|print|open|view|output|dump|see", `(?:read|show|display|print|open|view|output|dump|see)(?: me)? {X}`, read(1, false)},
		{"content|text", `what(?:'s| is| are)(?: the)? (?:contents?|text) of {X}`, read(1, true)},
		{"file", `what(?:'s| is)(?: written)? in (?:the )?file {X}`, read(1, true)},
		{"what does", `what does {X} (?:say|contain|have in it|look like)`, read(1, false)},
	}
}

// lineCount reads how many lines are meant: a number or one in words, one
// where nothing is said; 0 for what it cannot read.
func lineCount(word string) int {
	if word == "" {
		return 1
	}
	if i := slices.Index(strings.Fields("one two three four five six seven eight nine ten"), strings.ToLower(word)); i >= 0 {
		return i + 1
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > 100_000 {
		return 0
	}
	return n
}
