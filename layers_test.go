package openclaw_test

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/openclaw/openclaw-go"

// A kind says who may import a package at all.
type kind int

const (
	inside kind = iota // whoever the table allows
	wired              // only programs: they choose the implementations
	rig                // only tests, and programs that name it
)

// everything, in a row, stands for all packages but those of kind rig.
const everything = "*"

// anyLibrary, in a row, leaves the modules outside the standard library open.
const anyLibrary = "*"

// layer is one row of the import table.
type layer struct {
	folders []string // the packages, as folders of the module
	kind    kind
	may     []string // the packages of this module they may import besides the root
	libs    []string // the modules they may import besides the standard library
	why     string
}

// layers is the import table: architecture.md's picture as a rule. It binds
// what ships; a test may import what it likes. A package missing from the
// table fails, so each new one gets its place and its reason here.
var layers = []layer{
	{folders: []string{"."},
		why: "everybody speaks in these words, so they cost nobody a dependency"},
	{folders: []string{"protocol"}, libs: []string{"github.com/go-json-experiment/json", "github.com/google/jsonschema-go"},
		why: "other programs import it to speak the protocol: the format and its schemas, no server behind it"},
	{folders: []string{"client"}, may: []string{"protocol"}, libs: []string{anyLibrary},
		why: "other programs import it, and it must not reach the gateway past the wire"},
	{folders: []string{"internal/fence"},
		why: "what outside text looks like to a model is one rule for everybody who hands it some, and a function of the text"},
	{folders: []string{"internal/paths"},
		why: "whether one file is below another is one rule for all who guard files, and a function of their names and links"},
	{folders: []string{"internal/agent"}, may: []string{"internal/fence"}, libs: []string{anyLibrary},
		why: "one turn knows the interfaces Model and Tool, and nobody who starts or stores it"},
	{folders: []string{"internal/session"}, may: []string{"internal/agent"}, libs: []string{anyLibrary},
		why: "a conversation runs turns; it declares the store it needs and never learns who listens"},
	{folders: []string{"internal/distil"}, may: []string{"internal/agent", "internal/fence"}, libs: []string{anyLibrary},
		why: "it makes a turn of no conversation; memory, store and models come from the one who puts the program together"},
	{folders: []string{"internal/gateway"}, may: []string{"protocol", "internal/session"}, libs: []string{anyLibrary},
		why: "methods of the protocol are calls of sessions; without sockets they are testable as functions"},
	{folders: []string{"internal/cron"}, libs: []string{"github.com/adhocore/gronx"},
		why: "when a schedule is due is arithmetic: whoever checks one and whoever runs one must count alike"},
	{folders: []string{"internal/ws", "internal/httpapi", "internal/schedule"},
		may: []string{"protocol", "internal/gateway", "internal/session", "internal/cron"}, libs: []string{anyLibrary},
		why: "whatever starts or watches a turn enters from above; these stand side by side and never call each other"},
	{folders: []string{"internal/model", "internal/model/anthropic", "internal/model/offline"},
		kind: wired, libs: []string{anyLibrary},
		why: "an adapter turns one API into the words; it knows no other adapter and nothing above"},
	{folders: []string{"internal/model/openai", "internal/model/google", "internal/model/ollama"},
		kind: wired, may: []string{"internal/model/endpoint", "internal/model/loose"}, libs: []string{anyLibrary},
		why: "adapters of our own make share how HTTP fails and how servers bend JSON, and nothing of their APIs"},
	{folders: []string{"internal/model/vector"}, kind: wired, may: []string{"internal/model/endpoint"}, libs: []string{anyLibrary},
		why: "vectors come from the same servers as answers, and fail alike; what they are of is nobody's business here"},
	{folders: []string{"internal/model/endpoint"}, may: []string{"internal/model/loose"}, libs: []string{anyLibrary},
		why: "an exchange with any model API fails alike; it reads their errors and none of their answers"},
	{folders: []string{"internal/model/loose"}, libs: []string{anyLibrary},
		why: "values that servers write askew are read in one place, which knows no server"},
	{folders: []string{"internal/tool/memory", "internal/tool/task", "internal/tool/web", "internal/tool/mcp"},
		kind: wired, libs: []string{anyLibrary},
		why: "a tool declares the small interface it needs, so any sandbox or memory fits below it"},
	{folders: []string{"internal/tool/shell", "internal/tool/files"}, kind: wired, may: []string{"internal/paths"}, libs: []string{anyLibrary},
		why: "tools like the others, which must agree on what is below a blocked path"},
	{folders: []string{"internal/prompt"}, kind: wired, may: []string{"internal/fence", "internal/paths"}, libs: []string{anyLibrary},
		why: "it reads the files of instructions, which nobody else should, and hands on one text"},
	{folders: []string{"internal/policy", "internal/audit", "internal/budget", "internal/memory"},
		kind: wired, libs: []string{anyLibrary},
		why: "one job each, at the side: they meet the rest only where the program is put together"},
	{folders: []string{"internal/sandbox", "internal/skill"}, kind: wired, may: []string{"internal/paths"}, libs: []string{anyLibrary},
		why: "likewise, and both keep what is below a folder in it"},
	{folders: []string{"internal/tool/skill"}, kind: wired, libs: []string{anyLibrary},
		why: "a tool like the others: where skills are is for the one who puts the program together"},
	{folders: []string{"internal/intake"}, kind: wired, libs: []string{anyLibrary},
		why: "files of strangers are taken in without knowing what they are for"},
	{folders: []string{"internal/store/sqlite"}, kind: wired, libs: []string{anyLibrary},
		why: "a store keeps events and answers for nothing else; storetest says what it promises"},
	{folders: []string{"internal/config"}, kind: wired, may: []string{"internal/cron"}, libs: []string{anyLibrary},
		why: "packages take their own Options, so no setting can be read behind the caller's back"},
	{folders: []string{"internal/model/scripted", "internal/model/modeltest", "internal/store/storetest"},
		kind: rig, libs: []string{anyLibrary},
		why: "a rig tests every implementation alike, so it knows none of them, and none ships it"},
	{folders: []string{"foreign/aimock", "foreign/mcp"}, kind: rig,
		why: "a package of tests against a foreign program: besides them it has only its comment"},
	{folders: []string{"e2e"}, kind: rig,
		why: "a package of tests against the built program: besides them it has only its comment"},
	{folders: []string{"internal/crashtest"}, kind: rig,
		why: "a package of tests that kill whole gateways: besides them it has only its comment"},
	{folders: []string{"internal/bench"}, may: []string{everything, "internal/model/scripted"}, libs: []string{anyLibrary},
		why: "it measures the gateway around a model that answers at once"},
	{folders: []string{"cmd/openclaw"}, may: []string{everything}, libs: []string{anyLibrary},
		why: "the only place that knows everything: flags, configuration, wiring"},
}

