package sandbox_test

import (
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// What a layer costs is the difference to BenchmarkPlainSpawn.
func BenchmarkBox(b *testing.B) {
	for layer, r := range layers(b) {
		b.Run(string(layer), func(b *testing.B) {
			box, err := r.Box(sandbox.Rules{Workspace: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			job := shellJob("", nil)
			job.Argv = []string{"/bin/true"}
			for b.Loop() {
				if _, err := box.Run(b.Context(), job); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
