package skill

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/openclaw/openclaw-go"
)

// The bounds of a skill's material: the files beside its text.
const (
	maxMaterial = 50       // files listed
	maxLooked   = 2000     // directory entries looked at for that
	maxPart     = 64 << 10 // bytes of a file that a model reads at once
)

// Material lists the files that belong to a skill beside its text, relative to
// its directory, sorted; at most 50. A skill in a single file and one inside
// the program have none.
func (s *Skill) Material() []string {
	root := s.open()
	if root == nil {
		return nil
	}
	defer root.Close()
	var files []string
	looked := 0
	// What cannot be read is no material.
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		looked++
		base := filepath.Base(name)
		switch {
		case looked > maxLooked || len(files) == maxMaterial:
			return fs.SkipAll
		case err != nil:
			return nil
		case name != "." && (strings.HasPrefix(base, ".") || base == "node_modules"):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular() && name != filepath.Base(s.File):
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files
}

// open opens the skill's directory, nil where it has none of its own.
func (s *Skill) open() *os.Root {
	if s.Dir == "" || !isSkillFile(filepath.Base(s.File)) {
		return nil
	}
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil
	}
	return root
}

// ReadMaterial returns a text file of the skill's directory, at most 64 KiB of
// it; whole says that this is all. No link leads out of the directory. The
// error is an *openclaw.Error with CodeNotFound.
func (s *Skill) ReadMaterial(name string) (text string, whole bool, err error) {
	bad := func(why string, err error) (string, bool, error) {
		return "", false, &openclaw.Error{
			Code: openclaw.CodeNotFound, Err: err,
			Message: "the skill " + quoted(s.Name) + " has no text file " + quoted(name) + " that can be read" + why,
		}
	}
	root := s.open()
	if root == nil || !filepath.IsLocal(name) {
		return bad("", nil)
	}
	defer root.Close()
	f, err := openRegular(root, name)
	if err != nil {
		return bad("", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPart+1))
	if err != nil {
		return bad("", err)
	}
	text, whole = CutPart(string(data))
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return bad(": it is not text", errors.New("binary"))
	}
	return text, whole, nil
}

// CutPart returns as much of a text as a model reads at once, whole characters
// only, and whether that is all of it.
func CutPart(text string) (part string, whole bool) {
	if len(text) <= maxPart {
		return text, true
	}
	end := maxPart
	for end > maxPart-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], false
}
