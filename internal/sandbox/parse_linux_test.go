package sandbox

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		line string
		want procStat
		ok   bool
	}{
		{"42 (sh) S 7 42 41 0 -1 4194560", procStat{state: 'S', parent: 7, session: 41}, true},
		{"42 (a) Z 1 (b\n) c) R 9 8 6 0", procStat{state: 'R', parent: 9, session: 6}, true},
		{"42 (sh) S 7 42", procStat{}, false},
		{"42 sh S 7 42 41", procStat{}, false},
		{"42 (sh) S x 42 41", procStat{}, false},
		{"42 (sh) S 7 42 x", procStat{}, false},
		{"", procStat{}, false},
	}
	for _, tt := range tests {
		got, err := parseStat([]byte(tt.line))
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("parseStat(%q) = %+v, %v", tt.line, got, err)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (sh) S 7 42 41 0 -1 4194560"))
	f.Add([]byte("1 ()) Z 0 1 1"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, line []byte) {
		st, err := parseStat(line)
		if err != nil && st != (procStat{}) {
			t.Errorf("an error and %+v", st)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	var b bytes.Buffer
	if err := writeFrame(&b, order{Argv: [][]byte{[]byte("\xff")}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("\xff\xff\xff\xff{}"))
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second order
		if readFrame(bytes.NewReader(data), &first) != nil {
			return
		}
		var b bytes.Buffer
		if err := writeFrame(&b, first); err != nil {
			t.Fatal(err)
		}
		if err := readFrame(&b, &second); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
