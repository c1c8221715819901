package crashtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// serve starts a gateway that must come up, and connects to it.
func serve(t testing.TB, h home, o childOptions) (*process, *client.Client) {
	t.Helper()
	p := start(t, h, o)
	url := p.ready(t)
	if url == "" {
		t.Fatalf("the gateway does not start: %s", h.said(t))
	}
	return p, dial(t, url)
}

func dial(t testing.TB, url string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// said returns what the gateways of the home have written to standard error.
func (h home) said(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(h.stderr())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// say sends a chat and waits for its answer.
func say(ctx context.Context, c *client.Client, session string, s script) (protocol.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.Chat(ctx, (&chat{session: session, script: s}).request(), nil)
}

// mustSay is say for a chat that has to be answered.
func mustSay(t testing.TB, c *client.Client, session string, s script) protocol.Response {
	t.Helper()
	r, err := say(t.Context(), c, session, s)
	if err != nil {
		t.Fatalf("%s: %v", s.Key, err)
	}
	return r
}

// mustStop stops a gateway.
func mustStop(t testing.TB, p *process) {
	t.Helper()
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
}

// wantRefusal starts a gateway that must not come up, and must say why.
func wantRefusal(t testing.TB, h home, o childOptions, words ...string) {
	t.Helper()
	before := len(h.said(t))
	p := start(t, h, o)
	if url := p.ready(t); url != "" {
		t.Fatalf("the gateway serves at %s", url)
	}
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("the gateway ended with %v, want exit status 1", p.cmd.ProcessState)
	}
	said := h.said(t)[before:]
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("the gateway said %q, want %q in it", said, word)
		}
	}
}

// wantSound checks a log that no gateway writes to: no gap, every turn with
// one outcome, every call with one result, and nothing of before gone.
func wantSound(t testing.TB, h home, before logs) logs {
	t.Helper()
	log := mustRead(t, h)
	for session, events := range log {
		turns, faults := split(session, events)
		a := account{ledger: newLedger()}
		a.ledger.stops[session] = true
		for _, turn := range turns {
			if turn.end == nil {
				a.fault("%s: the turn at seq %d has no outcome", session, turn.first().Seq)
			}
			a.checkCalls(session, turn, map[string]bool{}, func(called, returned openclaw.Event) {})
		}
		for _, fault := range append(faults, a.faults...) {
			t.Error(fault)
		}
	}
	for session, events := range before {
		kept := log[session][:min(len(events), len(log[session]))]
		if diff := cmp.Diff(events, kept); diff != "" {
			t.Errorf("%s: what was in the log has changed (-before +now):\n%s", session, diff)
		}
	}
	return log
}

func mustRead(t testing.TB, h home) logs {
	t.Helper()
	log, err := readLog(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// wantRanOnce checks that no tool ran twice.
func wantRanOnce(t testing.TB, h home) {
	t.Helper()
	d, err := readJournal(h.journal())
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range d.starts {
		if n != 1 {
			t.Errorf("call %s ran %d times", id, n)
		}
	}
	for _, fault := range d.faults {
		t.Error(fault)
	}
}

// files returns the digests of the store's files.
func (h home) files(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob(h.store() + "*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(name)] = fmt.Sprintf("%d bytes %x", len(data), sha256.Sum256(data))
	}
	return found
}

// codeOf is the code of an error the gateway answered with, "" for any other.
func codeOf(err error) openclaw.Code {
	if e, said := errors.AsType[*openclaw.Error](err); said {
		return e.Code
	}
	return ""
}