// badNames say nothing about what is inside.
var badNames = []string{
	"util", "utils", "common", "helper", "helpers", "manager", "base", "impl", "service", "misc", "shared",
}

func TestLayers(t *testing.T) {
	for _, p := range check(t, os.DirFS("."), layers) {
		t.Error(p)
	}
}

// TestImportTable holds the table itself to the rules that no row may bend.
func TestImportTable(t *testing.T) {
	kinds := map[string]kind{}
	for _, l := range layers {
		if l.why == "" {
			t.Errorf("row %s gives no reason", l.name())
		}
		for _, f := range l.folders {
			if _, twice := kinds[f]; twice {
				t.Errorf("two rows speak of %s", f)
			}
			kinds[f] = l.kind
		}
	}
	for _, l := range layers {
		program := slices.Contains(l.may, everything)
		for _, f := range l.may {
			k, known := kinds[f]
			switch {
			case f != everything && !known:
				t.Errorf("row %s allows %s, which no row describes", l.name(), f)
			case k != inside && !program:
				t.Errorf("row %s allows %s, which only programs and tests may import", l.name(), f)
			case internal(f) && !internal(l.folders[0]) && !program:
				t.Errorf("row %s allows %s, which its importers outside cannot see", l.name(), f)
			}
		}
	}
}

