package crashtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // a gateway's file behind the gateway's back

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// runSQL runs statements on a store that no gateway uses.
func runSQL(t testing.TB, h home, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", h.store())
	if err == nil {
		_, err = db.ExecContext(t.Context(), statements)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSecondGateway starts two gateways on one home: the second says who was
// first and leaves everything alone; when the first one is gone, however that
// ended, the next one gets in.
func TestSecondGateway(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for range 2 {
		p, c := serve(t, h, h.options())
		mustSay(t, c, "main", script{Key: fmt.Sprint("before", p.cmd.Process.Pid)})
		for range 2 {
			wantRefusal(t, h, h.options(), "is in use by", fmt.Sprintf("process %d;", p.cmd.Process.Pid))
		}
		mustSay(t, c, "main", script{Key: fmt.Sprint("after", p.cmd.Process.Pid), Steps: 1, Calls: 1})
		if err := p.kill(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(wantSound(t, h, nil)["main"]); n != 2*(3+6) {
		t.Errorf("the log has %d events, want two turns of 3 and two of 6", n)
	}
}

// TestUnusableStore starts gateways on stores they cannot use. They say why,
// change nothing, and start when the reason is gone.
func TestUnusableStore(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, h home)
		words  []string
	}{
		{"folder read-only", func(t *testing.T, h home) { chmod(t, filepath.Dir(h.store()), 0o555) }, []string{"cannot write to the store", "store.path"}},
		{"file read-only", func(t *testing.T, h home) { chmod(t, h.store(), 0o444) }, []string{"cannot write to the store", "store.path"}},
		{"newer version", func(t *testing.T, h home) {
			runSQL(t, h, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, 1)`)
		}, []string{"newer openclaw", "1000"}},
		{"another program's file", func(t *testing.T, h home) {
			runSQL(t, h, `ALTER TABLE goose_db_version RENAME TO other`)
		}, []string{"not an openclaw store"}},
		{"no database", func(t *testing.T, h home) {
			if err := os.WriteFile(h.store(), []byte("dear diary, this is a text and no database"), 0o666); err != nil {
				t.Fatal(err)
			}
		}, []string{"damaged", ".recover"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tryUnusable(t, tt.damage, tt.words)
		})
	}
}

func tryUnusable(t *testing.T, damage func(*testing.T, home), words []string) {
	t.Helper()
	h := newHome(t)
	p, c := serve(t, h, h.options())
	mustSay(t, c, "main", script{Key: "before", Steps: 1, Calls: 1})
	mustStop(t, p)
	sound, err := os.ReadFile(h.store())
	if err != nil {
		t.Fatal(err)
	}
	log := mustRead(t, h)
	o := h.options()
	o.Journal = filepath.Join(t.TempDir(), "journal")
	if os.Getuid() == 0 { // whom nothing is read-only for
		o.UID = 65534 // nobody
		open(t, filepath.Dir(o.Journal))
		open(t, h.dir)
	}
	damage(t, h)
	before := h.files(t)
	wantRefusal(t, h, o, words...)
	if diff := cmp.Diff(before, h.files(t)); diff != "" {
		t.Errorf("the refusal has changed files (-before +after):\n%s", diff)
	}
	chmod(t, h.dir, 0o777)
	chmod(t, h.store(), 0o666)
	if err := os.WriteFile(h.store(), sound, 0o666); err != nil {
		t.Fatal(err)
	}
	p, c = serve(t, h, o)
	mustSay(t, c, "main", script{Key: "after"})
	mustStop(t, p)
	wantSound(t, h, log)
}

// open lets every user into the folder and at the files in it.
func open(t testing.TB, dir string) {
	t.Helper()
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		chmod(t, d, 0o777)
	}
	names, err := filepath.Glob(filepath.Join(dir, "openclaw.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		chmod(t, name, 0o666)
	}
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestOldStores starts gateways on the stores that earlier versions left in
// the middle of a turn: everything is there, the turn gets its outcome, and
// conversations go on.
func TestOldStores(t *testing.T) {
	dumps, err := filepath.Glob("../store/sqlite/testdata/schema*.sql")
	if err != nil || len(dumps) == 0 {
		t.Fatalf("no old stores: %v", err)
	}
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			t.Parallel()
			statements, err := os.ReadFile(dump)
			if err != nil {
				t.Fatal(err)
			}
			h := newHome(t)
			runSQL(t, h, string(statements))
			old := mustRead(t, h)
			p, c := serve(t, h, h.options())
			list, err := client.Ask[protocol.Sessions](t.Context(), c, protocol.TypeSessionList, protocol.SessionList{})
			if err != nil || len(list.Sessions) != len(old) {
				t.Errorf("session_list: %d sessions, %v; want %d", len(list.Sessions), err, len(old))
			}
			last := old["main"][len(old["main"])-1]
			if r := mustSay(t, c, "main", script{Key: "new", Steps: 1, Calls: 1}); r.Seq != last.Seq+6 {
				t.Errorf("the turn ends at seq %d, want 6 after %d", r.Seq, last.Seq)
			}
			history, err := client.Ask[protocol.History](t.Context(), c, protocol.TypeSessionHistory, protocol.SessionHistory{Session: "main"})
			if err != nil || len(history.Events) != len(old["main"])+6 {
				t.Errorf("session_history: %d events, %v; want %d", len(history.Events), err, len(old["main"])+6)
			}
			mustStop(t, p)
			wantSound(t, h, old)
		})
	}
}
