//go:build !race

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// TestAppendAllocations bounds what an append of one event allocates, the
// writer's goroutine included. The race detector allocates on its own account,
// so this test is not built with it.
func TestAppendAllocations(t *testing.T) {
	s := openStore(t, sqlite.Options{Path: filepath.Join(t.TempDir(), "openclaw.db"), Sync: sqlite.SyncNormal})
	const most = 90
	var seq int64
	got := testing.AllocsPerRun(200, func() {
		seq++
		if err := s.Append(t.Context(), []openclaw.Event{line("main", seq)}); err != nil {
			t.Fatal(err)
		}
	})
	if got > most {
		t.Errorf("an append allocates %v times, want at most %d", got, most)
	}
}
