package loose

import (
	"testing"
	"unicode/utf8"
)

func FuzzPieces(f *testing.F) {
	f.Add(`"a\ud83c"`, `"\udf88b"`)
	f.Add(`"\\ud83c"`, `"\ud83"`)
	f.Add(`"\udf88\ud83c"`, `"x"`)
	f.Fuzz(func(t *testing.T, one, two string) {
		var r Running
		said := ""
		for _, s := range []string{one, two} {
			var p Piece
			if Unmarshal([]byte(s), &p) != nil {
				continue
			}
			said += r.Add(p)
		}
		said += r.End()
		if said != r.String() || !utf8.ValidString(said) {
			t.Errorf("%q from %q and %q", said, one, two)
		}
	})
}
