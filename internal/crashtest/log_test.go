package crashtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// logs are the events of every conversation.
type logs map[string][]openclaw.Event

// readLog reads the log of a gateway that does not run, from a copy of its
// files: the next start finds what the last one left.
func readLog(ctx context.Context, h home) (logs, error) {
	dir, err := os.MkdirTemp(h.dir, "copy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, suffix := range []string{"", "-wal", "-journal"} {
		data, err := os.ReadFile(h.store() + suffix)
		if err == nil {
			err = os.WriteFile(home{dir}.store()+suffix, data, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Path: home{dir}.store(), Sync: sqlite.SyncNormal})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return readAll(ctx, store)
}

func readAll(ctx context.Context, store *sqlite.Store) (logs, error) {
	found := logs{}
	for after := ""; ; {
		page, next, err := store.Sessions(ctx, after, 0)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			if found[s.Name], err = store.Events(ctx, s.Name, openclaw.EventRange{}); err != nil {
				return nil, err
			}
		}
		if after = next; after == "" {
			return found, nil
		}
	}
}

// turn is a turn as the log has it.
type turn struct {
	openclaw.TurnStarted
	events []openclaw.Event // of the turn, its beginning and its end too
	end    openclaw.Body    // nil: it has not ended
}

func (t *turn) first() openclaw.Event { return t.events[0] }
func (t *turn) last() openclaw.Event  { return t.events[len(t.events)-1] }

// split takes a conversation apart, and says what is wrong with its order.
func split(session string, events []openclaw.Event) (turns []*turn, faults []string) {
	var open *turn
	for i, ev := range events {
		wrong := func(what string) {
			faults = append(faults, fmt.Sprintf("%s seq %d: %s %s", session, ev.Seq, ev.Kind(), what))
		}
		if ev.Seq != int64(i)+1 {
			wrong(fmt.Sprintf("stands at place %d", i+1))
		}
		started, begins := ev.Body.(openclaw.TurnStarted)
		switch {
		case begins && open != nil:
			wrong("while another turn has no outcome")
		case begins:
		case ev.Kind() == openclaw.KindCompacted && open == nil:
			continue
		case open == nil:
			wrong("outside of a turn")
			continue
		case ev.RequestID != open.first().RequestID:
			wrong("belongs to another request than its turn")
		}
		if begins {
			open = &turn{TurnStarted: started}
			turns = append(turns, open)
		}
		open.events = append(open.events, ev)
		if ev.Kind().Ends() {
			open.end, open = ev.Body, nil
		}
	}
	return turns, faults
}
