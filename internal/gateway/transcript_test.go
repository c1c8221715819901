package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/openclaw/openclaw-go/internal/gateway"
)

var update = flag.Bool("update", false, "write what the gateway says into testdata")

// TestTranscripts plays each conversation in testdata: what the client sends,
// a frame a line, each when nothing moves any more after the one before, and
// then everything the gateway has said. The clock stands still at the beginning of 2000 unless the client
// sleeps, so every byte but a generated id is fixed.
//
// Lines that begin with ! are not frames: "! sleep 1m" lets time pass,
// "! drain" begins a shutdown, "! connect 2" speaks as another client from
// there on (the first is 1), "! disconnect" ends the current one. $approval
// stands for the newest approval_id that any client was told.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before := txtar.Format(archive)
			synctest.Test(t, func(t *testing.T) { play(t, archive) })
			after := txtar.Format(archive)
			if *update {
				if err := os.WriteFile(file, after, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("the gateway says something else (-want +got):\n%s", diff)
			}
		})
	}
}

// play replaces the server sections of the archive by what the gateway says.
func play(t *testing.T, archive *txtar.Archive) {
	var s settings
	var steps []step
	for _, f := range archive.Files {
		switch f.Name {
		case "settings":
			if err := json.Unmarshal(f.Data, &s); err != nil {
				t.Fatal(err)
			}
		case "model":
			for line := range bytes.Lines(bytes.TrimSpace(f.Data)) {
				var step step
				if err := json.Unmarshal(line, &step); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				steps = append(steps, step)
			}
		}
	}
	r := newRig(t, s, steps)
	defer r.close(t)
	p := &player{t: t, rig: r, peers: map[string]*peer{}}
	p.connect("1")
	for i, f := range archive.Files {
		switch f.Name {
		case "client":
			p.say(string(f.Data))
		case "server":
			archive.Files[i].Data = p.heard()
		}
	}
	for _, peer := range p.peers {
		peer.client.Close()
	}
}

// peer is one client of a transcript.
type peer struct {
	conn   *recorder
	client *gateway.Client
}

type player struct {
	t       *testing.T
	rig     *rig
	peers   map[string]*peer
	current *peer
}

var approvalID = regexp.MustCompile(`"approval_id":"([^"]+)"`)

// withApproval fills in the newest approval.
func (p *player) withApproval(line string) string {
	newest := "" // a ULID: later ones are greater
	for _, peer := range p.peers {
		for _, frame := range peer.conn.all() {
			for _, found := range approvalID.FindAllStringSubmatch(frame, -1) {
				newest = max(newest, found[1])
			}
		}
	}
	return strings.ReplaceAll(line, "$approval", newest)
}

func (p *player) connect(name string) {
	if p.peers[name] == nil {
		conn := &recorder{}
		p.peers[name] = &peer{conn, p.rig.gateway.Connect(conn)}
	}
	p.current = p.peers[name]
}

func (p *player) say(frames string) {
	for line := range strings.Lines(strings.TrimRight(frames, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		directive, isDirective := strings.CutPrefix(line, "! ")
		if !isDirective {
			p.current.client.Receive([]byte(p.withApproval(line)))
			synctest.Wait()
			continue
		}
		verb, argument, _ := strings.Cut(directive, " ")
		switch verb {
		case "connect":
			p.connect(argument)
		case "disconnect":
			p.current.client.Close()
		case "drain":
			p.rig.gateway.Drain()
			expired, cancel := context.WithCancel(context.Background())
			cancel()
			p.rig.hub.Drain(expired)
		case "sleep":
			d, err := time.ParseDuration(argument)
			if err != nil {
				p.t.Fatal(err)
			}
			time.Sleep(d)
		default:
			p.t.Fatalf("no such directive: %s", line)
		}
	}
}

var generated = regexp.MustCompile(`"[0-9A-HJKMNP-TV-Z]{26}"`)

// heard returns what the current client has been told, when nothing moves any
// more.
func (p *player) heard() []byte {
	synctest.Wait()
	var out bytes.Buffer
	for _, frame := range p.current.conn.take() {
		out.WriteString(generated.ReplaceAllString(frame, `"<ulid>"`))
		out.WriteByte('\n')
	}
	out.WriteByte('\n') // a blank line before the next section
	return out.Bytes()
}
