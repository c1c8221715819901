package sandbox_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/sandbox"
	"golang.org/x/sys/unix"
)

// newExchange returns a prison with docs/sub, which somebody has approved, and
// docs/link, which leads to the home directory: what an earlier command, approved
// for docs, can put in its place.
func newExchange(t *testing.T) (p prison, rules sandbox.Rules, exchange func()) {
	p, rules = newPrison(t)
	for _, name := range []string{"docs/sub/here", "docs/sub/inner"} {
		if err := os.MkdirAll(p.file(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(p.file("inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(p.home, p.file("docs/link")); err != nil {
		t.Fatal(err)
	}
	return p, rules, func() {
		if err := unix.Renameat2(unix.AT_FDCWD, p.file("docs/sub"), unix.AT_FDCWD, p.file("docs/link"), unix.RENAME_EXCHANGE); err != nil {
			t.Error(err)
		}
	}
}

// exchanges are what a job may have been approved for that no longer leads where
// it did.
var exchanges = []struct {
	name string
	set  func(job *sandbox.Job, p prison)
}{
	{"a granted folder", func(job *sandbox.Job, p prison) { job.Grant.Writable = []string{p.file("docs/sub")} }},
	{"a folder below", func(job *sandbox.Job, p prison) { job.Grant.Writable = []string{p.file("docs/sub/inner")} }},
	{"a folder that is not there yet", func(job *sandbox.Job, p prison) { job.Grant.Writable = []string{p.file("docs/sub/new")} }},
	{"the directory", func(job *sandbox.Job, p prison) { job.Dir = p.file("docs/sub") }},
	{"a directory below", func(job *sandbox.Job, p prison) { job.Dir = p.file("docs/sub/inner") }},
	{"without confinement", func(job *sandbox.Job, p prison) { job.Dir, job.Grant.Unconfined = p.file("docs/sub"), true }},
}

// What has been exchanged for a link since somebody approved it is not opened,
// and whoever asked is told.
func TestExchangedBeforeTheRun(t *testing.T) {
	for layer, r := range layers(t) {
		for _, tt := range exchanges {
			t.Run(string(layer)+"/"+tt.name, func(t *testing.T) {
				p, rules, exchange := newExchange(t)
				box, err := r.Box(rules)
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				job := shellJob(`touch "$0/made" "$0/inner/made" "$0/.ssh/made"; echo ran in $(pwd -P)`, &out)
				job.Argv = append(job.Argv, p.home)
				tt.set(&job, p)
				exchange()
				_, err = box.Run(t.Context(), job)
				if openclaw.CodeOf(err) != openclaw.CodeInvalidMessage || !strings.Contains(err.Error(), "docs/sub") || out.Len() > 0 {
					t.Errorf("got %v; %q", err, &out)
				}
				for _, name := range []string{"made", "inner/made", "new"} {
					if _, err := os.Lstat(p.file(name)); err == nil {
						t.Errorf("%s was made", name)
					}
				}
			})
		}
	}
}

// Nor is it when that happens after all has been looked at, before the
// supervisor opens it.
func TestExchangedMeanwhile(t *testing.T) {
	for layer, r := range layers(t) {
		for _, tt := range exchanges {
			if tt.name == "without confinement" {
				continue // nothing is asked for in between
			}
			t.Run(string(layer)+"/"+tt.name, func(t *testing.T) {
				p, rules, exchange := newExchange(t)
				rules.OwnPort = func() int { exchange(); return 0 } // it is asked for in between
				box, err := r.Box(rules)
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				job := shellJob(`touch "$0/made" "$0/inner/made" "$0/.ssh/made"; pwd -P`, &out)
				job.Argv = append(job.Argv, p.home)
				tt.set(&job, p)
				_, err = box.Run(t.Context(), job)
				if job.Dir != "/" && (openclaw.CodeOf(err) != openclaw.CodeInvalidMessage || !strings.Contains(err.Error(), "docs/sub") || out.Len() > 0) {
					t.Errorf("got %v; %q", err, &out)
				}
				for _, name := range []string{"made", "inner/made", "new"} {
					if _, err := os.Lstat(p.file(name)); err == nil {
						t.Errorf("%s was made", name)
					}
				}
			})
		}
	}
}

// Nor is it at any other moment.
func TestExchangedAllTheTime(t *testing.T) {
	for layer, r := range layers(t) {
		t.Run(string(layer), func(t *testing.T) {
			p, rules, exchange := newExchange(t)
			box, err := r.Box(rules)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			var other sync.WaitGroup
			defer other.Wait()
			defer close(done)
			other.Go(func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Millisecond):
						exchange()
					}
				}
			})
			ran := 0
			for range 30 {
				var out bytes.Buffer
				job := shellJob(`[ -d here ] || echo elsewhere; touch "$0/made" 2>/dev/null; echo ran`, &out)
				job.Argv = append(job.Argv, p.home)
				job.Dir, job.Grant.Writable = p.file("docs/sub"), []string{p.file("docs/sub")}
				_, err := box.Run(t.Context(), job)
				if _, made := os.Lstat(p.file("made")); made == nil || strings.Contains(out.String(), "elsewhere") {
					t.Fatalf("it got out: %v, %q", err, &out)
				}
				if err == nil {
					ran++
				}
			}
			t.Logf("%d ran", ran)
		})
	}
}