// TestCheck breaks each rule once.
func TestCheck(t *testing.T) {
	table := []layer{
		{folders: []string{"."}, why: "words"},
		{folders: []string{"internal/low"}, libs: []string{"example.com/good"}, why: "low"},
		{folders: []string{"internal/high"}, may: []string{"internal/low"}, libs: []string{anyLibrary}, why: "high"},
		{folders: []string{"internal/rig"}, kind: rig, why: "rig"},
		{folders: []string{"cmd/x"}, may: []string{everything}, why: "program"},
	}
	sound := map[string]string{
		"words.go":                "// Package words is.\npackage words\nimport \"io\"",
		"internal/low/low.go":     "// Package low is.\npackage low\nimport (\"" + module + "\"; \"example.com/good/sub\")",
		"internal/low/a_test.go":  "package low_test\nimport (\"" + module + "/internal/rig\"; \"other.org/x\")",
		"internal/high/high.go":   "// Package high is.\npackage high\nimport \"" + module + "/internal/low\"",
		"internal/rig/rig.go":     "// Package rig is.\npackage rig",
		"cmd/x/main.go":           "// Command x runs.\npackage main\nimport \"" + module + "/internal/high\"",
		"tools/go.mod":            "module other",
		"tools/main.go":           "package main",
		"internal/low/testdata/x": "not Go",
	}
	tests := []struct{ name, file, src, want string }{
		{"sound", "", "", ""},
		{"upward import", "internal/low/up.go", "package low\nimport \"" + module + "/internal/high\"", "internal/low/up.go imports internal/high"},
		{"rig that ships", "cmd/x/x.go", "package main\nimport \"" + module + "/internal/rig\"", "cmd/x/x.go imports internal/rig"},
		{"library in the root", "x.go", "package words\nimport \"example.com/good\"", "x.go imports example.com/good"},
		{"other library", "internal/low/x.go", "package low\nimport \"example.com/goods\"", "internal/low/x.go imports example.com/goods"},
		{"package without row", "internal/new/new.go", "// Package new is.\npackage new", "internal/new has no row"},
		{"row without package", "internal/rig/rig.go", "-", "row internal/rig: there is no package internal/rig"},
		{"no package comment", "internal/rig/rig.go", "package rig", "internal/rig has no package comment"},
		{"comment of another", "internal/rig/rig.go", "// Package gir is.\npackage rig", "internal/rig/rig.go: the package comment must begin"},
		{"two package comments", "internal/rig/b.go", "// Package rig is.\npackage rig", "internal/rig has 2 package comments"},
		{"file name", "internal/rig/utils_linux.go", "package rig", "internal/rig/utils_linux.go: the name says nothing"},
		{"folder name", "internal/common/x_test.go", "// Package common is.\npackage common", "internal/common: the name says nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			files := maps.Clone(sound)
			files[tt.file] = tt.src
			for name, src := range files {
				if name != "" && src != "-" {
					fsys[name] = &fstest.MapFile{Data: []byte(src)}
				}
			}
			got := check(t, fsys, table)
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)) {
				t.Errorf("check said %q, want %q alone", got, tt.want)
			}
		})
	}
}

// source is one Go file, by what the rules ask about it.
type source struct {
	name    string // as a path of the module
	test    bool
	pkg     string
	doc     string
	imports []string
}

