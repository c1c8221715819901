package sandbox_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

func TestBoxTellsReadableFromBlocked(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{".ssh/id": "secret", "note": "note", "work/old": "old"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	box, err := newRunner(t).Box(sandbox.Rules{Workspace: filepath.Join(home, "work"), Blocked: []string{filepath.Join(home, ".ssh")}})
	if err != nil {
		t.Fatal(err)
	}
	if box.Layer() == sandbox.LayerNone || box.Layer() == sandbox.LayerSeccomp {
		t.Skipf("files are not confined here: %q", box.Gaps())
	}
	var out bytes.Buffer
	job := shellJob(`cat note; cat .ssh/id 2>/dev/null || echo refused; ls -A; echo new > work/new; cat work/old work/new
		(echo x > made) 2>/dev/null || echo refused; touch "$TMPDIR/x" && echo temporary`, &out)
	job.Dir = home
	if _, err := box.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	want := "note\nrefused\n.ssh\nnote\nwork\nold\nnew\nrefused\ntemporary\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}
