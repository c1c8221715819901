package skill

import (
	"embed"
	"io/fs"
)

//go:embed bundled
var bundled embed.FS

// Bundled are the skills inside the program. They use the tools that every
// gateway has by default.
func Bundled() Root {
	files, err := fs.Sub(bundled, "bundled")
	if err != nil {
		panic(err) // not compiled in
	}
	return Root{Path: "bundled", Files: files}
}