// check returns what is wrong with the module in fsys, a sentence for each
// fault.
func check(t *testing.T, fsys fs.FS, table []layer) []string {
	t.Helper()
	pkgs, err := readPackages(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	rows := map[string]layer{}
	for _, l := range table {
		for _, folder := range l.folders {
			rows[folder] = l
			if !ships(pkgs[folder]) {
				faults = append(faults, fmt.Sprintf("row %s: there is no package %s; write it or remove it from the table", l.name(), folder))
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(pkgs)) {
		files := pkgs[folder]
		faults = append(faults, checkNames(folder, files)...)
		faults = append(faults, checkComment(folder, files)...)
		if !ships(files) {
			continue // tests only
		}
		row, ok := rows[folder]
		if !ok {
			faults = append(faults, folder+" has no row in layers_test.go; give it one, with its reason")
			continue
		}
		faults = append(faults, checkImports(files, row, rows)...)
	}
	return faults
}

// checkImports holds the files of a package that ship to the package's row.
func checkImports(files []source, row layer, rows map[string]layer) (faults []string) {
	for _, f := range files {
		if f.test {
			continue
		}
		for _, imp := range f.imports {
			folder, own := strings.CutPrefix(imp, module+"/")
			ok := imp == module || !strings.Contains(strings.Split(imp, "/")[0], ".") // the root, the standard library
			switch {
			case own:
				ok = slices.Contains(row.may, folder) ||
					slices.Contains(row.may, everything) && rows[folder].kind != rig
			case !ok:
				ok = slices.ContainsFunc(row.libs, func(lib string) bool {
					return lib == anyLibrary || imp == lib || strings.HasPrefix(imp, lib+"/")
				})
			}
			if !ok {
				faults = append(faults, fmt.Sprintf("%s imports %s; its row allows %q and libraries %q, because %s",
					f.name, folder, row.may, row.libs, row.why))
			}
		}
	}
	return faults
}

// checkComment wants one package comment, in a file that ships if any does.
func checkComment(folder string, files []source) (faults []string) {
	n := 0
	for _, f := range files {
		if f.doc == "" || f.test && ships(files) {
			continue
		}
		n++
		want := "Package " + strings.TrimSuffix(f.pkg, "_test") + " "
		if f.pkg == "main" {
			want = "Command " + path.Base(folder) + " "
		}
		if !strings.HasPrefix(f.doc, want) {
			faults = append(faults, fmt.Sprintf("%s: the package comment must begin %q", f.name, want))
		}
	}
	switch n {
	case 0:
		faults = append(faults, folder+" has no package comment: say what it is for, what it owns and what it does not do")
	case 1:
	default:
		faults = append(faults, fmt.Sprintf("%s has %d package comments; keep one", folder, n))
	}
	return faults
}

func checkNames(folder string, files []source) (faults []string) {
	if slices.Contains(badNames, path.Base(folder)) {
		faults = append(faults, folder+": the name says nothing about what is inside")
	}
	for _, f := range files {
		stem, _, _ := strings.Cut(strings.TrimSuffix(path.Base(f.name), ".go"), "_")
		if slices.Contains(badNames, stem) {
			faults = append(faults, f.name+": the name says nothing about what is inside")
		}
	}
	return faults
}

// readPackages returns the Go files of the module by folder, for every
// platform at once. Nested modules are not part of it.
func readPackages(fsys fs.FS) (map[string][]source, error) {
	pkgs := map[string][]source{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case name == ".":
			return nil
		case d.IsDir():
			_, nested := fs.Stat(fsys, name+"/go.mod")
			if nested == nil || base == "testdata" || base == "node_modules" || strings.ContainsAny(base[:1], "._") {
				return fs.SkipDir
			}
			return nil
		case path.Ext(base) != ".go" || strings.ContainsAny(base[:1], "._"):
			return nil
		}
		f, err := readSource(fsys, name)
		pkgs[path.Dir(name)] = append(pkgs[path.Dir(name)], f)
		return err
	})
	return pkgs, err
}

func readSource(fsys fs.FS, name string) (source, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return source{}, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	f := source{name: name, test: strings.HasSuffix(name, "_test.go"), pkg: file.Name.Name, doc: file.Doc.Text()}
	for _, spec := range file.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		f.imports = append(f.imports, imp)
	}
	return f, nil
}

// ships says whether a package has files that are not tests.
func ships(files []source) bool {
	return slices.ContainsFunc(files, func(f source) bool { return !f.test })
}

func internal(folder string) bool { return strings.HasPrefix(folder, "internal/") }

func (l layer) name() string { return cmp.Or(strings.Join(l.folders, ", "), "without folders") }
