package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func options(t *testing.T) Options {
	dir := t.TempDir()
	return Options{
		Dir: filepath.Join(dir, "logs"), Key: filepath.Join(dir, "home", "audit.key"), Head: filepath.Join(dir, "home", "audit.head"),
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
}

// write opens the record, adds n lines and closes it.
func write(t *testing.T, o Options, n int) {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := l.Append("tool_call", map[string]any{"tool": "shell", "i": i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, o Options) Report {
	t.Helper()
	r, err := Verify(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordGoesOn(t *testing.T) {
	o := options(t)
	for range 3 {
		write(t, o, 4)
	}
	if r := verify(t, o); r.Lines != 12 || r.First != 1 || r.Last != 12 || len(r.Faults) > 0 {
		t.Errorf("%+v", r)
	}
	for _, path := range []string{o.Key, o.Head, filepath.Join(o.Dir, current)} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// Every way to tamper shows, at its place.
func TestTamper(t *testing.T) {
	lines := func(change func(l [][]byte) [][]byte) func(*testing.T, Options) {
		return func(t *testing.T, o Options) {
			path := filepath.Join(o.Dir, current)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, bytes.Join(change(bytes.SplitAfter(data, []byte("\n"))), nil), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		do   func(*testing.T, Options)
		line int
		what string
	}{
		"changed":    {lines(func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte("shell"), []byte("files"), 1); return l }), 3, "line 3 has been changed"},
		"spaces":     {lines(func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte(":"), []byte(": "), 1); return l }), 3, "no entry"},
		"missing":    {lines(func(l [][]byte) [][]byte { return slices.Delete(l, 2, 4) }), 3, "lines 3 to 4 are missing"},
		"reordered":  {lines(func(l [][]byte) [][]byte { l[2], l[3] = l[3], l[2]; return l }), 3, "lines 3 to 3 are missing"},
		"repeated":   {lines(func(l [][]byte) [][]byte { return slices.Insert(l, 3, l[2]) }), 4, "line 3 stands behind line 3"},
		"cut":        {lines(func(l [][]byte) [][]byte { l[5] = l[5][:20]; return l[:6] }), 6, "cut off"},
		"end gone":   {lines(func(l [][]byte) [][]byte { return l[:4] }), 0, "lines 5 to 6 are missing at the end"},
		"all gone":   {lines(func([][]byte) [][]byte { return nil }), 0, "the record is gone"},
		"begin gone": {lines(func(l [][]byte) [][]byte { return l[2:] }), 0, "lines 1 to 2 are missing at the beginning"},
		"forged": {lines(func(l [][]byte) [][]byte {
			last, _ := parse(bytes.TrimSpace(l[5]))
			forged := Line{N: 7, Time: last.Time, Kind: "stop", Detail: []byte("{}"), Prev: last.Hash}
			forged.Hash = forged.hash([]byte("another key, as long"))
			return append(l, []byte(fmt.Sprintf(`{"n":7,"time":%q,"kind":"stop","detail":{},"prev":%q,"hash":%q}`+"\n", forged.Time, forged.Prev, forged.Hash)))
		}), 7, "line 7 has been changed"},
		"head gone": {func(t *testing.T, o Options) {
			remove(t, o.Head)
		}, 0, "the head is missing"},
		"end gone, head forged": {forgeHead, 0, "the head has been changed"},
		"end gone, head forged, then started": {func(t *testing.T, o Options) {
			forgeHead(t, o)
			write(t, o, 1)
		}, 6, `"head_was_gone":true`},
		"record and head gone, then started": {func(t *testing.T, o Options) {
			remove(t, filepath.Join(o.Dir, current), o.Head)
			write(t, o, 1)
		}, 1, `"head_was_gone":true`},
		"key gone, then started": {func(t *testing.T, o Options) {
			remove(t, o.Key)
			write(t, o, 1)
		}, 1, "written with another key"},
		// The chain goes on after it, and remembers.
		"end gone, then started": {func(t *testing.T, o Options) {
			lines(func(l [][]byte) [][]byte { return l[:4] })(t, o)
			write(t, o, 1)
		}, 5, "cut when it started"},
		"torn by a crash": {func(t *testing.T, o Options) {
			lines(func(l [][]byte) [][]byte { l[5] = l[5][:20]; return l[:6] })(t, o)
			write(t, o, 1)
		}, 6, `"lost_bytes":20`},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			write(t, o, 6)
			tt.do(t, o)
			r := verify(t, o)
			if len(r.Faults) == 0 || r.Faults[0].Line != tt.line || !strings.Contains(r.Faults[0].What, tt.what) {
				t.Errorf("found %+v, want %q at line %d", r.Faults, tt.what, tt.line)
			}
		})
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// forgeHead cuts the last line and tells so in a head written without the key.
func forgeHead(t *testing.T, o Options) {
	path := filepath.Join(o.Dir, current)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := bytes.SplitAfter(data, []byte("\n"))[:5]
	last, err := parse(bytes.TrimSpace(l[4]))
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf(`{"first":1,"n":5,"hash":%q}`, last.Hash)
	for path, text := range map[string][]byte{path: bytes.Join(l, nil), o.Head: []byte(head)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Without the key nothing can be checked, which is not the same as nothing.
func TestNoKey(t *testing.T) {
	o := options(t)
	if _, err := Verify(t.Context(), o); err == nil || !strings.Contains(err.Error(), "there is no record") {
		t.Errorf("nothing: %v", err)
	}
	write(t, o, 1)
	remove(t, o.Key)
	if _, err := Verify(t.Context(), o); err == nil || !strings.Contains(err.Error(), "cannot be checked any more") {
		t.Errorf("no key: %v", err)
	}
}

// A start that was interrupted, wherever that was, is no gap.
func TestInterruptedStart(t *testing.T) {
	o := options(t)
	write(t, o, 0)
	remove(t, o.Key) // it is written last
	write(t, o, 0)
	write(t, o, 2)
	if r := verify(t, o); r.Lines != 2 || len(r.Faults) > 0 {
		t.Errorf("%+v", r)
	}
}

// A full file is put aside and the chain goes on in the next; what is rotated
// away is no fault, a file that is removed is.
func TestRotation(t *testing.T) {
	o := options(t)
	o.MaxSize, o.MaxFiles = 1000, 3
	for range 5 {
		write(t, o, 10)
	}
	files, err := olderFiles(o.Dir)
	if err != nil || len(files) != o.MaxFiles-1 {
		t.Fatalf("%d full files, %v", len(files), err)
	}
	if r := verify(t, o); r.Last != 50 || r.First != numberOf(files[0]) || len(r.Faults) > 0 {
		t.Fatalf("%+v", r)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, o); len(r.Faults) != 1 || !strings.Contains(r.Faults[0].What, "missing at the beginning") {
		t.Errorf("the oldest file removed: %+v", r.Faults)
	}
}

func TestConcurrentAppends(t *testing.T) {
	o := options(t)
	o.MaxSize = 5000
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 25 {
				if err := l.Append("tool_call", map[string]any{"i": i, "text": "<\u2028>\n"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append("late", nil); err == nil {
		t.Error("a closed log takes lines")
	}
	if r := verify(t, o); r.Last != 200 || len(r.Faults) > 0 {
		t.Errorf("%+v", r)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"n":1,"time":"t","kind":"k","detail":{},"prev":"","hash":"h"}`))
	f.Add([]byte(`{"n":1,"n":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parse(data)
		if err != nil {
			return
		}
		before := l.hash([]byte("k"))
		if again, err := parse(data); err != nil || again.hash([]byte("k")) != before {
			t.Error("the same line has two hashes")
		}
	})
}
