package config

import (
	"os"
	"testing"
)

// Every start of the program loads the configuration.
func BenchmarkLoad(b *testing.B) {
	text, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string]string{"empty": "", "full": string(text)} {
		b.Run(name, func(b *testing.B) {
			opts := write(b, content, "OPENCLAW_LOG_LEVEL=warn")
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Load(opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
