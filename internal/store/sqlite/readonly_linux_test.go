package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// asNobody runs f without root's right to write everywhere, on this thread
// only.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Skipf("cannot give up root's rights: %v", err)
	}
	defer func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatalf("cannot be root again: %v", err)
		}
	}()
	f()
}

func TestNotWritable(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, path string){
		"folder": func(t *testing.T, path string) { chmod(t, filepath.Dir(path), 0o555) },
		"file":   func(t *testing.T, path string) { chmod(t, path, 0o444) },
		"lock":   func(t *testing.T, path string) { chmod(t, path+".lock", 0o444) },
	} {
		t.Run(name, func(t *testing.T) {
			path := closedStore(t)
			for dir := filepath.Dir(path); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
				chmod(t, dir, 0o777)
			}
			chmod(t, path, 0o666)
			chmod(t, path+".lock", 0o666)
			prepare(t, path)
			asNobody(t, func() { refused(t, path, openclaw.CodeInternal, "cannot write", "writable", "store.path") })
			chmod(t, filepath.Dir(path), 0o777)
			chmod(t, path, 0o666)
			chmod(t, path+".lock", 0o666)
			info, err := openStore(t, sqlite.Options{Path: path}).Session(t.Context(), "main")
			if err != nil || info.LastSeq != 200 {
				t.Errorf("afterwards the session ends at seq %d, %v; want 200", info.LastSeq, err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
